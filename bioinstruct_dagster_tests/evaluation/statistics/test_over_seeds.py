"""Means over seeds: two-way intervals."""

import numpy as np
import pytest
from scipy import stats

from bioinstruct_dagster.evaluation.metrics.measured import MeasuredError
from bioinstruct_dagster.evaluation.statistics.estimates import NO_VARIATION, ONE_UNIT
from bioinstruct_dagster.evaluation.statistics.over_seeds import (
    CLUSTERED_TWO_WAY,
    TWO_WAY,
    over_seeds,
)
from bioinstruct_dagster_tests.evaluation.statistics.measuring import (
    f1,
    in_clusters,
    means,
    shares,
)


def test_mean_and_spread_are_those_of_the_seeds():
    rng = np.random.default_rng(1)
    values = rng.random((4, 30))
    found = over_seeds([means(one) for one in values], {})
    scores = values.mean(axis=1)
    assert found.estimate.score == pytest.approx(scores.mean())
    assert found.spread == pytest.approx(scores.std(ddof=1))
    assert (found.seeds, found.estimate.n, found.estimate.method) == (4, 30, TWO_WAY)
    assert found.p_value is None


def test_seeds_that_do_not_differ_leave_the_interval_of_the_items():
    values = np.random.default_rng(1).random(30)
    found = over_seeds([means(values)] * 3, {})
    expected = stats.t.interval(0.95, 29, values.mean(), stats.sem(values))
    assert (found.estimate.ci_low, found.estimate.ci_high) == pytest.approx(expected, abs=1e-9)
    assert found.spread == 0


def test_items_that_do_not_differ_leave_the_interval_of_the_seeds():
    scores = np.array([0.2, 0.5, 0.6])
    found = over_seeds([means([score] * 20) for score in scores], {})
    expected = stats.t.interval(0.95, 2, scores.mean(), stats.sem(scores))
    assert (found.estimate.ci_low, found.estimate.ci_high) == pytest.approx(expected, abs=1e-9)


def test_the_p_value_belongs_to_the_interval():
    rng = np.random.default_rng(2)
    base = rng.random(40)
    adapters = [means(base + rng.normal(0.1, 0.3, 40)) for _ in range(3)]
    found = over_seeds(adapters, {}, means(base))
    excludes = found.estimate.ci_low > 0 or found.estimate.ci_high < 0
    assert (found.p_value < 0.05) == excludes
    # Of items alone, it is that of the t test.
    shifted = base + rng.normal(0.1, 0.3, 40)
    found = over_seeds([means(shifted)] * 2, {}, means(base))
    assert found.p_value == pytest.approx(stats.ttest_rel(shifted, base).pvalue, abs=1e-9)


def test_clusters_and_f1_are_counted():
    rng = np.random.default_rng(3)
    counts = [f1(rng.integers(0, 3, (40, 2, 3)), "macro_f1") for _ in range(3)]
    found = over_seeds(counts, in_clusters(counts[0], 10))
    assert (found.estimate.method, found.estimate.clusters) == (CLUSTERED_TWO_WAY, 10)
    assert 0 <= found.estimate.ci_low < found.estimate.score < found.estimate.ci_high <= 1


def test_equal_answers_and_single_items_are_said_to_be_such():
    found = over_seeds([shares([1] * 20)] * 2, {}, shares([1] * 20))
    assert found.estimate.method == NO_VARIATION
    assert found.p_value == 1
    assert found.estimate.ci_low < 0 < found.estimate.ci_high
    found = over_seeds([shares([1]), shares([0])], {})
    assert (found.estimate.score, found.estimate.method) == (0.5, ONE_UNIT)


def test_one_seed_is_refused():
    with pytest.raises(MeasuredError, match="two adapters"):
        over_seeds([means([1, 2])], {})


def coverage(seeds, between, samples):
    """Of the difference to a base model, where each seed moves all its answers by chance."""
    rng = np.random.default_rng(4)
    held = []
    for _ in range(samples):
        item, change = rng.normal(size=100), rng.normal(0, 0.5, 100)
        base = means(item + rng.normal(size=100))
        adapters = [
            means(item + change + rng.normal(0, between) + rng.normal(0, 0.7, 100))
            for _ in range(seeds)
        ]
        found = over_seeds(adapters, {}, base).estimate
        held.append(found.ci_low <= 0 <= found.ci_high)
    return np.mean(held)


def test_items_and_seeds_are_covered():
    found = [coverage(seeds, between, 150) for seeds in (2, 3, 5) for between in (0, 0.1, 0.4)]
    # Two seeds that hardly differ get too wide an interval: that they hardly differ is chance.
    assert 0.945 <= np.mean(found) <= 0.985
    assert min(found) >= 0.92


def test_without_the_seeds_the_interval_would_be_too_narrow():
    rng = np.random.default_rng(5)
    wide = over_seeds([means(rng.normal(shift, 1, 100)) for shift in (0, 0.5, 1)], {}).estimate
    narrow = over_seeds([means(rng.normal(0.5, 1, 100)) for _ in range(3)], {}).estimate
    assert wide.ci_high - wide.ci_low > 2 * (narrow.ci_high - narrow.ci_low)


def test_each_seed_may_be_compared_with_a_subject_of_its_own():
    rng = np.random.default_rng(7)
    first = rng.random((3, 40))
    second = first + 0.1 + rng.normal(0, 0.01, (3, 40))
    pairs = over_seeds([means(one) for one in second], {}, [means(one) for one in first])
    assert pairs.estimate.score == pytest.approx((second - first).mean())
    assert pairs.spread == pytest.approx((second - first).mean(axis=1).std(ddof=1))
    same = over_seeds([means(one) for one in second], {}, [means(first[0])] * 3)
    assert same == over_seeds([means(one) for one in second], {}, means(first[0]))
    with pytest.raises(MeasuredError, match="3 adapters can't be compared with 2 others"):
        over_seeds([means(one) for one in second], {}, [means(first[0])] * 2)
