"""Faults on purpose: which request meets which, and what a fault makes of an answer.

A fault is decided by the fault seed, the request's digest and how often that digest came before, so
that a rerun meets the same faults in whatever order its requests arrive. Belongs here: the choice
and the spoilt content. Does not: breaking a connection (delivery).
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from bioinstruct_dagster.rehearsal.api_server.messages import Completion
from bioinstruct_dagster.rehearsal.api_server.options import FAULTS, OptionsError, ServerOptions

REFUSAL = "I'm sorry, but I can't assist with that request."
# Sound JSON of another shape than any that is asked for.
_WRONG_SCHEMA = json.dumps({"items": [{"question": "Name one vitamin.", "answer": "Vitamin C."}]})
_WRONG_TEXT = "###\n1. Question: Name one vitamin.\n1. Answer:\nVitamin C."
_NO_FORM = '{"tasks": ['  # what is malformed of an answer that says nothing


class Faults:
    """Chooses faults, and keeps count of how often each request came."""

    def __init__(self, options: ServerOptions) -> None:
        self._shares = [(name, options.faults.get(name, 0.0)) for name in FAULTS]
        self._any = any(share for _, share in self._shares)
        self._seed = options.fault_seed
        self._attempts = options.fault_attempts
        # By digest: how often it came, and how often it met a fault.
        self._seen: dict[str, tuple[int, int]] = {}

    def choose(self, digest: str, among: Sequence[str] = FAULTS) -> str | None:
        """The fault that this request meets when it is let in now; None for most."""
        if not self._any:
            return None
        came, faulted = self._seen.get(digest, (0, 0))
        if self._attempts is not None and faulted >= self._attempts:
            return None
        drawn = _uniform(f"{self._seed}:{digest}:{came}")
        for name, share in self._shares:
            if drawn < share:
                return name if name in among else None
            drawn -= share
        return None

    def count(self, digest: str, fault: str | None) -> None:
        """Note that a request was let in, with the fault it met."""
        if self._any:
            came, faulted = self._seen.get(digest, (0, 0))
            self._seen[digest] = (came + 1, faulted + bool(fault))

    def forget(self) -> None:
        """Start anew, as if no request had come."""
        self._seen.clear()

    def save(self, path: Path) -> None:
        """Write the counts, so that a restarted server goes on where this one stopped."""
        if self._any:
            fresh = path.with_suffix(".new")
            fresh.write_text(json.dumps(self._seen), "utf-8")
            fresh.replace(path)

    def load(self, path: Path) -> None:
        """Read the counts of an earlier server, if it left any.

        Raises:
            OptionsError: the file is not what a server left.
        """
        if not path.exists():
            return
        try:
            counts = json.loads(path.read_text("utf-8"))
            self._seen = {digest: (came, faulted) for digest, (came, faulted) in counts.items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise OptionsError(
                f"state_dir: {path} is not what a rehearsal server left ({error}). Delete it."
            ) from error


def spoil(answer: Completion, fault: str | None, form: str) -> Completion:
    """The answer with a fault of its content; faults of another kind leave it as it is."""
    text = answer.content or ""
    if fault == "refusal":
        return Completion(None, REFUSAL, "stop")
    if fault == "length":
        return Completion(text[: len(text) // 2], None, "length")
    if fault == "wrong_schema":
        return Completion(_WRONG_TEXT if form == "text" else _WRONG_SCHEMA, None, "stop")
    if fault == "empty":
        return Completion("", None, "stop")
    if fault == "malformed":
        return Completion(_broken(text), None, "stop")
    return answer


def _broken(text: str) -> str:
    if text.startswith("###"):
        return text.replace(". Output:\n", ". ")
    # The last closing bracket is always one of the JSON itself, never of a string in it.
    before, bracket, after = text.rpartition("]")
    return before + after if bracket else _NO_FORM


def _uniform(key: str) -> float:
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
