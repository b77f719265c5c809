"""The circuit breaker: when a server that keeps failing is left alone, tried again and given up.

Does not belong here: when one failed request is sent again (retries), or the pace of requests to a
server that answers (pacing).
"""

import time
from collections.abc import Callable

from bioinstruct_dagster.teacher.flow.retries import jittered


class CircuitBreaker:
    """Stops the flow when the server fails again and again, and tries it with one request.

    Args:
        threshold: failures in a row, without a reply in between, that open it.
        tries: single requests that may fail before it gives up.
        first_pause: seconds before the first of them; each pause is twice the one before.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        *,
        threshold: int = 20,
        tries: int = 5,
        first_pause: float = 2.0,
        longest_pause: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._threshold = threshold
        self._tries = tries
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._failures = 0
        self._tried = 0
        self._until = 0.0
        self._probing = False

    @property
    def open(self) -> bool:
        """Whether requests are held back."""
        return self._failures >= self._threshold

    @property
    def given_up(self) -> bool:
        """Whether the server has failed for too long to go on."""
        return self._tried > self._tries

    def wait(self) -> float | None:
        """Seconds until a request may leave; None while the server is tried with one request."""
        if not self.open:
            return 0.0
        if self._probing:
            return None
        return max(0.0, self._until - self._clock())

    def sent(self) -> bool:
        """A request leaves; whether it is the request with which the server is tried."""
        self._probing = self.open
        return self._probing

    def succeeded(self) -> None:
        """The server answered, be it with a refusal: it works."""
        self._failures = self._tried = 0
        self._probing = False

    def failed(self, *, trying: bool = False) -> None:
        """The server failed: 5xx, no connection, no reply in time.

        Args:
            trying: whether the server was tried with this request. Other requests that fail may
                have left long before.
        """
        self._failures += 1
        if not self.open:
            return
        if trying or self._failures == self._threshold:
            self._probing = False
            pause = min(self._longest_pause, self._first_pause * 2**self._tried)
            self._until = self._clock() + jittered(pause)
            self._tried += 1
