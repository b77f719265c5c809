"""Resamples of clusters, and swaps of subjects."""

import itertools

import numpy as np
import pytest
from scipy import stats

from bioinstruct_dagster.evaluation.statistics.resamples import (
    EXACT_CLUSTERS,
    RESAMPLES,
    bootstrap,
    permutation_p_value,
    swapped,
    widened_percentiles,
    widened_tail,
)


def mean(sums):
    return sums[..., 0] / sums[..., 1]


def table_of(values):
    return np.column_stack([values, np.ones(len(values))])


def test_every_resample_draws_as_many_clusters_as_there_are():
    drawn = bootstrap(np.ones((7, 1)), lambda sums: sums[..., 0], seed=1)
    assert drawn.shape == (RESAMPLES,)
    assert (drawn == 7).all()


def test_resamples_spread_as_the_theory_says():
    values = np.random.default_rng(2).exponential(size=60)
    drawn = bootstrap(table_of(values), mean, seed=3)
    assert drawn.mean() == pytest.approx(values.mean(), rel=0.01)
    assert drawn.std() == pytest.approx(values.std() / np.sqrt(60), rel=0.03)


def test_a_large_table_is_drawn_in_parts():
    values = np.random.default_rng(2).normal(size=1_500)  # more cells than one part holds
    drawn = bootstrap(table_of(values), mean, seed=3)
    assert drawn.shape == (RESAMPLES,)
    assert drawn.std() == pytest.approx(values.std() / np.sqrt(1_500), rel=0.03)
    assert (bootstrap(table_of(values), mean, seed=3) == drawn).all()


def test_two_metrics_of_the_same_items_get_the_same_resamples():
    values = np.random.default_rng(4).normal(size=30)
    first, again = (bootstrap(table_of(values), mean, seed=5) for _ in range(2))
    assert (first == again).all()
    doubled = bootstrap(table_of(2 * values), mean, seed=5)
    assert doubled == pytest.approx(2 * first)
    assert (bootstrap(table_of(values), mean, seed=6) != first).any()


def test_the_interval_of_a_normal_mean_is_that_of_t():
    values = stats.norm.ppf((np.arange(15) + 0.5) / 15)  # no skewness
    low, high = widened_percentiles(bootstrap(table_of(values), mean, seed=1), 15)
    half = stats.t.ppf(0.975, 14) * values.std(ddof=1) / np.sqrt(15)
    assert (low, high) == pytest.approx((-half, half), rel=0.04)


def test_the_tail_narrows_with_few_clusters():
    assert widened_tail(10) < widened_tail(100) < widened_tail(100_000) < 0.025
    assert widened_tail(100_000) == pytest.approx(0.025, abs=1e-4)


def test_few_clusters_are_swapped_in_all_ways():
    change = np.array([3.0, 1.0, 0.5])
    first, second = table_of(np.zeros(3)), table_of(change)
    found = swapped(first, second, mean, seed=1)
    signs = np.array(list(itertools.product([1, -1], repeat=3)))
    assert sorted(found) == pytest.approx(sorted((signs @ change) / 3))
    # All differences point one way: only that swap, and its reverse, are as large.
    assert permutation_p_value(4.5 / 3, found, 3) == 2 / 8


def test_many_clusters_are_swapped_at_random():
    rng = np.random.default_rng(7)
    change = rng.normal(0.2, 1, size=60)
    first, second = table_of(np.zeros(60)), table_of(change)
    found = swapped(first, second, mean, seed=1)
    assert len(found) == RESAMPLES
    p_value = permutation_p_value(change.mean(), found, 60)
    assert p_value == pytest.approx(stats.ttest_1samp(change, 0).pvalue, abs=0.02)


def test_a_random_p_value_is_never_zero():
    first, second = table_of(np.zeros(40)), table_of(np.ones(40))
    assert len(first) > EXACT_CLUSTERS
    p_value = permutation_p_value(1.0, swapped(first, second, mean, seed=1), 40)
    assert p_value == 1 / (RESAMPLES + 1)
