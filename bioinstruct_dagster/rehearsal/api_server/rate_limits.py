"""Rate limits like OpenAI's: burst buckets refuse requests, and minute buckets fill the headers.

Belongs here: the buckets, the headers and the text of a refusal. Does not: counting a request's
tokens (openai_format).
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from bioinstruct_dagster.rehearsal.api_server.openai_format import MODEL, error_body
from bioinstruct_dagster.rehearsal.api_server.options import MINUTE, ServerOptions

_UNITS = {"requests": "requests per min (RPM)", "tokens": "tokens per min (TPM)"}

# A client that waits exactly as long as the hint says must not be refused by a rounding error.
_ROUNDING_SECONDS = 1e-6


class Bucket:
    """A bucket that refills steadily up to its capacity. Its level may fall below zero (a debt)."""

    __slots__ = ("_at", "_level", "capacity", "rate")

    def __init__(self, capacity: float, rate: float, now: float) -> None:
        self.capacity = capacity
        self.rate = rate
        self._level = capacity
        self._at = now

    def level(self, now: float) -> float:
        """The level now."""
        self._level = min(self.capacity, self._level + (now - self._at) * self.rate)
        self._at = now
        return self._level

    def wait(self, amount: float, now: float) -> float:
        """Seconds until the bucket holds the amount, or is full if the amount exceeds it."""
        return max(0.0, (min(amount, self.capacity) - self.level(now)) / self.rate)

    def take(self, amount: float, now: float) -> None:
        """Take the amount. If that leaves a debt, later requests wait for it too."""
        self._level = self.level(now) - amount


@dataclass(frozen=True)
class RateLimitRefusal:
    """Body and headers of the 429 reply to a request that exceeds a limit."""

    body: bytes
    headers: dict[str, str]


class TokenBucketLimit:
    """One limit, of requests or of tokens."""

    def __init__(self, kind: str, per_minute: float, burst_seconds: float, now: float) -> None:
        rate = per_minute / MINUTE
        self.kind = kind
        self.per_minute = per_minute
        self.burst = Bucket(burst_seconds * rate, rate, now)
        self.minute = Bucket(per_minute, rate, now)

    def take(self, amount: float, now: float) -> None:
        """Debit an admitted request."""
        self.burst.take(amount, now)
        self.minute.take(amount, now)

    def headers(self, now: float) -> dict[str, str]:
        """OpenAI's three headers: the limit, the rest of it, and the time until it is full."""
        level = self.minute.level(now)
        return {
            f"x-ratelimit-limit-{self.kind}": f"{self.per_minute:.0f}",
            f"x-ratelimit-remaining-{self.kind}": str(max(0, math.floor(level + 1e-9))),
            f"x-ratelimit-reset-{self.kind}": format_duration(
                (self.per_minute - level) / self.burst.rate
            ),
        }

    def refusal(self, amount: float, now: float) -> RateLimitRefusal | None:
        """The refusal of this amount; None if it may be taken now."""
        if amount > self.per_minute:
            return RateLimitRefusal(_too_large_body(self, amount), {})
        wait = self.burst.wait(amount, now)
        if wait < _ROUNDING_SECONDS:
            return None
        milliseconds = max(1, math.ceil((wait - _ROUNDING_SECONDS) * 1000))
        used = min(self.per_minute, self.per_minute - self.minute.level(now))
        message = (
            f"Rate limit reached for {MODEL} in organization org-rehearsal on {_UNITS[self.kind]}: "
            f"Limit {self.per_minute:.0f}, Used {used:.0f}, Requested {amount:.0f}. "
            f"Please try again in {format_duration(wait)}. "
            "Visit https://platform.openai.com/account/rate-limits to learn more."
        )
        return RateLimitRefusal(
            error_body(message, self.kind, "rate_limit_exceeded"), retry_headers(milliseconds)
        )


class RateLimits:
    """The limits of a server. Without a limit, it admits every request and sends no header."""

    def __init__(self, options: ServerOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        now = clock()
        self._limits = [
            TokenBucketLimit(kind, per_minute, options.burst_seconds, now)
            for kind, per_minute in (("requests", options.rpm), ("tokens", options.tpm))
            if per_minute is not None
        ]

    def refusal(self, tokens: int) -> RateLimitRefusal | None:
        """The refusal of a request with this many tokens; None if it can be admitted now."""
        now = self._clock()
        for limit in self._limits:
            refusal = limit.refusal(_cost(limit, tokens), now)
            if refusal:
                return refusal
        return None

    def admit(self, tokens: int) -> None:
        """Debit a request with this many tokens."""
        now = self._clock()
        for limit in self._limits:
            limit.take(_cost(limit, tokens), now)

    def headers(self) -> dict[str, str]:
        """The headers of a reply sent now."""
        now = self._clock()
        headers: dict[str, str] = {}
        for limit in self._limits:
            headers |= limit.headers(now)
        return headers


def retry_headers(milliseconds: int) -> dict[str, str]:
    """The headers that say when to try again."""
    return {
        "retry-after-ms": str(milliseconds),
        "retry-after": str(math.ceil(milliseconds / 1000)),
    }


def format_duration(seconds: float) -> str:
    """A time in OpenAI's form, rounded up to the millisecond, such as 12ms, 8.64s or 6m0s."""
    milliseconds = max(0, math.ceil(seconds * 1000 - 1e-6))
    if 0 < milliseconds < 1000:  # noqa: PLR2004
        return f"{milliseconds}ms"
    minutes, rest = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    parts = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{parts}{rest / 1000:g}s"


def _cost(limit: TokenBucketLimit, tokens: int) -> int:
    return 1 if limit.kind == "requests" else tokens


def _too_large_body(limit: TokenBucketLimit, amount: float) -> bytes:
    message = (
        f"Request too large for {MODEL} in organization org-rehearsal on {_UNITS[limit.kind]}: "
        f"Limit {limit.per_minute:.0f}, Requested {amount:.0f}. The input or output tokens must be "
        "reduced in order to run successfully. "
        "Visit https://platform.openai.com/account/rate-limits to learn more."
    )
    return error_body(message, limit.kind, "rate_limit_exceeded")
