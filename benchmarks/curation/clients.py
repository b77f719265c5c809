"""The clients that are measured: this project and its peers.

Belongs here: the name, script and runner of each client. Does not: the measures (measures).
"""

from dataclasses import dataclass

from benchmarks.curation.runs import BESIDE, OURS
from benchmarks.environments import CURATION


@dataclass(frozen=True)
class Client:
    """One client: a line in the tables."""

    title: str
    peer: str  # its environment and script
    runner: str = ""  # a function of that script; the measure names ours


CLIENTS = {
    OURS: Client("bioinstruct_dagster", OURS),
    BESIDE: Client("at the other commit", OURS),
    "self_instruct": Client("Self-Instruct's loop", "rouge_loops", "self_instruct"),
    "alpaca": Client("stanford_alpaca's loop", "rouge_loops", "alpaca"),
    "rapidfuzz": Client("rapidfuzz, all pairs", "rapidfuzz", "novelty"),
    "datasketch_words": Client("datasketch (words, 0.9)", "datasketch", "words"),
    "datasketch_shingles": Client("datasketch (5-grams, 0.7)", "datasketch", "shingles"),
    "rensa": Client("rensa (words, 0.8)", "rensa", "words"),
    "datatrove": Client("datatrove", "datatrove", "contamination"),
    "lm_eval": Client("lm-evaluation-harness", "lm_eval", "contamination"),
}
PEERS = tuple(dict.fromkeys(c.peer for c in CLIENTS.values() if c.peer != OURS))


def pinned(peer: str) -> str:
    """The peer's package with its version."""
    package = {"rouge_loops": "rouge-score", "lm_eval": "lm-evaluation-harness"}.get(peer, peer)
    return f"{package} {CURATION.version_pinned(peer)}"
