"""Durations in the words of progress lines."""

import pytest

from bioinstruct_dagster.models.progress_lines import duration


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (0.2, "1 s"), (59.1, "1 min 0 s"), (86, "1 min 26 s"), (3_725, "1 h 2 min")],
)
def test_a_duration_has_two_units_at_most(seconds, words):
    assert duration(seconds) == words
