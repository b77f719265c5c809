"""Scores of one subject with intervals: which method, edge cases, and coverage by simulation."""

import numpy as np
import pytest
from scipy import stats

from bioinstruct_dagster.evaluation.metrics.measured import MeasuredError
from bioinstruct_dagster.evaluation.statistics.closed_forms import wilson
from bioinstruct_dagster.evaluation.statistics.estimates import (
    BOOTSTRAP,
    CLUSTERED_BOOTSTRAP,
    CLUSTERED_JACKKNIFE,
    CLUSTERED_WILSON,
    JACKKNIFE,
    NO_ITEMS,
    NO_VARIATION,
    ONE_UNIT,
    WILSON,
    estimate,
)
from bioinstruct_dagster_tests.evaluation.statistics.measuring import (
    clustered_answers,
    f1,
    ids_of,
    in_clusters,
    means,
    ratios,
    shares,
)

SHARES = np.arange(1, 20) / 20  # 0.05 to 0.95


def held(found, truth):
    return found.ci_low <= truth <= found.ci_high


def answers(hits, n):
    return shares([1.0] * hits + [0.0] * (n - hits))


def test_each_kind_of_score_has_its_method():
    rng = np.random.default_rng(1)
    right = shares(rng.random(60) < 0.7)
    values = means(rng.random(60))
    counts = f1(rng.integers(0, 3, (60, 2, 3)))
    losses = ratios(rng.random((60, 2)) + 1)
    methods = {
        (estimate(each, {}, 0).method, estimate(each, in_clusters(each, 12), 0).method)
        for each in (values, counts, losses)
    }
    assert methods == {(BOOTSTRAP, CLUSTERED_BOOTSTRAP)}
    assert estimate(right, {}, 0).method == WILSON
    assert estimate(right, in_clusters(right, 12), 0).method == CLUSTERED_WILSON
    assert estimate(answers(200, 300), {}, 0).method == BOOTSTRAP
    assert estimate(values, in_clusters(values, 9), 0).method == CLUSTERED_JACKKNIFE
    assert estimate(means([1, 2, 4]), {}, 0).method == JACKKNIFE


def test_wilson_stands_for_a_proportion_of_few_items():
    found = estimate(answers(13, 40), {}, 0)
    expected = stats.binomtest(13, 40).proportion_ci(method="wilson")
    assert (found.ci_low, found.ci_high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert (found.score, found.n, found.clusters) == (13 / 40, 40, 40)


def test_few_values_get_the_interval_of_t():
    values = np.array([0.2, 0.5, 0.1, 0.9])
    found = estimate(means(values), {}, 0)
    expected = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))
    assert (found.ci_low, found.ci_high) == pytest.approx(expected, abs=1e-9)


def test_an_interval_stays_within_the_range_of_its_metric():
    found = estimate(means([0.9, 1.0], bounds=(0, 1)), {}, 0)
    assert 0 <= found.ci_low < found.score < found.ci_high == 1


def test_no_items_have_no_score():
    found = estimate(means([]), {}, 0)
    assert np.isnan(found.score)
    assert (found.ci_low, found.ci_high, found.n, found.method) == (None, None, 0, NO_ITEMS)


def test_one_item_or_one_cluster_says_nothing_of_others():
    found = estimate(answers(1, 1), {}, 0)
    assert (found.score, found.ci_low, found.ci_high, found.method) == (1, 0, 1, ONE_UNIT)
    measured = shares([1, 0, 1])
    found = estimate(measured, in_clusters(measured, 1), 0)
    assert (found.ci_low, found.ci_high, found.clusters, found.n) == (0, 1, 1, 3)
    found = estimate(means([2.5]), {}, 0)
    assert (found.score, found.ci_low, found.ci_high) == (2.5, None, None)


def test_two_items_have_a_wide_interval():
    found = estimate(means([1.0, 2.0]), {}, 0)
    # t with one degree of freedom: 12.7 standard errors of 0.5.
    assert found.ci_high - found.ci_low == pytest.approx(2 * stats.t.ppf(0.975, 1) * 0.5)


@pytest.mark.parametrize("hits", [0, 30])
def test_equal_answers_do_not_exclude_others(hits):
    expected = wilson(hits / 30, 30)
    found = estimate(answers(hits, 30), {}, 0)
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(map(float, expected)))
    assert found.method == NO_VARIATION
    # In clusters, there are fewer independent answers.
    measured = answers(hits, 30)
    clustered = estimate(measured, in_clusters(measured, 6), 0)
    assert clustered.ci_high - clustered.ci_low > found.ci_high - found.ci_low


