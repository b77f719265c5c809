"""When a failed request is sent again, and after how long.

The SDK retries every 429, even the one that says that the quota is spent, and each request on its
own. So its retries are off, and these take their place, with the same delays and the same respect
for the server's wishes. Does not belong here: the pace of all requests together (pacing).
"""

import random
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

MAX_RETRIES = 5
# A 429 costs nothing and says only that others were faster; it is retried for longer.
MAX_RATE_RETRIES = 30
FIRST_SECONDS = 0.5  # these three as in the SDK's _constants
LONGEST_SECONDS = 8.0
LONGEST_ASKED_SECONDS = 120.0
JITTER = 0.25
TOO_MANY_REQUESTS = 429
NOT_FOUND = 404
NO_CREDIT = 402  # as some compatible servers have it; OpenAI answers 429 with a code
# No credit, wrong key, no access, no such model.
FATAL_STATUS = frozenset({401, NO_CREDIT, 403, NOT_FOUND})
FATAL_CODES = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
_PASSING_STATUS = frozenset({408, 409, TOO_MANY_REQUESTS})
_SERVER_ERROR = 500
# Of a gateway: the server behind it may have finished, and billed, what never came through.
_GATEWAY_STATUS = frozenset({502, 504, 520, 524})
# OpenAI's 429 for a request that no wait can make fit into the limit.
_TOO_LARGE = "Request too large"


@dataclass
class RefusedError(Exception):
    """The server answered with an error status."""

    status: int
    message: str
    code: str | None = None
    param: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """What the server said."""
        return f"HTTP {self.status} {self.code or ''}: {self.message}".replace(" :", ":")

    @property
    def fatal(self) -> bool:
        """Whether no request of this run can succeed."""
        return self.status in FATAL_STATUS or self.code in FATAL_CODES

    @property
    def rate_limited(self) -> bool:
        """Whether it came too soon, and is worth nothing but a wait."""
        return self.status == TOO_MANY_REQUESTS and not self.fatal and not self._too_large

    @property
    def maybe_billed(self) -> bool:
        """Whether it is a gateway's word, behind which the request may have been answered."""
        return self.status in _GATEWAY_STATUS

    @property
    def asks_too_long(self) -> bool:
        """Whether the wait that the server asks for is the next run's affair."""
        return (self.retry_after or 0.0) > LONGEST_ASKED_SECONDS

    @property
    def server_fault(self) -> bool:
        """Whether the server, and not the request, is the cause."""
        return self.status >= _SERVER_ERROR

    @property
    def passes(self) -> bool:
        """Whether the same request may succeed later."""
        if self.fatal or self._too_large:
            return False
        wish = self.headers.get("x-should-retry")
        if wish in {"true", "false"}:
            return wish == "true"
        if self.asks_too_long:
            return False
        return self.status in _PASSING_STATUS or self.server_fault

    @property
    def retry_after(self) -> float | None:
        """Seconds the server asks for: `retry-after-ms`, or `retry-after` as seconds or a date."""
        for name, unit in (("retry-after-ms", 1e-3), ("retry-after", 1.0)):
            with suppress(KeyError, ValueError):
                return max(0.0, float(self.headers[name]) * unit)
        with suppress(KeyError, ValueError, TypeError, OverflowError):
            date = parsedate_to_datetime(self.headers["retry-after"])
            return max(0.0, date.timestamp() - time.time())
        return None

    @property
    def _too_large(self) -> bool:
        return self.status == TOO_MANY_REQUESTS and self.message.startswith(_TOO_LARGE)


class LostError(Exception):
    """The request was sent and no whole reply came back: it may have been billed."""


class UnreachedError(Exception):
    """The request never reached the server."""


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
