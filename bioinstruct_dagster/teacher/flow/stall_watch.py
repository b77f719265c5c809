"""The stall watch: notices that a round waits, says so, and ends a round without any progress.

Progress is a reply, or a request that the server refused. A rate limit or a failure of the server
is no progress. Belongs here: the times of the reports and of the end. Does not: what the round
waits for (sending), or the text of the error (teacher.errors).
"""

import time
from collections.abc import Callable

REPORT_SECONDS = 30.0


class StallWatch:
    """Measures the time without progress.

    Args:
        seconds: without progress, after which the round ends.
        report_seconds: between two reports; `REPORT_SECONDS` if it is None.
        clock: returns seconds, monotonic.
    """

    def __init__(
        self,
        seconds: float = 600.0,
        *,
        report_seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds = seconds
        self._report_seconds = REPORT_SECONDS if report_seconds is None else report_seconds
        self._clock = clock
        self._progressed = self._since = self._reported = clock()

    @property
    def idle_seconds(self) -> float:
        """Seconds since the last progress."""
        return self._clock() - self._progressed

    @property
    def ended(self) -> bool:
        """Whether the round must end."""
        return self._clock() - self._since >= self.seconds

    @property
    def seconds_left(self) -> float:
        """Seconds until the round ends, if there is no progress."""
        return max(0.0, self._since + self.seconds - self._clock())

    def progressed(self) -> None:
        """Note progress."""
        self._progressed = self._since = self._reported = self._clock()

    def hold(self) -> None:
        """Note that the round waits on purpose, as for a limit that the user set."""
        self._since = self._clock()

    def is_report_due(self) -> bool:
        """Whether to say now what the round waits for."""
        if self._clock() - self._reported < self._report_seconds:
            return False
        self._reported = self._clock()
        return True

    def seconds_until_due(self) -> float:
        """Seconds until the next report or the end."""
        report = self._reported + self._report_seconds - self._clock()
        return max(0.0, min(report, self.seconds_left))
