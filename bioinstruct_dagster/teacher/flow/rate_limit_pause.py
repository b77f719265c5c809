"""The pause of a round while a server refuses every request by its rate limit.

One 429 makes its own request wait, and the pace slows down (pacing). If requests that left later
meet a 429 too, and no reply came in between, waiting longer is the only thing that helps. So the
whole round pauses, twice as long each time, and then tests the limit with one request. Belongs
here: how long all requests are held back. Does not: how often one request is sent again (retries).
"""

import time
from collections.abc import Callable

from bioinstruct_dagster.teacher.flow import retries

LONGEST_PAUSE_SECONDS = 60.0
_FIRST_PAUSED = 2  # rounds of 429 without a reply
# A server that names the wait is believed for longer.
_FIRST_PAUSED_IF_ASKED = 10


class RateLimitPause:
    """Holds all requests back while each one meets a rate limit.

    Args:
        clock: returns seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._in_a_row = 0
        self._since = 0.0
        self._until = 0.0
        self._trial_sent: float | None = None

    @property
    def open(self) -> bool:
        """Whether single requests test the limit."""
        return self._in_a_row >= _FIRST_PAUSED

    def wait(self) -> float | None:
        """Seconds until a request may leave; None while one tests the limit."""
        if not self.open:
            return 0.0
        if self._trial_sent is not None:
            return None
        return max(0.0, self._until - self._clock())

    def sent(self, sent_at: float) -> None:
        """Count a request that leaves."""
        if self.open:
            self._trial_sent = sent_at

    def replied(self) -> None:
        """Count a reply: the limit has room again."""
        self._in_a_row = 0
        self._trial_sent = None

    def failed(self, sent_at: float, *, limited: bool, asked: float | None = None) -> None:
        """Count a request that failed.

        Args:
            sent_at: when it left.
            limited: whether it met a rate limit.
            asked: the wait in seconds that the server asks for.
        """
        if self._trial_sent is not None and sent_at >= self._trial_sent:
            self._trial_sent = None
        if not limited or sent_at < self._since:
            return  # requests that left together count once
        self._since = self._clock()
        self._in_a_row += 1
        doublings = self._in_a_row - (_FIRST_PAUSED if asked is None else _FIRST_PAUSED_IF_ASKED)
        if doublings >= 0:
            pause = min(LONGEST_PAUSE_SECONDS, retries.FIRST_SECONDS * 2.0**doublings)
            self._until = self._since + retries.with_jitter(max(pause, asked or 0.0))
