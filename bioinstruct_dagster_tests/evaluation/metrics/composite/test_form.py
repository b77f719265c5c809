"""Length and copied runs of words."""

import pytest

from bioinstruct_dagster.evaluation.metrics.composite.form import brevity, own_words
from bioinstruct_dagster.evaluation.metrics.composite.weights import CompositeWeights

WEIGHTS = CompositeWeights(length_allowed=2, words_allowed=5, copied=0.5, copied_run=3)


def test_a_text_longer_than_allowed_loses_in_proportion():
    assert brevity("a b", "w " * 9, WEIGHTS) == 1.0
    assert brevity("a b", "w " * 18, WEIGHTS) == 0.5
    assert brevity("a b", "", WEIGHTS) == 1.0


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        ("one two three four", 0.5),  # all of it
        ("One TWO three and more", 1 - 0.5 * 3 / 5),
        ("one two and three four", 1.0),  # no run is long enough
        ("five six seven", 1.0),  # the reference has it too
        ("", 1.0),
        ("one", 1.0),
    ],
)
def test_copied_runs(summary, expected):
    source = "one two three four five six seven"
    assert own_words(source, "Five six seven", summary, WEIGHTS) == pytest.approx(expected)
