"""The circuit breaker, by a clock of the test's own."""

from bioinstruct_dagster.teacher.flow.circuit_breaker import CircuitBreaker


class Clock:
    """A clock that the test sets."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_breaker_opens_tries_and_closes_again():
    clock = Clock()
    breaker = CircuitBreaker(threshold=3, trials=2, first_pause=4.0, clock=clock)
    for _ in range(2):
        breaker.failed()
    breaker.succeeded()
    for _ in range(2):
        breaker.failed()
    assert breaker.wait() == 0.0  # not in a row
    breaker.failed()
    assert breaker.open
    assert 4.0 <= breaker.wait() <= 5.0
    clock.now += 5
    assert breaker.wait() == 0.0
    assert breaker.sent()
    assert breaker.wait() is None  # one tries, the others wait for it
    breaker.failed(is_trial=True)
    assert 8.0 <= breaker.wait() <= 10.0  # twice as long
    clock.now += 10
    breaker.sent()
    breaker.succeeded()
    assert (breaker.open, breaker.given_up, breaker.wait()) == (False, False, 0.0)
    assert not breaker.sent()


def test_a_breaker_gives_up_after_failed_trials_only():
    clock = Clock()
    breaker = CircuitBreaker(threshold=3, trials=2, first_pause=1.0, clock=clock)
    for _ in range(500):  # all those that were in flight
        breaker.failed()
    assert not breaker.given_up
    for attempt in range(2):
        clock.now += 60
        assert breaker.sent()
        breaker.failed()  # a late one of the first: not the one that tries
        assert breaker.wait() is None
        breaker.failed(is_trial=True)
        assert breaker.given_up is (attempt == 1)
