"""What the rehearsal server did, counted: the measure against which a client is held.

Belongs here: the counts. Does not: deciding what counts as billed (server, batches).
"""

import time
from collections import Counter
from typing import Any


class Ledger:
    """Counts since the start or the last reset.

    `admitted` requests passed the limits; `billed` ones got an answer, even where the connection
    broke before it arrived. Lines of a batch are billed and never admitted.
    """

    def __init__(self) -> None:
        self.admitted = 0
        self.billed = 0
        self.batch_lines_billed = 0
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.refused_429 = 0
        self.errors = 0
        self.first_admission: float | None = None
        self.last_admission: float | None = None
        self.most_in_flight = 0
        self._in_flight = 0
        self._billed_of: Counter[str] = Counter()

    def admit(self) -> None:
        """A request is let in."""
        now = time.monotonic()
        self.admitted += 1
        if self.first_admission is None:
            self.first_admission = now
        self.last_admission = now
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)

    def leave(self) -> None:
        """A request that was let in has got its reply."""
        self._in_flight -= 1

    def bill(self, digest: str, prompt_tokens: int, completion_tokens: int) -> None:
        """An answer is charged for."""
        self.billed += 1
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens
        self._billed_of[digest] += 1

    def reset(self) -> None:
        """Empty it; requests in flight stay in flight."""
        in_flight = self._in_flight
        self.__init__()  # type: ignore[misc]
        self._in_flight = self.most_in_flight = in_flight

    def as_json(self) -> dict[str, Any]:
        """All counts, ready for JSON."""
        return {
            "admitted": self.admitted,
            "billed": self.billed,
            "billed_digests": len(self._billed_of),
            "most_billed_of_a_digest": max(self._billed_of.values(), default=0),
            "batch_lines_billed": self.batch_lines_billed,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "refused_429": self.refused_429,
            "errors": self.errors,
            "first_admission": self.first_admission,
            "last_admission": self.last_admission,
            "in_flight": self._in_flight,
            "most_in_flight": self.most_in_flight,
        }
