"""The log of failures: few lines that say how many requests failed so far, and why.

A server can refuse thousands of requests in a minute, so the log takes at most one line in ten
seconds. Belongs here: counting failures, and their text. Does not: what a failure means for its
request (sending), or reading an error (teacher.errors).
"""

import time
from collections import Counter
from collections.abc import Callable

from bioinstruct_dagster.teacher.errors import described, label_of

LINE_SECONDS = 10.0


class FailureLog:
    """Counts failed attempts and failed requests, and writes them to the log now and then.

    Args:
        log: takes lines for the user.
        redacted: hides the key in a text.
        seconds: between two lines.
        clock: returns seconds, monotonic.
    """

    def __init__(
        self,
        log: Callable[[str], None],
        redacted: Callable[[str], str],
        *,
        seconds: float = LINE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.log = log
        self._redacted = redacted
        self._seconds = seconds
        self._clock = clock
        self._attempts: Counter[str] = Counter()
        self._requests: Counter[str] = Counter()
        self._unwritten = 0
        self._written: float | None = None
        self.latest: str | None = None

    def note(self, error: Exception) -> str:
        """Count a failed attempt; return its error in words."""
        self._attempts[label_of(error)] += 1
        self._unwritten += 1
        self.latest = self._redacted(described(error))
        return self.latest

    def note_given_up(self, error: Exception) -> None:
        """Count a request that is not sent again in this round."""
        self._requests[label_of(error)] += 1

    def seconds_until_due(self) -> float | None:
        """Seconds until the next line; None if there is nothing to write."""
        if not self._unwritten:
            return None
        if self._written is None:
            return 0.0
        return max(0.0, self._written + self._seconds - self._clock())

    def write_if_due(self) -> None:
        """Write a line if there is something new, and the last line is old enough."""
        if self.seconds_until_due() == 0.0:
            self._written = self._clock()
            self._unwritten = 0
            self.log(f"Failures so far: {_counted(self._attempts)}. The latest: {self.latest}")

    def summary(self) -> str | None:
        """The failed requests of the round in one sentence; None if there are none."""
        if not self._requests:
            return None
        total = self._requests.total()
        latest = f" The latest error: {self.latest.rstrip('.')}." if self.latest else ""
        return f"{total} requests failed: {_counted(self._requests)}.{latest}"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} × {label}" for label, count in counts.most_common())