def test_equal_values_can_differ_within_the_range_of_their_metric():
    found = estimate(means([0.4] * 20, bounds=(0, 1)), {}, 0)
    share = float(wilson(0.0, 20)[1])
    assert (found.ci_low, found.ci_high) == pytest.approx((0.4 - 0.4 * share, 0.4 + 0.6 * share))
    perfect = estimate(f1([[[2, 0, 0]]] * 20), {}, 0)
    assert (perfect.ci_low, perfect.ci_high) == pytest.approx((1 - share, 1))


def test_the_order_of_items_does_not_matter():
    rng = np.random.default_rng(4)
    counts = rng.integers(0, 4, (50, 3, 3))
    whole = f1(counts, "macro_f1")
    order = rng.permutation(50)
    ids = ids_of(50)
    mixed = type(whole)(
        whole.metric,
        tuple(ids[place] for place in order),
        whole.values[order],
        "macro_f1",
        classes=whole.classes,
    )
    for clusters in ({}, in_clusters(whole, 11)):
        assert estimate(whole, clusters, 3) == estimate(mixed, clusters, 3)


def test_the_seed_decides_the_resamples():
    measured = means(np.random.default_rng(1).random(40))
    assert estimate(measured, {}, 1) == estimate(measured, {}, 1) != estimate(measured, {}, 2)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_no_numbers_are_refused(value):
    with pytest.raises(MeasuredError, match="NaN or infinity"):
        means([0.1, value])


def test_independent_proportions_are_covered():
    """Exact: each number of right answers of 100, weighted with its probability."""
    intervals = [estimate(answers(hits, 100), {}, 0) for hits in range(101)]
    coverage = [
        sum(stats.binom.pmf(hits, 100, share) * held(intervals[hits], share) for hits in range(101))
        for share in SHARES
    ]
    assert 0.94 <= np.mean(coverage) <= 0.96
    assert min(coverage) > 0.92


def coverage_in_clusters(likeness, samples):
    """By proportion, the coverage of 100 items in 20 clusters."""
    rng = np.random.default_rng(8)
    clusters = in_clusters(shares([0] * 100), 20)
    return [
        np.mean(
            [
                held(estimate(shares(sample), clusters, 0), share)
                for sample in clustered_answers(rng, share, likeness, samples)
            ]
        )
        for share in SHARES
    ]


@pytest.mark.parametrize("likeness", [0.02, 0.2, 0.5])
def test_clustered_proportions_are_covered(likeness):
    coverage = coverage_in_clusters(likeness, samples=150)
    assert 0.94 <= np.mean(coverage) <= 0.96
    assert min(coverage) > 0.88


@pytest.mark.slow
@pytest.mark.parametrize("likeness", [0.01, 0.1, 0.3, 0.5, 0.8])
def test_clustered_proportions_are_covered_in_many_samples(likeness):
    coverage = coverage_in_clusters(likeness, samples=2_000)
    assert 0.94 <= np.mean(coverage) <= 0.965
    assert min(coverage) > 0.91


def test_items_of_clusters_are_not_taken_for_independent_ones():
    """Without clusters, the interval of such answers is too narrow; this is what they are for."""
    rng = np.random.default_rng(8)
    samples = clustered_answers(rng, 0.4, 0.5, 300)
    naive = np.mean([held(estimate(shares(sample), {}, 0), 0.4) for sample in samples])
    assert naive < 0.85


def test_means_and_f1_of_clusters_are_covered():
    rng = np.random.default_rng(9)
    clusters = in_clusters(means([0] * 100), 20)
    of_cluster = rng.normal(0, 0.5, (400, 20))
    values = np.tile(of_cluster, 5) + rng.normal(0, 1, (400, 100))
    found = [held(estimate(means(each), clusters, 0), 0) for each in values]
    assert 0.93 <= np.mean(found) <= 0.97
    # Two spans an item; the chance to find one differs between clusters, 0.5 on average. Each item
    # has one false span on average. The expected F1 is 2 / (2 + 1 + 1).
    chance = np.tile(rng.beta(4, 4, (400, 20)), 5)
    hits = rng.binomial(2, chance)
    counts = np.stack([hits, rng.poisson(1, (400, 100)), 2 - hits], axis=-1)[:, :, None, :]
    found = [held(estimate(f1(each), clusters, 0), 0.5) for each in counts]
    assert 0.93 <= np.mean(found) <= 0.97
