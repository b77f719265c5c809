"""The pace: requests leave as fast as the server's limits allow, and no faster.

Requests leave at an even rate, because servers apply a limit per minute over shorter times too. The
header `remaining` shows whether others use the same limit. A 429 or a failing server reduces the
number of requests in flight. Belongs here: when the next request may leave. Does not: which request
is next (flow.sending), or whether a cap leaves room for it (money.budget).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bioinstruct_dagster.teacher.flow.retries import with_jitter
from bioinstruct_dagster.teacher.wait_headers import reset_of

# Servers allow the requests of about one second at once. Half of them are used, and the rate lies
# below the limit by as much, so that no minute holds more than the limit, wherever it begins.
BURST_SECONDS = 0.5
SAFETY_FACTOR = 0.99
FIRST_WINDOW = 16  # requests in flight until the first reply states the limits
# If less than this share of a limit remains, others use the limit too, and the rate falls.
SCARCE_SHARE = 0.1
LEAST_SHARING_FACTOR = 0.02  # the rate does not stop if a server reports nothing remaining
MINUTE_SECONDS = 60.0
_LONG_WINDOW_SECONDS = 90.0  # a limit with a longer reset is per day, not per minute
_SHORTEST_WAIT_SECONDS = 1e-4
_HOURS_FROM = 7_200  # seconds from which a message counts in hours
_SHORTEST_RESET_SECONDS = 0.05  # a shorter reset is a rounding error and gives no rate

WINDOW_CUT = 0.7  # multiplicative decrease of the number in flight
# If the limits are known, the even pace prevents a 429, and a small cut is enough.
PACED_WINDOW_CUT = 0.9
# Cuts the rate if paced requests are refused. Others use the limit too, and a server that counts
# requests by the second does not always show it in `remaining`.
REFUSAL_CUT = 0.95
LEAST_REFUSAL_FACTOR = 0.05
REFUSAL_RECOVERY = 0.02  # share of the rate that is regained each second
WINDOW_RECOVERY = 0.05  # additive increase for each round of replies, as a share of the concurrency


@dataclass
class PacedLimit:
    """One limit, of requests or of tokens, as a bucket that refills at an even rate.

    Attributes:
        per_minute: the limit; None if it is not known.
        set_by_user: whether the user set the limit. The server's headers never raise it then.
        level: requests or tokens that may leave at once. A negative level is a debt, which must
            refill before the next request leaves.
        sharing_factor: of the rate; below 1 while others use the limit too.
        shared_until: the time at which the limit is full again if others stop using it.
        refusal_factor: of the rate; below 1 after refusals.
        updated: the time of `level`.
        window: seconds in which the limit refills.
    """

    per_minute: float | None = None
    set_by_user: bool = False
    level: float = 0.0
    sharing_factor: float = 1.0
    shared_until: float = 0.0
    refusal_factor: float = 1.0
    updated: float = 0.0
    window: float = MINUTE_SECONDS

    @property
    def rate(self) -> float:
        """Units per second at which the bucket refills."""
        if self.per_minute is None:
            return float("inf")
        return (
            self.per_minute
            / self.window
            * SAFETY_FACTOR
            * self.sharing_factor
            * self.refusal_factor
        )

    @property
    def max_level(self) -> float:
        """The most that may leave at once: little of a limit per minute, all of a daily limit."""
        if self.per_minute is None:
            return 0.0
        if self.window > _LONG_WINDOW_SECONDS:
            return self.per_minute
        return self.per_minute / self.window * BURST_SECONDS

    def wait(self, now: float) -> float:
        """Seconds until the next request may leave."""
        if self.per_minute is None:
            return 0.0
        if self.sharing_factor < 1 and now > self.shared_until:
            self._refill(max(self.updated, self.shared_until))
            self.sharing_factor = 1.0
        self._refill(now)
        if self.level > 0:
            return 0.0
        seconds = max(-self.level / self.rate, _SHORTEST_WAIT_SECONDS)
        # A reply's statement about others expires, so that the rate recovers without a new reply.
        if self.sharing_factor == 1:
            return seconds
        return min(seconds, self.shared_until - now + _SHORTEST_WAIT_SECONDS)

    def _refill(self, now: float) -> None:
        seconds = now - self.updated
        self.level = min(self.max_level, self.level + seconds * self.rate)
        self.refusal_factor = min(1.0, self.refusal_factor + seconds * REFUSAL_RECOVERY)
        self.updated = now

    def take(self, cost: float) -> None:
        """Take the cost of a request that leaves from the level."""
        if self.per_minute is not None:
            self.level -= cost

    def learn(
        self,
        limit: float | None,
        remaining: float | None,
        reset: float | None,
        *,
        in_flight: float,
        now: float,
    ) -> None:
        """Take a reply's headers about the limit into account.

        Args:
            limit: the limit.
            remaining: how much of the limit is left.
            reset: seconds until the limit is full again.
            in_flight: requests or tokens in flight, which `remaining` may not include yet.
            now: the time.
        """
        if limit is None or limit < 1:
            return
        window = _refill_seconds(limit, remaining, reset)
        if self.set_by_user and window > _LONG_WINDOW_SECONDS:
            return  # the server has a daily limit; the user's limit per minute stays as it is
        if self.per_minute is None:
            self.per_minute, self.updated = limit, now
            self.level = self.max_level
        elif not self.set_by_user or limit < self.per_minute:
            self.per_minute = limit
        if remaining is None:
            return
        if reset and reset > _SHORTEST_RESET_SECONDS and remaining < limit:
            self.window = window  # other replies do not show the window
        if self.window > _LONG_WINDOW_SECONDS:
            # Only the server knows: the limit may be renewed at midnight, or used by others.
            self.sharing_factor, self.level, self.updated = 1.0, remaining - in_flight, now
            return
        if remaining < 1:
            self.level = min(self.level, remaining - 1)
        self.sharing_factor = min(1.0, max(LEAST_SHARING_FACTOR, remaining / limit / SCARCE_SHARE))
        self.shared_until = now + (MINUTE_SECONDS if reset is None else min(reset, MINUTE_SECONDS))


def _refill_seconds(limit: float, remaining: float | None, reset: float | None) -> float:
    """Seconds in which a limit refills: a minute, or much longer if its reset is longer."""
    if remaining is None or remaining >= limit or not reset or reset <= _LONG_WINDOW_SECONDS:
        return MINUTE_SECONDS
    # The quotient comes first: a limit may be so large that the product would be infinite.
    return max(reset, reset * (limit / (limit - remaining)))


class Pacer:
    """Decides when the next request leaves.

    Args:
        concurrency: the most requests in flight.
        requests_per_minute: the user's own limit; the server's headers set it if it is None.
        tokens_per_minute: the user's own limit of tokens; see `requests_per_minute`.
        known_limits: requests and tokens per minute that the server stated earlier.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        concurrency: int,
        *,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        known_limits: tuple[float | None, float | None] = (None, None),
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
        self._tokens_of_request = 0.0  # of the latest one
        self.rate_limited = 0
        self.requests = PacedLimit(requests_per_minute, set_by_user=requests_per_minute is not None)
        self.tokens = PacedLimit(tokens_per_minute, set_by_user=tokens_per_minute is not None)
        for limit, earlier in zip((self.requests, self.tokens), known_limits, strict=True):
            if limit.per_minute is None and earlier:
                limit.per_minute = earlier
                self._window = float(concurrency)  # no first reply is needed
            limit.updated = now
            limit.level = limit.max_level

    @property
    def window(self) -> int:
        """Requests that may be in flight now."""
        return max(1, int(self._window))

    @property
    def limited(self) -> bool:
        """Whether any limit is known."""
        return self.requests.per_minute is not None or self.tokens.per_minute is not None

    @property
    def waits_for_user(self) -> bool:
        """Whether a limit that the user set lets the next request leave only later."""
        now = self._clock()
        limits = (self.requests, self.tokens)
        return any(limit.set_by_user and limit.wait(now) > 0 for limit in limits)

    def wait(self) -> float | None:
        """Seconds until the next request may leave; None if a reply must come first."""
        if self.in_flight >= self.window:
            return None
        now = self._clock()
        return max(self.requests.wait(now), self.tokens.wait(now), self._held_until - now, 0.0)

    def reason(self) -> str | None:
        """Which limit holds the next request back, and for how long; None if none does."""
        seconds = self.wait()
        if not seconds:
            return None
        text = f"{seconds:,.0f} s" if seconds < _HOURS_FROM else f"{seconds / 3600:,.1f} h"
        leaves = f"the next request may leave in {text}"
        now = self._clock()
        kind, limit, setting = max(
            ("requests", self.requests, "BIOINSTRUCT_RPM"),
            ("tokens", self.tokens, "BIOINSTRUCT_TPM"),
            key=lambda each: each[1].wait(now),
        )
        if limit.wait(now) <= self._held_until - now:
            return f"the server asks for a wait, and {leaves}"
        span = "per minute" if limit.window <= _LONG_WINDOW_SECONDS else "per day or longer"
        most = f"{limit.per_minute or 0:,.0f} {kind} {span}"
        stated = f"the server states a limit of {most} (header x-ratelimit-limit-{kind})"
        if limit.set_by_user:
            stated = f"the limit is {most} ({setting}, or a lower limit of the server)"
        takes = f"; one request takes about {self._tokens_of_request:,.0f}"
        return f"{stated}{takes if kind == 'tokens' else ''}, and {leaves}"

    def sent(self, tokens: float) -> None:
        """Count a request that leaves and is expected to take so many tokens."""
        self.in_flight += 1
        self._tokens_in_flight += tokens
        self._tokens_of_request = tokens
        self.requests.take(1.0)
        self.tokens.take(tokens)

    def replied(self, expected: float, actual: float | None, seconds: float) -> None:
        """Count a reply that came after so many seconds.

        If it took more or fewer tokens than expected, the difference is a debt or a credit.
        """
        self.in_flight -= 1
        self._tokens_in_flight -= expected
        if actual is not None:
            self.tokens.take(actual - expected)
        self._latency += 0.1 * (seconds - self._latency)
        if not self._learned:
            self._learned = True
            self._window = float(self._most)
        step = max(1.0, WINDOW_RECOVERY * self._most) / self._window
        self._window = min(float(self._most), self._window + step)

    def refused(
        self, expected: float, *, overloaded: bool, limited: bool, retry_after: float | None = None
    ) -> None:
        """Count a request that failed without a reply.

        Args:
            expected: the tokens that it was expected to take; a refused request takes none.
            overloaded: whether the server is the cause (429, 5xx, no connection). Fewer requests
                may be in flight then.
            limited: whether a rate limit is the cause (429).
            retry_after: seconds that the server asks for; no request leaves before.
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
            self._learned = True  # the first reply must not widen the window now
        # One cut for a burst of refusals, whose requests all left before the first refusal came.
        if now - self._last_cut > self._latency:
            cut = PACED_WINDOW_CUT if paced else WINDOW_CUT
            self._window = max(1.0, min(self._window, self.in_flight + 1.0) * cut)
            self._last_cut = now
            for limit in (self.requests, self.tokens):
                if paced:
                    cut_factor = limit.refusal_factor * REFUSAL_CUT
                    limit.refusal_factor = max(LEAST_REFUSAL_FACTOR, cut_factor)
        if retry_after:
            self._held_until = max(self._held_until, now + with_jitter(retry_after))

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take the `x-ratelimit-*` headers of a reply, or of a refusal, into account."""
        now = self._clock()
        for limit, kind, in_flight in (
            (self.requests, "requests", float(self.in_flight)),
            (self.tokens, "tokens", self._tokens_in_flight),
        ):
            stated = headers.get(f"x-ratelimit-limit-{kind}")
            if stated is not None:
                limit.learn(
                    _number(stated),
                    _number(headers.get(f"x-ratelimit-remaining-{kind}")),
                    reset_of(headers, kind),
                    in_flight=in_flight,
                    now=now,
                )


def limits_of(headers: Mapping[str, str]) -> tuple[float | None, float | None]:
    """Requests and tokens per minute that a reply's headers state."""
    pacer = Pacer(1)
    pacer.learn(headers)
    return pacer.requests.per_minute, pacer.tokens.per_minute


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return number if number is None or 0 <= number < float("inf") else None
