"""The pause after rate limits, by a clock of the test's own."""

from bioinstruct_dagster.teacher.flow.rate_limit_pause import LONGEST_PAUSE_SECONDS, RateLimitPause


class Clock:
    """A clock that the test sets."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def sends_of(clock: Clock, pause: RateLimitPause, seconds: float, *, asked=None) -> int:
    """How many requests leave in so many seconds if each meets a 429 a moment later."""
    sends, end = 0, clock.now + seconds
    while clock.now < end:
        wait = pause.wait()
        assert wait is not None
        clock.now += wait or 0.05
        sent_at = clock.now
        pause.sent(sent_at)
        sends += 1
        clock.now += 0.05
        pause.failed(sent_at, limited=True, asked=asked)
    return sends


def test_a_limit_for_ever_gets_few_requests():
    clock = Clock()
    assert sends_of(clock, RateLimitPause(clock), 600) < 30


def test_a_server_that_names_ever_the_same_short_wait_gets_few_requests_too():
    clock = Clock()
    assert sends_of(clock, RateLimitPause(clock), 600, asked=0.001) < 40


def test_one_request_tests_the_limit_and_a_reply_ends_the_pause():
    clock = Clock()
    pause = RateLimitPause(clock)
    for _ in range(2):
        pause.failed(clock.now, limited=True)
        clock.now += 0.1
    assert pause.open
    clock.now += LONGEST_PAUSE_SECONDS
    assert pause.wait() == 0
    pause.sent(clock.now)
    assert pause.wait() is None
    pause.replied()
    assert not pause.open
    assert pause.wait() == 0


def test_requests_that_left_together_count_once():
    clock = Clock()
    pause = RateLimitPause(clock)
    left = clock.now
    clock.now += 1
    for _ in range(500):
        pause.failed(left, limited=True)
        clock.now += 0.001
    assert not pause.open
    assert pause.wait() == 0


def test_another_failure_of_the_trial_lets_the_next_one_leave():
    clock = Clock()
    pause = RateLimitPause(clock)
    for _ in range(2):
        pause.failed(clock.now, limited=True)
        clock.now += 0.1
    clock.now += LONGEST_PAUSE_SECONDS
    pause.sent(clock.now)
    pause.failed(clock.now - 50, limited=False)  # an earlier one
    assert pause.wait() is None
    pause.failed(clock.now, limited=False)
    assert pause.wait() == 0
