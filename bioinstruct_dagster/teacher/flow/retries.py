"""When a failed request is sent again, and after how long.

The SDK retries every 429, also one that says that the quota is spent, and it retries each request
on its own. So its retries are off, and these replace them: with the same delays, and with the waits
that the server asks for. Does not belong here: the pace of all requests together (pacing).
"""

import random

from bioinstruct_dagster.teacher.errors import RefusedError

MAX_RETRIES = 5
# A 429 costs nothing and says only that others were faster; it is retried for longer.
MAX_RATE_RETRIES = 30
FIRST_SECONDS = 0.5  # these three as in the SDK's _constants
LONGEST_SECONDS = 8.0
JITTER = 0.25


class Attempts:
    """How often a request was tried, and whether it is tried again."""

    def __init__(self) -> None:
        self.failures = 0
        self.rate_limits = 0

    def delay_after(self, error: Exception) -> float | None:
        """Seconds until the next try, or None where there is none."""
        if isinstance(error, RefusedError):
            if not error.passes:
                return None
            if error.rate_limited:
                self.rate_limits += 1
                if self.rate_limits > MAX_RATE_RETRIES:
                    return None
                return jittered(error.retry_after or backoff(self.rate_limits - 1))
        self.failures += 1
        if self.failures > MAX_RETRIES:
            return None
        asked = error.retry_after if isinstance(error, RefusedError) else None
        return asked or backoff(self.failures - 1)


def backoff(attempt: int) -> float:
    """Seconds before the retry of this number, from 0."""
    delay = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0**attempt)
    return float(delay * (1 - JITTER * random.random()))  # noqa: S311


def jittered(seconds: float) -> float:
    """The same or up to a quarter longer, so that those who wait don't return together."""
    return seconds * (1 + JITTER * random.random())  # noqa: S311
