"""Intervals of averages from those of their parts."""

import pytest

from bioinstruct_dagster.evaluation.statistics.combined_intervals import (
    interval_of_average,
    resamples_say_too_little,
)
from bioinstruct_dagster.evaluation.statistics.estimates import ScoreEstimate
from bioinstruct_dagster.evaluation.statistics.sums import cluster_sums
from bioinstruct_dagster_tests.evaluation.statistics.measuring import shares


def part(score, low, high):
    return ScoreEstimate(score, low, high, 20, 20, "Wilson")


def test_the_distances_of_each_side_are_squared_and_added():
    low, high = interval_of_average(0.5, [part(0.4, 0.1, 0.8), part(0.6, 0.2, 0.9)])
    assert low == pytest.approx(0.5 - 0.5 / 2)  # 0.3 and 0.4 give 0.5
    assert high == pytest.approx(0.5 + 0.5 / 2)


def test_a_part_without_an_end_leaves_the_average_without_it():
    low, high = interval_of_average(0.5, [part(0.4, 0.1, None), part(0.6, 0.2, 0.9)])
    assert low is not None
    assert high is None


@pytest.mark.parametrize(
    ("values", "too_little"),
    [([0, 1] * 10, False), ([1] * 20, True), ([0] * 20, True), ([0, 1, 1], True)],
)
def test_items_that_do_not_vary_or_are_few_are_not_resampled(values, too_little):
    assert resamples_say_too_little(cluster_sums(shares(values), {})) is too_little
