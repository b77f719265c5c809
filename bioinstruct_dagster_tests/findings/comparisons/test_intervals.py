"""Relative changes and detectable differences, from stored intervals."""

import math

import numpy as np
import pytest

from bioinstruct_dagster.findings.comparisons.intervals import (
    Interval,
    detectable,
    relative_change,
)


def test_a_relative_change_covers_the_true_one():
    """Fieller's interval from three normal intervals holds the true ratio in 95 % of draws."""
    rng = np.random.default_rng(1)
    inside, n, true = 0, 60, 0.25
    for _ in range(600):
        base = rng.normal(0.4, 0.3, n)
        trained = base * (1 + true) + rng.normal(0, 0.2, n)
        intervals = [
            Interval(x.mean(), *(x.mean() + side * 1.96 * x.std(ddof=1) / math.sqrt(n)
                                 for side in (-1, 1)))
            for x in (base, trained, trained - base)
        ]  # fmt: skip
        found = relative_change(*intervals)
        inside += found.low <= true <= found.high
    assert 0.925 <= inside / 600 <= 0.975


def test_a_change_of_a_base_that_may_be_zero_has_no_interval():
    base, trained = Interval(0.01, -0.01, 0.03), Interval(0.1, 0.05, 0.15)
    found = relative_change(base, trained, Interval(0.09, 0.04, 0.14))
    assert found == (pytest.approx(9.0), None, None)
    assert relative_change(Interval(0, 0, 0.1), trained, trained) is None


def test_the_detectable_difference_is_wider_than_the_interval_s_half():
    assert detectable(Interval(0.0, -0.1, 0.1)) == pytest.approx(0.1 * 2.8016 / 1.96, rel=1e-3)
    assert detectable(Interval(0.0, None, 0.1)) is None
    assert detectable(Interval(0.0, 0.0, 0.0)) is None
