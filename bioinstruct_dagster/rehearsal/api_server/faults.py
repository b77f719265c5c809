"""Faults on purpose: which request meets which fault, and the answer with a fault in its content.

The fault seed, the request's digest and the number of earlier requests with this digest determine
the fault. So a rerun meets equal faults, in whatever order its requests arrive.

Belongs here: choosing a fault, and faults of the content. Does not: breaking a connection
(transport).
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from bioinstruct_dagster.rehearsal.api_server.messages import Completion
from bioinstruct_dagster.rehearsal.api_server.options import FAULTS, OptionsError, ServerOptions

REFUSAL = "I'm sorry, but I can't assist with that request."
# Valid JSON that fits no schema that a client requests.
_WRONG_SCHEMA = json.dumps({"items": [{"question": "Name one vitamin.", "answer": "Vitamin C."}]})
_WRONG_TEXT = "###\n1. Question: Name one vitamin.\n1. Answer:\nVitamin C."
_MALFORMED_REPLY = '{"tasks": ['  # in place of an answer without JSON


class FaultPlan:
    """Chooses faults, and counts how often each request arrived."""

    def __init__(self, options: ServerOptions) -> None:
        self._shares = [(name, options.faults.get(name, 0.0)) for name in FAULTS]
        self._has_faults = any(share for _, share in self._shares)
        self._seed = options.fault_seed
        self._attempts = options.fault_attempts
        # By digest: how often the request arrived, and how often it met a fault.
        self._counts: dict[str, tuple[int, int]] = {}

    def choose(self, digest: str, among: Sequence[str] = FAULTS) -> str | None:
        """The fault that this request meets if it is admitted now; None if it meets none."""
        if not self._has_faults:
            return None
        came, faulted = self._counts.get(digest, (0, 0))
        if self._attempts is not None and faulted >= self._attempts:
            return None
        drawn = _uniform(f"{self._seed}:{digest}:{came}")
        for name, share in self._shares:
            if drawn < share:
                return name if name in among else None
            drawn -= share
        return None

    def count(self, digest: str, fault: str | None) -> None:
        """Count an admitted request, with the fault that it met."""
        if self._has_faults:
            came, faulted = self._counts.get(digest, (0, 0))
            self._counts[digest] = (came + 1, faulted + bool(fault))

    def forget(self) -> None:
        """Forget all counts."""
        self._counts.clear()

    def save(self, path: Path) -> None:
        """Write the counts, so that a restarted server continues with them."""
        if self._has_faults:
            fresh = path.with_suffix(".new")
            fresh.write_text(json.dumps(self._counts), "utf-8")
            fresh.replace(path)

    def load(self, path: Path) -> None:
        """Read the counts of an earlier server, if there are any.

        Raises:
            OptionsError: the file does not hold a server's counts.
        """
        if not path.exists():
            return
        try:
            counts = json.loads(path.read_text("utf-8"))
            self._counts = {digest: (came, faulted) for digest, (came, faulted) in counts.items()}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise OptionsError(
                f"state_dir: {path} does not hold the fault counts of a rehearsal server "
                f"({error}). Delete the file."
            ) from error


def spoil(answer: Completion, fault: str | None, form: str) -> Completion:
    """The answer with this fault in its content; a fault of another kind does not change it."""
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
        return Completion(_malformed(text), None, "stop")
    return answer


def _malformed(text: str) -> str:
    if text.startswith("###"):
        return text.replace(". Output:\n", ". ")
    # The last closing bracket belongs to the JSON itself, never to a string in it.
    before, bracket, after = text.rpartition("]")
    return before + after if bracket else _MALFORMED_REPLY


def _uniform(key: str) -> float:
    digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
