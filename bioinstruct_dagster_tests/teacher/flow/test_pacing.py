"""The pace, against the limits of the rehearsal server: by a clock of the test's own where seconds
would be measured, and over real HTTP.
"""

import heapq
import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bioinstruct_dagster.rehearsal.api_server.app import (
    RehearsalTeacher,
    ServerOptions,
    serve_teacher,
)
from bioinstruct_dagster.rehearsal.api_server.rate_limits import RateLimits
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.teacher.flow.pacing import FIRST_WINDOW, Pacer
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.sessions import session_of


@dataclass
class World:
    """A server with limits, a pacer and a clock that moves when both have nothing to do."""

    options: ServerOptions
    latency: float = 0.5
    tokens: int = 100
    expected: int = 100
    now: float = 1_000.0
    admitted: int = 0
    refused: int = 0
    events: list = field(default_factory=list)
    order: itertools.count = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.limits = RateLimits(self.options, self.clock)

    def clock(self) -> float:
        return self.now

    def pacer(self, concurrency: int, **known) -> Pacer:
        return Pacer(concurrency, clock=self.clock, **known)

    def later(self, seconds: float, event) -> None:
        heapq.heappush(self.events, (self.now + seconds, next(self.order), event))

    def run(self, pacer: Pacer, seconds: float) -> None:
        """As many requests as the pacer lets out in so many seconds."""
        end = self.now + seconds
        while self.now < end:
            wait = pacer.wait()
            if wait == 0:
                self.send(pacer)
                continue
            until = end if wait is None else min(end, self.now + wait)
            if self.events and self.events[0][0] <= until:
                self.now, _, event = heapq.heappop(self.events)
                event()
            else:
                self.now = until

    def send(self, pacer: Pacer) -> None:
        pacer.sent(self.expected)
        refusal = self.limits.refusal(self.tokens)
        if refusal:
            self.refused += 1
            headers = {**refusal.headers, **self.limits.headers()}

            def refused() -> None:
                pacer.learn(headers)
                asked = float(headers["retry-after-ms"]) / 1_000
                pacer.refused(self.expected, overloaded=True, limited=True, retry_after=asked)

            self.later(0.01, refused)
            return
        self.limits.admit(self.tokens)
        self.admitted += 1

        def replied() -> None:
            pacer.learn(self.limits.headers())
            pacer.replied(self.expected, self.tokens, self.latency)

        self.later(self.latency, replied)


def test_a_request_limit_is_used_up_without_refusals():
    world = World(ServerOptions(rpm=6_000), latency=1.0)
    world.run(world.pacer(500), 120)
    assert 0.98 * 12_000 <= world.admitted <= 12_000
    assert world.refused == 0


def test_a_token_limit_is_used_up_despite_wrong_forecasts():
    world = World(ServerOptions(tpm=4_300_000), latency=2.0, tokens=720, expected=900)
    world.run(world.pacer(2_000), 120)
    assert world.admitted * 720 >= 0.95 * 2 * 4_300_000
    assert world.refused < 0.01 * world.admitted


@pytest.mark.parametrize("burst_seconds", [1.0, 5.0, 60.0])
def test_no_minute_holds_more_than_the_limit(burst_seconds):
    world = World(ServerOptions(rpm=1_200, burst_seconds=burst_seconds), latency=0.2)
    pacer = world.pacer(500, requests_per_minute=1_200)
    counts = []
    for _ in range(20):
        before = world.admitted
        world.run(pacer, 15)
        counts.append(world.admitted - before)
    assert max(sum(counts[i : i + 4]) for i in range(17)) <= 1_200
    assert world.refused == 0


def test_only_a_few_requests_leave_before_the_first_reply():
    world = World(ServerOptions(rpm=600), latency=5.0)
    world.run(pacer := world.pacer(500), 4.9)
    assert pacer.in_flight <= FIRST_WINDOW
    known = World(ServerOptions(rpm=60_000), latency=5.0)
    known.run(pacer := known.pacer(500, known_limits=(60_000, None)), 4.9)
    assert pacer.in_flight == 500  # a probe saw the limits: no need to


