"""Counts of what the rehearsal server admitted, billed and refused; tests compare clients with it.

Belongs here: the counts. Does not: deciding which answers are billed (app).
"""

import time
from collections import Counter
from typing import Any


class Ledger:
    """Counts since the start or the last reset.

    An admitted request passed the limits. A billed request was answered, even if the connection
    broke before the answer arrived. Lines of a batch are billed but never admitted.
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
        self._billed_by_digest: Counter[str] = Counter()

    def admit(self) -> None:
        """Count an admitted request."""
        now = time.monotonic()
        self.admitted += 1
        if self.first_admission is None:
            self.first_admission = now
        self.last_admission = now
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)

    def leave(self) -> None:
        """Count the reply to an admitted request."""
        self._in_flight -= 1

    def bill(self, digest: str, prompt_tokens: int, completion_tokens: int) -> None:
        """Count a billed answer."""
        self.billed += 1
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens
        self._billed_by_digest[digest] += 1

    def reset(self) -> None:
        """Set all counts to zero, except the requests in flight."""
        in_flight = self._in_flight
        self.__init__()  # type: ignore[misc]
        self._in_flight = self.most_in_flight = in_flight

    def as_json(self) -> dict[str, Any]:
        """All counts, ready for JSON."""
        return {
            "admitted": self.admitted,
            "billed": self.billed,
            "billed_digests": len(self._billed_by_digest),
            "most_billed_of_a_digest": max(self._billed_by_digest.values(), default=0),
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
