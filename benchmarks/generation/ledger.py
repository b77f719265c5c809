"""The server's ledger: it counts the requests of a client that were admitted, refused and billed.

A request is billed if it was admitted and its answer was computed, even if the answer was not
delivered. A hosted endpoint would charge for it too. Belongs here: counting. Does not: admitting or
refusing requests (buckets).
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Ledger:
    """Counts since the last reset. Times are the server's monotonic seconds."""

    admitted: int = 0
    billed: int = 0
    billed_tokens: int = 0
    refused: int = 0
    errors: int = 0
    resets: int = 0
    abandoned: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    first_admission: float | None = None
    last_admission: float | None = None
    billed_by_request: Counter[bytes] = field(default_factory=Counter)
    cpu_before: float = field(default_factory=time.process_time)

    def admit(self, now: float) -> None:
        """A request passed the limits."""
        self.admitted += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        if self.first_admission is None:
            self.first_admission = now
        self.last_admission = now

    def bill(self, request: bytes, tokens: int) -> None:
        """The answer was computed."""
        self.billed += 1
        self.billed_tokens += tokens
        self.billed_by_request[request] += 1

    def as_dict(self) -> dict[str, Any]:
        """For GET /ledger."""
        counts = self.billed_by_request
        return {
            "admitted": self.admitted,
            "billed": self.billed,
            "billed_tokens": self.billed_tokens,
            "billed_distinct": len(counts),
            "billed_more_than_once": sum(1 for n in counts.values() if n > 1),
            "billed_at_most_per_request": max(counts.values(), default=0),
            "refused": self.refused,
            "errors": self.errors,
            "resets": self.resets,
            "abandoned": self.abandoned,
            "in_flight": self.in_flight,
            "most_in_flight": self.most_in_flight,
            "first_admission": self.first_admission,
            "last_admission": self.last_admission,
            # The server's own, to show that it had time to spare.
            "server_cpu": time.process_time() - self.cpu_before,
        }
