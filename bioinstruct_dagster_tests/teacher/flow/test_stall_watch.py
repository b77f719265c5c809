"""The stall watch, by a clock of the test's own."""

from bioinstruct_dagster.teacher.flow.stall_watch import StallWatch


class Clock:
    """A clock that the test sets."""

    now = 50.0

    def __call__(self) -> float:
        return self.now


def test_a_round_without_progress_reports_and_ends():
    clock = Clock()
    watch = StallWatch(100, report_seconds=30, clock=clock)
    reports = 0
    while not watch.ended:
        clock.now += watch.seconds_until_due()
        reports += watch.is_report_due()
    assert reports == 3
    assert watch.idle_seconds == 100


def test_progress_begins_the_time_again():
    clock = Clock()
    watch = StallWatch(100, report_seconds=30, clock=clock)
    for _ in range(20):
        clock.now += 29
        assert not watch.is_report_due()
        assert not watch.ended
        watch.progressed()


def test_a_wait_on_purpose_is_reported_and_does_not_end_the_round():
    clock = Clock()
    watch = StallWatch(100, report_seconds=30, clock=clock)
    reports = 0
    for _ in range(100):
        clock.now += 30
        watch.hold()
        assert not watch.ended
        reports += watch.is_report_due()
    assert reports == 100