def test_the_tightest_of_both_limits_sets_the_pace():
    world = World(ServerOptions(rpm=6_000, tpm=60_000), latency=0.5, tokens=100)
    world.run(world.pacer(100), 60)
    assert 0.9 * 600 <= world.admitted <= 1.05 * 600


def test_the_lower_of_user_and_server_limit_counts():
    world = World(ServerOptions(rpm=6_000), latency=0.1)
    world.run(world.pacer(100, requests_per_minute=600), 60)
    assert 0.95 * 600 <= world.admitted <= 615
    world = World(ServerOptions(rpm=600), latency=0.1)
    world.run(world.pacer(100, requests_per_minute=6_000), 60)
    assert 0.95 * 600 <= world.admitted <= 615
    assert world.refused < 40  # those that left before the first reply said what the limit is


def test_the_pace_yields_to_others_who_use_the_limit():
    world = World(ServerOptions(rpm=6_000, burst_seconds=1.0), latency=0.3)
    pacer = world.pacer(500)
    refused = []
    for _ in range(120):  # half of the limit goes to somebody else
        for _ in range(50):
            world.limits.admit(1)
        before = world.refused
        world.run(pacer, 1.0)
        refused.append(world.refused - before)
    assert world.admitted >= 0.9 * 6_000
    assert sum(refused) < 0.1 * world.admitted
    alone = world.admitted
    world.run(pacer, 60)  # they are gone
    assert world.admitted - alone >= 0.85 * 6_000


def test_an_empty_limit_waits_no_longer_than_its_reset():
    # An account with 3 requests a minute: 2 % of that rate would be one in a quarter of an hour.
    world = World(ServerOptions(rpm=3, burst_seconds=60.0), latency=0.1)
    pacer = world.pacer(4)
    for _ in range(3):
        world.limits.admit(1)  # another has just used it up
    pacer.sent(1)
    pacer.learn({**world.limits.headers()})
    pacer.replied(1, 1, 0.1)
    assert 0 < pacer.wait() <= 61
    world.run(pacer, 600)
    assert world.admitted >= 20


def headers(limit, remaining, reset, kind="requests") -> dict[str, str]:
    names = {"limit": limit, "remaining": remaining, "reset": reset}
    return {f"x-ratelimit-{name}-{kind}": str(value) for name, value in names.items()}


def test_a_daily_limit_is_not_spread_over_the_day():
    world = World(ServerOptions())
    pacer = world.pacer(50)
    for used in range(1, 2_001):
        wait = pacer.wait()
        assert wait is not None
        world.now += wait
        pacer.sent(100)
        pacer.learn(headers(14_400, 14_400 - used, f"{used * 6}s"))
        pacer.replied(100, 100, 0.1)
    assert world.now - 1_000 < 3_600  # at an even pace it would be 3.3 hours


def test_a_daily_limit_is_not_passed_before_its_renewal():
    world = World(ServerOptions())
    pacer = world.pacer(50)
    pacer.sent(100)
    pacer.learn(headers(1_000, 0, "20h"))
    pacer.replied(100, 100, 0.1)
    assert pacer.wait() > 60
    pacer.sent(100)
    pacer.learn(headers(1_000, 999, "23h59m"))  # midnight
    pacer.replied(100, 100, 0.1)
    assert pacer.wait() == 0


def test_a_daily_limit_does_not_slow_the_users_limit_per_minute():
    world = World(ServerOptions())
    pacer = world.pacer(50, requests_per_minute=600)
    for used in range(2_000, 2_100):
        world.now += pacer.wait()
        pacer.sent(100)
        pacer.learn(headers(14_400, 14_400 - used, f"{used * 6}s"))
        pacer.replied(100, 100, 0.1)
    assert 5 < world.now - 1_000 < 12


HUGE = {
    "x-ratelimit-limit-requests": "1e307",
    "x-ratelimit-remaining-requests": "0",
    "x-ratelimit-reset-requests": "100s",
}


