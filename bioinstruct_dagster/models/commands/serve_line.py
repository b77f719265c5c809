"""The line that serves adapters by vLLM beside their base model.

Belongs here: the words of the line. Does not: starting a server. vLLM is not needed for it.
"""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

from bioinstruct_dagster.models.commands.found_adapter import (
    AdapterCommandError,
    FoundAdapter,
    Log,
)

# The values that `--max-lora-rank` takes (vllm/config/lora.py, MaxLoRARanks).
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)


def serve_line(adapters: Sequence[FoundAdapter], log: Log) -> str:
    """The command `vllm serve` for adapters of one base model, quoted for a shell.

    Args:
        adapters: each is proven first.
        log: receives what the user should know beside the line.

    Raises:
        AdapterCommandError: the adapters have several base models, or a rank that vLLM can't serve.
        AdapterFaultError: an adapter is refused.
    """
    bases = {found.experiment.partition("|")[0] for found in adapters}
    if len(bases) != 1:
        raise AdapterCommandError(
            f"One server has one base model, but these are adapters of {', '.join(sorted(bases))}. "
            "Name experiments of one of them."
        )
    ranks, loaded = [], adapters[0].load_base(log)
    for found in adapters:
        opened = found.open(log, loaded)
        ranks.append(opened.proof.expected.rank)
        loaded = opened.close()
        if found.base.rehearsal:
            log(f"{found.experiment} is a rehearsal: serve it for a trial only.")
    base = adapters[0].base
    words = ["vllm", "serve", loaded.path]
    if base.revision and not Path(loaded.path).is_dir():
        words += ["--revision", base.revision]
    if base.context:
        words += ["--max-model-len", str(base.context)]
    words += ["--enable-lora", "--max-lora-rank", str(_served_rank(max(ranks)))]
    words += ["--max-loras", str(len(adapters)), "--lora-modules"]
    words += [_module(found.experiment, found.folder.resolve()) for found in adapters]
    log(
        f"The adapters were trained with the prompt {loaded.prompt.version}. Send prompts of that "
        "form to /v1/completions, with the experiment's name as `model`."
    )
    return shlex.join(words)


def _served_rank(rank: int) -> int:
    served = next((one for one in RANKS if one >= rank), None)
    if served is None:
        raise AdapterCommandError(
            f"vLLM serves ranks of at most {RANKS[-1]}, and the adapter has {rank}. Merge the "
            "adapter instead, and serve the merged model."
        )
    return served


def _module(name: str, path: Path) -> str:
    """An adapter as `--lora-modules` reads it: `name=path`, or JSON if the path would break it."""
    if "=" in str(path) or "," in str(path):
        return json.dumps({"name": name, "path": str(path)})
    return f"{name}={path}"
