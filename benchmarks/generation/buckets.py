"""Rate limits as a hosted endpoint applies them: which requests it refuses, and its headers.

The endpoint also applies a limit per minute to each second, so a client can't use a minute's limit
at once. But the headers name only the limit per minute. So a client that follows the headers alone
is refused. Belongs here: the arithmetic. Does not: HTTP (server).
"""

from dataclasses import dataclass, field

MINUTE = 60.0
BURST_SECONDS = 1.0


@dataclass
class Bucket:
    """A token bucket that refills continuously."""

    capacity: float
    per_second: float
    _level: float = field(init=False)
    _at: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._level = self.capacity

    def level(self, now: float) -> float:
        """What is in the bucket."""
        if now > self._at:
            self._level = min(self.capacity, self._level + (now - self._at) * self.per_second)
            self._at = now
        return self._level

    def take(self, amount: float) -> None:
        """Debit what `level` has shown to be there."""
        self._level -= amount

    def seconds_until(self, amount: float) -> float:
        """How long until the bucket, as last looked at, holds this much."""
        return max(0.0, (amount - self._level) / self.per_second)


class Limit:
    """One limit, of requests or tokens. The second's bucket decides; headers show the minute's."""

    def __init__(self, kind: str, per_minute: int) -> None:
        self.kind = kind
        self.per_minute = per_minute
        rate = per_minute / MINUTE
        self._burst = Bucket(rate * BURST_SECONDS, rate)
        self._minute = Bucket(per_minute, rate)

    def wait(self, amount: float, now: float) -> float:
        """Seconds until `amount` would be admitted: 0 where it would be now."""
        self._minute.level(now)
        if self._burst.level(now) >= amount:
            return 0.0
        return self._burst.seconds_until(amount)

    def take(self, amount: float) -> None:
        """Admit."""
        self._burst.take(amount)
        self._minute.take(amount)

    def headers(self) -> str:
        """The three headers, as OpenAI writes them."""
        remaining = max(0, int(self._minute.level(0.0)))
        reset = duration(self._minute.seconds_until(self.per_minute))
        return (
            f"x-ratelimit-limit-{self.kind}: {self.per_minute}\r\n"
            f"x-ratelimit-remaining-{self.kind}: {remaining}\r\n"
            f"x-ratelimit-reset-{self.kind}: {reset}\r\n"
        )


def duration(seconds: float) -> str:
    """OpenAI's way to write a time: `12ms`, `8.64s`, `6m0s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < MINUTE:
        return f"{seconds:.3g}s"
    return f"{int(seconds // MINUTE)}m{int(seconds % MINUTE)}s"
