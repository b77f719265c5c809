"""The lines of scoring: their words, and a line in ten seconds at most."""

from bioinstruct_dagster.evaluation.engine.progress import ScoringProgress


def test_a_line_in_ten_seconds_and_one_at_the_end():
    times = iter([0.0, 4.0, 10.0, 19.0, 20.0, 61.0])
    lines = []
    progress = ScoringProgress("the adapter", 40, 400, lines.append, clock=lambda: next(times))
    progress.come_to(0, 0.0)
    progress.come_to(0, 0.0)
    progress.come_to(20, 150.0)
    progress.come_to(20, 200.0)
    progress.come_to(40, 400.0)
    assert lines == [
        "the adapter: 0 of 40 items scored",
        "the adapter: 20 of 40 items scored, 1 items/s, 20 s left",
        "the adapter: 40 of 40 items scored in 1 min 1 s",
    ]
