"""Weighted shares and their intervals, beside scipy and by simulation."""

import random

import pytest
from scipy.stats import binomtest

from bioinstruct_dagster.review.estimates import StratumCount, weighted_share, wilson


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (3, 20), (20, 20), (77, 200)])
def test_wilson_is_scipys(hits, n):
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    assert wilson(hits, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_one_stratum_that_stands_for_others_is_wilson():
    share = weighted_share([StratumCount(10**9, 50, 7)], finite=False)
    assert share.value == 7 / 50
    assert (share.low, share.high) == pytest.approx(wilson(7, 50), rel=0.1)


def test_a_stratum_counts_by_its_population():
    share = weighted_share([StratumCount(900, 10, 0), StratumCount(100, 10, 5)], finite=True)
    assert share.value == pytest.approx(0.05)
    assert share.low < 0.05 < share.high
    assert share.population == 1000


def test_a_population_that_was_judged_as_a_whole_has_no_uncertainty():
    share = weighted_share([StratumCount(10, 10, 3)], finite=True)
    assert (share.value, share.low, share.high) == (0.3, 0.3, 0.3)
    open_ended = weighted_share([StratumCount(10, 10, 3)], finite=False)
    assert open_ended.high - open_ended.low > 0.4


def test_strata_without_a_judged_row_are_told():
    share = weighted_share([StratumCount(10, 5, 1), StratumCount(90, 0, 0)], finite=True)
    assert (share.population, share.not_covered) == (10, 90)
    assert weighted_share([StratumCount(90, 0, 0)], finite=True) is None


@pytest.mark.parametrize("shares", [(0.02, 0.1, 0.3), (0.0, 0.01, 0.05), (0.5, 0.5, 0.5)])
def test_the_interval_holds_the_true_share_in_about_95_of_100_samples(shares):
    draw = random.Random(7)
    populations = (600, 300, 100)
    hit_rows = [round(p * n) for p, n in zip(shares, populations, strict=True)]
    truth = sum(hit_rows) / sum(populations)
    held = 0
    for _ in range(1000):
        strata = [
            StratumCount(n, 40, sum(row < hits for row in draw.sample(range(n), 40)))
            for n, hits in zip(populations, hit_rows, strict=True)
        ]
        share = weighted_share(strata, finite=True)
        held += share.low <= truth <= share.high
    assert held >= 930