@example([HUGE])
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from([
                f"x-ratelimit-{name}-{kind}"
                for name in ("limit", "remaining", "reset")
                for kind in ("requests", "tokens")
            ]),
            st.text(max_size=8)
            | st.sampled_from(["0", "-1", "nan", "inf", "1e308", "0.5", "1", "60", "6m0s", "1d"])
            | st.from_regex(r"\A[0-9]{1,400}(ms|s|m|h|d)\Z"),
        ),
        max_size=6,
    )
)  # fmt: skip
def test_no_header_breaks_the_pacer(replies):
    world = World(ServerOptions())
    pacer = world.pacer(10)
    for reply in replies:
        pacer.sent(100.0)
        pacer.learn(reply)
        pacer.replied(100.0, 50, 0.1)
        wait = pacer.wait()
        assert wait is not None
        assert 0 <= wait < float("inf")
        world.now += min(wait, 60.0)


def refuse(pacer: Pacer, world: World, count: int, *, limited: bool) -> None:
    for _ in range(count):
        pacer.refused(100, overloaded=True, limited=limited)


def full(pacer: Pacer, world: World) -> int:
    """Send as many as may be in flight."""
    while pacer.wait() == 0:
        pacer.sent(100)
    return pacer.in_flight


@pytest.mark.parametrize("limited", [True, False])
def test_a_failing_server_gets_fewer_requests_in_flight(limited):
    world = World(ServerOptions())
    pacer = world.pacer(200)
    pacer.sent(100)
    pacer.replied(100, 100, 0.5)
    assert full(pacer, world) == 200
    refuse(pacer, world, 50, limited=limited)
    after = pacer.window
    assert 1 <= after < 200
    # One cut for one burst: the refusals of a moment are one event.
    refuse(pacer, world, 50, limited=limited)
    assert pacer.window == after
    world.now += 60
    refuse(pacer, world, 1, limited=limited)
    assert pacer.window < after
    windows = []
    for _ in range(3_000):
        if pacer.wait() == 0:
            pacer.sent(100)
        pacer.replied(100, 100, 0.5)
        windows.append(pacer.window)
        pacer.in_flight = max(pacer.in_flight, 0)
    assert windows == sorted(windows)
    assert windows[-1] == 200


def test_the_first_reply_does_not_undo_early_refusals():
    world = World(ServerOptions())
    pacer = world.pacer(500)
    assert full(pacer, world) == FIRST_WINDOW
    refuse(pacer, world, FIRST_WINDOW - 1, limited=True)
    pacer.replied(100, 100, 0.5)
    assert pacer.window < 500


def test_with_the_window_shut_to_one_a_request_still_leaves():
    world = World(ServerOptions())
    pacer = world.pacer(8)
    for _ in range(100):
        pacer.sent(100)
        world.now += 60
        refuse(pacer, world, 1, limited=True)
    assert pacer.window == 1
    assert pacer.wait() == 0


def test_what_a_refusal_says_to_wait_is_waited_by_all():
    world = World(ServerOptions())
    pacer = world.pacer(8)
    pacer.sent(100)
    pacer.refused(100, overloaded=True, limited=True, retry_after=7.0)
    assert 7.0 <= pacer.wait() <= 7.0 * 1.25
    world.now += 9
    assert pacer.wait() == 0


# Over real HTTP.


@pytest.mark.parametrize(
    ("limits", "known"),
    [
        ({"rpm": 6_000}, {}),
        ({"rpm": 6_000}, {"known_limits": (6_000, None)}),
        ({"tpm": 720 * 6_000, "prompt_tokens": 220, "answer_tokens": 500}, {}),
        ({"rpm": 6_000}, {"requests_per_minute": 5_000}),
    ],
    ids=["requests", "requests-probed", "tokens", "stated"],
)
def test_a_server_with_limits_hardly_refuses_any_request(store, requests_of, limits, known):
    teacher = RehearsalTeacher(read_recordings(), options=ServerOptions(latency=0.1, **limits))
    with serve_teacher(teacher) as url:
        tally = ask(
            session_of(
                Endpoint(url, "key", rehearsal=False),
                store,
                terms=Terms(concurrency=100, **known),
            ),
            requests_of(300),
        )
    assert (tally.asked, tally.failed, tally.stopped) == (300, 0, None)
    assert teacher.ledger.billed == 300
    assert tally.rate_limited == teacher.ledger.refused_429 <= 6
    assert tally.retried == tally.rate_limited
