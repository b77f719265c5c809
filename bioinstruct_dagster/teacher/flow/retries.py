"""Retries: whether a failed request is sent again, and after how many seconds.

The SDK retries every 429, even if it says that the quota is spent. Its retries are off, and this
module replaces them, with the same delays and with the waits that the server asks for. Belongs
here: the attempts of one request. Does not: the pace of all requests together (pacing).
"""

import random

from bioinstruct_dagster.teacher.errors import StatusError

MAX_RETRIES = 5
# A 429 costs nothing and shows only that other requests were faster, so it is retried more often.
MAX_RATE_LIMIT_RETRIES = 30
FIRST_SECONDS = 0.5  # these three values are those of the SDK
LONGEST_SECONDS = 8.0
JITTER_SHARE = 0.25


class Attempts:
    """Counts the failures of one request, and decides whether it is sent again."""

    def __init__(self) -> None:
        self.failures = 0
        self.rate_limits = 0

    def delay_after(self, error: Exception) -> float | None:
        """Seconds until the next attempt, or None if the request is given up."""
        if isinstance(error, StatusError):
            if not error.is_transient:
                return None
            if error.rate_limited:
                self.rate_limits += 1
                if self.rate_limits > MAX_RATE_LIMIT_RETRIES:
                    return None
                return with_jitter(error.retry_after or backoff(self.rate_limits - 1))
        self.failures += 1
        if self.failures > MAX_RETRIES:
            return None
        asked = error.retry_after if isinstance(error, StatusError) else None
        return asked or backoff(self.failures - 1)


def backoff(attempt: int) -> float:
    """Seconds before a retry; the first retry has the number 0."""
    delay = min(LONGEST_SECONDS, FIRST_SECONDS * 2.0**attempt)
    return float(delay * (1 - JITTER_SHARE * random.random()))  # noqa: S311


def with_jitter(seconds: float) -> float:
    """A time up to a quarter longer, so that waiting requests don't leave together."""
    return seconds * (1 + JITTER_SHARE * random.random())  # noqa: S311
