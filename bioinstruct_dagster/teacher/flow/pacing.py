"""The pace: as fast as the server's limits allow, and not faster.

Requests leave evenly at the limit's own rate, since servers apply a limit per minute over shorter
spans too; `remaining` says when others use the same limit; a 429 or a failing server shrinks the
number in flight. Belongs here: when the next request may leave. Does not: which it is, or whether
it may be paid for.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bioinstruct_dagster.teacher.flow.retries import jittered

# Servers allow about a second's worth at once; half of it is used, and the rate lies below the
# limit by as much, so that no minute, wherever it begins, holds more than the limit.
BURST_SECONDS = 0.5
SAFETY = 0.99
FIRST_WINDOW = 16  # requests in flight until the first reply says what the limits are
SCARCE = 0.1  # of a limit remaining; below it others are using the limit too, and the rate yields
LEAST_RATE = 0.02  # of the limit: a server that reports nothing remaining is still asked
MINUTE = 60.0
_LONGEST_RESET = 31 * 86400.0  # seconds; no limit takes longer, so a longer reset is none
_LONG_WINDOW = 90.0  # seconds; a limit with a longer reset is per day, not per minute
_SOON = 1e-4  # seconds
_MEASURABLE = 0.05  # seconds; a shorter reset is rounding, no rate can be read off it

CUT = 0.7  # multiplicative decrease of the number in flight
# Where the limits are known the even pace is the remedy for a 429; the cut is the second guard.
CUT_WHEN_PACED = 0.9
# Of the rate, where requests are refused although they are paced: others use the limit too, and
# a server that refuses by the second need not say so in `remaining`.
EASE = 0.95
LEAST_EASE = 0.05
EASE_RECOVERY = 0.02  # of the rate, regained each second
RECOVERY = 0.05  # additive increase, of the most in flight, for each round of replies
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s)?(?:([\d.]+)ms)?")


@dataclass
class PacedLimit:
    """One limit as a bucket that refills evenly: requests, or tokens.

    `saved` may be negative: a debt that refilling pays off before the next request leaves.
    """

    per_minute: float | None = None
    stated: bool = False  # by the user; the server's word does not raise it
    saved: float = 0.0
    scale: float = 1.0  # below 1 where others use the limit too
    scaled_until: float = 0.0  # when the limit is whole again, if nobody uses it
    ease: float = 1.0  # below 1 after refusals
    updated: float = 0.0
    window: float = MINUTE

    @property
    def rate(self) -> float:
        """Units per second at which the bucket refills."""
        if self.per_minute is None:
            return float("inf")
        return self.per_minute / self.window * SAFETY * self.scale * self.ease

    @property
    def most_saved(self) -> float:
        """A limit per minute saves up little; a limit per day may be used when it suits."""
        if self.per_minute is None:
            return 0.0
        if self.window > _LONG_WINDOW:
            return self.per_minute
        return self.per_minute / self.window * BURST_SECONDS

    def wait(self, now: float) -> float:
        """Seconds until the next request may leave."""
        if self.per_minute is None:
            return 0.0
        if self.scale < 1 and now > self.scaled_until:
            self._refill(max(self.updated, self.scaled_until))
            self.scale = 1.0
        self._refill(now)
        if self.saved > 0:
            return 0.0
        seconds = max(-self.saved / self.rate, _SOON)
        # What a reply said of others' use is not true for ever: without a newer word it lapses.
        return seconds if self.scale == 1 else min(seconds, self.scaled_until - now + _SOON)

    def _refill(self, now: float) -> None:
        seconds = now - self.updated
        self.saved = min(self.most_saved, self.saved + seconds * self.rate)
        self.ease = min(1.0, self.ease + seconds * EASE_RECOVERY)
        self.updated = now

    def take(self, cost: float) -> None:
        """A request of this cost leaves."""
        if self.per_minute is not None:
            self.saved -= cost

    def learn(
        self,
        limit: float | None,
        remaining: float | None,
        reset: float | None,
        *,
        under_way: float,
        now: float,
    ) -> None:
        """What a reply's headers say of the limit; `under_way` is what they may not know of."""
        if limit is None or limit < 1:
            return
        window = _window(limit, remaining, reset)
        if self.stated and window > _LONG_WINDOW:
            return  # the server's is a limit per day; the user's, per minute, is kept as it is
        if self.per_minute is None:
            self.per_minute, self.updated = limit, now
            self.saved = self.most_saved
        elif not self.stated or limit < self.per_minute:
            self.per_minute = limit
        if remaining is None:
            return
        if reset and reset > _MEASURABLE and remaining < limit:
            self.window = window  # of other replies nothing can be read
        if self.window > _LONG_WINDOW:
            # The server's word and no more: it may be renewed at midnight, or used by others.
            self.scale, self.saved, self.updated = 1.0, remaining - under_way, now
            return
        if remaining < 1:
            self.saved = min(self.saved, remaining - 1)
        self.scale = min(1.0, max(LEAST_RATE, remaining / limit / SCARCE))
        self.scaled_until = now + (MINUTE if reset is None else min(reset, MINUTE))


def _window(limit: float, remaining: float | None, reset: float | None) -> float:
    """Seconds in which a limit refills: a minute, or much longer where its reset says so."""
    if remaining is None or remaining >= limit or not reset or reset <= _LONG_WINDOW:
        return MINUTE
    # The quotient first: a server's limit may be so large that its product is infinite.
    return max(reset, reset * (limit / (limit - remaining)))


