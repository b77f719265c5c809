"""The benchmark of `data_worth`: the refreshes that it makes, and the table of its report."""

import random
from collections import Counter

from benchmarks.worth.report import render
from benchmarks.worth.trials import TrialFigures, recorded_rows, refreshed


def figures(kind, verdict, reason, difference):
    return TrialFigures(
        1, kind, verdict, reason, 0.96, 0.5, difference, difference - 0.1, difference + 0.1, 40, 3,
        64.0, 30.0,
    )  # fmt: skip


def test_a_shuffled_refresh_moves_outputs_among_its_own_rows_only():
    rows = recorded_rows()[:40]
    sound, refresh = refreshed(rows, 1, "sound")
    shuffled, same = refreshed(rows, 1, "shuffled")
    assert sound == rows
    assert same.added == refresh.added
    assert len(refresh.added) == len(refresh.before) == 20
    moved = {new["row_id"] for new, old in zip(shuffled, rows, strict=True) if new != old}
    assert moved <= refresh.added
    assert len(moved) > 10
    assert Counter(row["output"] for row in shuffled) == Counter(row["output"] for row in rows)
    assert refreshed(rows, 2, "sound")[1].added != refresh.added


def test_the_report_counts_verdicts_and_what_they_rest_on():
    trials = [
        figures("shuffled", "worse", "fit of outputs", 0.01),
        figures("shuffled", "worse", "held-out loss, fit of outputs", 0.2),
        figures("sound", "tied", "held-out loss", 0.0),
    ]
    random.Random(1).shuffle(trials)
    lines = render(trials, "A machine.").splitlines()
    shuffled, sound = (line.split(" | ") for line in lines[-2:])
    assert shuffled[1:7] == ["2", "2", "0", "0", "1", "2"]
    assert sound[1:7] == ["1", "0", "1", "0", "0", "0"]
