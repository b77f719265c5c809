"""The circuit breaker: holds requests back while a server keeps failing, and tests the server.

Belongs here: when a failing server gets no more requests, when one request tests it, and when the
round gives up. Does not: when one failed request is sent again (retries), or the pace of requests
to a server that works (pacing).
"""

import time
from collections.abc import Callable

from bioinstruct_dagster.teacher.flow.retries import with_jitter


class CircuitBreaker:
    """Holds requests back after many failures in a row, and tests the server with one request.

    Args:
        threshold: failures in a row, without a reply in between, that open the breaker.
        trials: single requests that may fail before the breaker gives up.
        first_pause: seconds before the first trial. Each pause is twice as long as the last.
        longest_pause: the most seconds of a pause.
        clock: returns seconds, monotonic.
    """

    def __init__(
        self,
        *,
        threshold: int = 20,
        trials: int = 5,
        first_pause: float = 2.0,
        longest_pause: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._threshold = threshold
        self._trials = trials
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._failures = 0
        self._trials_made = 0
        self._until = 0.0
        self._trial_running = False

    @property
    def open(self) -> bool:
        """Whether requests are held back."""
        return self._failures >= self._threshold

    @property
    def given_up(self) -> bool:
        """Whether the server failed in every trial, so that the round must end."""
        return self._trials_made > self._trials

    def wait(self) -> float | None:
        """Seconds until a request may leave; None while a trial is running."""
        if not self.open:
            return 0.0
        if self._trial_running:
            return None
        return max(0.0, self._until - self._clock())

    def sent(self) -> bool:
        """Count a request that leaves; whether it is a trial."""
        self._trial_running = self.open
        return self._trial_running

    def succeeded(self) -> None:
        """Count an answer, which may be a refusal: the server works."""
        self._failures = self._trials_made = 0
        self._trial_running = False

    def failed(self, *, is_trial: bool = False) -> None:
        """Count a failure of the server: 5xx, no connection, or no reply in time.

        Args:
            is_trial: whether the request was a trial. Other requests may have left long before.
        """
        self._failures += 1
        if not self.open:
            return
        if is_trial or self._failures == self._threshold:
            self._trial_running = False
            pause = min(self._longest_pause, self._first_pause * 2**self._trials_made)
            self._until = self._clock() + with_jitter(pause)
            self._trials_made += 1
