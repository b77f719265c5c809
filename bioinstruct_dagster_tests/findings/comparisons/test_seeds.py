"""Means over seeds: the items are the same for all seeds, and the variance over seeds is pooled."""

import math

import numpy as np
import pytest

from bioinstruct_dagster.findings.comparisons.intervals import Interval
from bioinstruct_dagster.findings.comparisons.seeds import over_seeds, seed_variance


def test_one_seed_keeps_its_own_interval():
    found = over_seeds([Interval(0.5, 0.4, 0.6)])
    assert found == (Interval(0.5, 0.4, 0.6), None, 1)


def test_seeds_that_agree_do_not_shrink_the_interval_of_the_items():
    """All seeds answer the same items, so three seeds are no three samples of items."""
    found = over_seeds([Interval(0.5, 0.4, 0.62)] * 3)
    assert found.mean == pytest.approx((0.5, 0.4, 0.62))
    assert found.spread == 0


def test_seeds_that_differ_widen_the_interval():
    scores = (0.4, 0.5, 0.6)
    found = over_seeds([Interval(x, x - 0.1, x + 0.1) for x in scores], seed_variance([scores]))
    by_seed = 4.302653 * 0.1 / math.sqrt(3)  # the quantile of t with 2 degrees of freedom
    assert found.mean.high == pytest.approx(0.5 + math.hypot(0.1, by_seed), abs=1e-5)
    assert found.spread == pytest.approx(0.1)


def test_the_variance_over_seeds_is_pooled_over_families():
    found = seed_variance([(0.4, 0.6), (0.5, 0.5), (0.9,), (0.1, 0.3)])
    assert found == (pytest.approx(0.04 / 3), 3)
    assert seed_variance([(0.4,), (0.5,)]) is None


def test_a_family_of_one_seed_gets_the_variance_of_the_others():
    alone = Interval(0.5, 0.4, 0.6)
    found = over_seeds([alone], seed_variance([(0.4, 0.6)] * 10))
    assert found.mean.low < alone.low
    assert found.spread is None


def test_pooled_intervals_of_two_seeds_cover_the_true_mean():
    """Eight families of two seeds: the interval of the first holds the true mean in 95 % or more.

    It is a little too wide, because each seed's own interval holds the noise of its answers too.
    """
    rng, inside = np.random.default_rng(2), 0
    for _ in range(400):
        families = rng.normal(0.5, 0.05, (8, 2)) + rng.normal(0, 0.03)
        members = [Interval(x, x - 1.96 * 0.03, x + 1.96 * 0.03) for x in families[0]]
        found = over_seeds(members, seed_variance(families.tolist()))
        inside += found.mean.low <= 0.5 <= found.mean.high
    assert 0.935 <= inside / 400 <= 0.99


def test_an_end_that_one_seed_lacks_is_unknown():
    found = over_seeds([Interval(0.5, None, 0.6), Interval(0.4, 0.3, 0.5)])
    assert found.mean.low is None
    assert found.mean.high is not None