class Pacer:
    """Decides when the next request leaves.

    Args:
        concurrency: most requests in flight.
        requests_per_minute: the user's own limit; the server's headers set it where it is None.
        tokens_per_minute: the same for tokens.
        seen: what the server's headers said of both limits earlier.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        concurrency: int,
        *,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        seen: tuple[float | None, float | None] = (None, None),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        now = clock()
        self._clock = clock
        self._most = concurrency
        self._window = float(min(concurrency, FIRST_WINDOW))
        self._learned = False
        self._last_cut = float("-inf")
        self._latency = 1.0
        self._held_until = 0.0
        self.in_flight = 0
        self._tokens_in_flight = 0.0
        self.rate_limited = 0
        self.requests = PacedLimit(requests_per_minute, stated=requests_per_minute is not None)
        self.tokens = PacedLimit(tokens_per_minute, stated=tokens_per_minute is not None)
        for limit, earlier in zip((self.requests, self.tokens), seen, strict=True):
            if limit.per_minute is None and earlier:
                limit.per_minute = earlier
                self._window = float(concurrency)  # no need to feel the way
            limit.updated = now
            limit.saved = limit.most_saved

    @property
    def window(self) -> int:
        """Requests that may be in flight now."""
        return max(1, int(self._window))

    @property
    def limited(self) -> bool:
        """Whether any limit is known."""
        return self.requests.per_minute is not None or self.tokens.per_minute is not None

    def wait(self) -> float | None:
        """Seconds until the next request may leave; None while a reply must come first."""
        if self.in_flight >= self.window:
            return None
        now = self._clock()
        return max(self.requests.wait(now), self.tokens.wait(now), self._held_until - now, 0.0)

    def sent(self, tokens: float) -> None:
        """A request leaves that is expected to take so many tokens."""
        self.in_flight += 1
        self._tokens_in_flight += tokens
        self.requests.take(1.0)
        self.tokens.take(tokens)

    def replied(self, expected: float, actual: float | None, seconds: float) -> None:
        """A reply came, after so many seconds.

        What it took beyond or below what was expected is a debt or a credit.
        """
        self.in_flight -= 1
        self._tokens_in_flight -= expected
        if actual is not None:
            self.tokens.take(actual - expected)
        self._latency += 0.1 * (seconds - self._latency)
        if not self._learned:
            self._learned = True
            self._window = float(self._most)
        step = max(1.0, RECOVERY * self._most) / self._window
        self._window = min(float(self._most), self._window + step)

    def refused(
        self, expected: float, *, overloaded: bool, limited: bool, retry_after: float | None = None
    ) -> None:
        """A request came back without a reply.

        Args:
            expected: tokens that it was sent with; a refused request takes none.
            overloaded: the server is the cause (429, 5xx, no connection): fewer in flight.
            limited: by a rate limit (429).
            retry_after: seconds that the server asks for; nothing leaves before.
        """
        self.in_flight -= 1
        self._tokens_in_flight -= expected
        self.tokens.take(-expected)
        self.rate_limited += limited
        if not overloaded:
            return
        now = self._clock()
        paced = limited and self.limited
        if not paced:
            self._learned = True  # the window has its size: the first reply does not open it wide
        # One cut for a burst of refusals: they answer requests that left before the first of them.
        if now - self._last_cut > self._latency:
            cut = CUT_WHEN_PACED if paced else CUT
            self._window = max(1.0, min(self._window, self.in_flight + 1.0) * cut)
            self._last_cut = now
            for limit in (self.requests, self.tokens):
                limit.ease = max(LEAST_EASE, limit.ease * EASE) if paced else limit.ease
        if retry_after:
            self._held_until = max(self._held_until, now + jittered(retry_after))

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take the `x-ratelimit-*` headers of a reply, or of a refusal, into account."""
        now = self._clock()
        for limit, kind, under_way in (
            (self.requests, "requests", float(self.in_flight)),
            (self.tokens, "tokens", self._tokens_in_flight),
        ):
            stated = headers.get(f"x-ratelimit-limit-{kind}")
            if stated is not None:
                limit.learn(
                    _number(stated),
                    _number(headers.get(f"x-ratelimit-remaining-{kind}")),
                    duration(headers.get(f"x-ratelimit-reset-{kind}")),
                    under_way=under_way,
                    now=now,
                )


def limits_of(headers: Mapping[str, str]) -> tuple[float | None, float | None]:
    """Requests and tokens per minute, as one reply's headers state them."""
    pacer = Pacer(1)
    pacer.learn(headers)
    return pacer.requests.per_minute, pacer.tokens.per_minute


def duration(text: str | None) -> float | None:
    """Seconds of a header such as `6m0s`, `8.64s` or `12ms`; None where it is none."""
    match = _DURATION.fullmatch(text.strip()) if text else None
    if not match or not match.group(0):
        return None
    try:
        days, hours, minutes, seconds, milliseconds = (float(part or 0) for part in match.groups())
    except ValueError:  # two points in a number
        return None
    total = days * 86400 + hours * 3600 + minutes * 60 + seconds + milliseconds / 1e3
    return total if total <= _LONGEST_RESET else None


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return number if number is None or 0 <= number < float("inf") else None
