"""Paired differences: tests, intervals, what can be detected, and false alarms by simulation."""

import numpy as np
import pytest
from scipy import stats

from bioinstruct_dagster.evaluation.metrics.measured import MeasuredError
from bioinstruct_dagster.evaluation.statistics.comparisons import (
    CLUSTERED_PERMUTATION,
    MCNEMAR,
    NO_TEST,
    PERMUTATION,
    TANGO,
    compare,
    detectable_share,
)
from bioinstruct_dagster.evaluation.statistics.estimates import CLUSTERED_BOOTSTRAP
from bioinstruct_dagster_tests.evaluation.statistics.measuring import (
    f1,
    in_clusters,
    means,
    ratios,
    shares,
)


def pair(gained, lost, both, neither=0):
    """Right and wrong answers of base model and adapter."""
    base = [0] * gained + [1] * lost + [1] * both + [0] * neither
    adapter = [1] * gained + [0] * lost + [1] * both + [0] * neither
    return shares(base), shares(adapter)


def test_right_and_wrong_get_mcnemar_and_tango():
    found = compare(*pair(16, 6, 80, 59), {}, 0)
    assert (found.test, found.estimate.method) == (MCNEMAR, TANGO)
    assert found.estimate.score == pytest.approx(10 / 161)
    assert found.p_value == pytest.approx(stats.binomtest(16, 22).pvalue, abs=1e-9)
    # The published table of test_closed_forms, with the signs changed.
    assert round(found.estimate.ci_low, 4) == 0.0054
    assert round(found.estimate.ci_high, 4) == 0.1240


def test_the_same_answers_do_not_prove_that_models_are_equal():
    found = compare(*pair(0, 0, 30, 30), {}, 0)
    assert (found.estimate.score, found.p_value) == (0, 1)
    assert found.estimate.ci_low < -0.04
    assert found.estimate.ci_high > 0.04


def test_answers_in_clusters_are_compared_by_clusters():
    base, adapter = pair(30, 10, 30, 30)
    clusters = in_clusters(base, 20)
    found = compare(base, adapter, clusters, 0)
    assert (found.test, found.estimate.method) == (CLUSTERED_PERMUTATION, CLUSTERED_BOOTSTRAP)
    assert (found.estimate.n, found.estimate.clusters) == (100, 20)
    assert found.p_value > compare(base, adapter, {}, 0).p_value / 2
    # All differences in one cluster are one difference.
    alone = dict.fromkeys(base.item_ids[:40], "a")
    assert compare(base, adapter, alone, 0).p_value > 0.5


def test_means_ratios_and_f1_are_compared_by_permutation():
    rng = np.random.default_rng(1)
    values = rng.random(50)
    for base, adapter in (
        (means(values), means(values + rng.normal(0.2, 0.1, 50))),
        (ratios(np.c_[values, values + 1]), ratios(np.c_[values + 0.2, values + 1])),
        (
            f1(np.tile([[1, 1, 1]], (50, 1, 1)).reshape(50, 1, 3)),
            f1(np.tile([[2, 0, 0], [1, 0, 1]], (25, 1)).reshape(50, 1, 3)),
        ),
    ):
        found = compare(base, adapter, {}, 0)
        assert found.test == PERMUTATION
        assert found.p_value < 0.001
        assert found.estimate.ci_low > 0
        assert found.estimate.ci_low <= found.estimate.score <= found.estimate.ci_high


def test_the_permutation_of_means_is_that_of_scipy():
    rng = np.random.default_rng(2)
    base, adapter = rng.random(11), rng.random(11) + 0.2
    expected = stats.permutation_test(
        (base, adapter),
        lambda x, y, axis: np.mean(y - x, axis=axis),
        permutation_type="samples",
        vectorized=True,
    )
    found = compare(means(base), means(adapter), {}, 0)
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-9)


def test_swapping_the_subjects_changes_the_sign_alone():
    rng = np.random.default_rng(2)
    base, adapter = means(rng.random(40)), means(rng.random(40) + 0.1)
    one, other = compare(base, adapter, {}, 5), compare(adapter, base, {}, 5)
    assert one.estimate.score == pytest.approx(-other.estimate.score)
    assert one.p_value == other.p_value
    assert one.detectable == pytest.approx(other.detectable)
    assert one.estimate.ci_low == pytest.approx(-other.estimate.ci_high)


def test_equal_differences_of_an_unbounded_metric_have_no_interval():
    values = np.random.default_rng(1).random(30)
    found = compare(means(values), means(values + 0.5), {}, 0)
    assert (found.estimate.ci_low, found.estimate.ci_high, found.detectable) == (None, None, None)
    assert found.estimate.score == pytest.approx(0.5)


def test_one_item_or_cluster_has_no_test():
    found = compare(means([1]), means([2]), {}, 0)
    assert (found.test, found.p_value, found.detectable) == (NO_TEST, 1, None)
    base, adapter = pair(5, 0, 5)
    found = compare(base, adapter, in_clusters(base, 1), 0)
    assert (found.test, found.estimate.ci_low, found.estimate.ci_high) == (NO_TEST, -1, 1)


def test_no_items_have_no_p_value():
    found = compare(shares([]), shares([]), {}, 0)
    assert np.isnan(found.p_value)
    assert np.isnan(found.estimate.score)


def test_five_clusters_can_show_nothing():
    base, adapter = pair(40, 0, 10)
    found = compare(base, adapter, in_clusters(base, 5), 0)
    assert found.p_value == 2 / 2**5  # the least that five clusters allow
    assert found.detectable is None


def test_different_items_are_refused():
    with pytest.raises(MeasuredError, match="different items"):
        compare(shares([1, 0]), shares([1, 0, 1]), {}, 0)


@pytest.mark.parametrize(
    ("n", "points"), [(1_273, 4.3), (4_183, 2.4), (500, 6.9), (618, 6.2), (1_422, 4.1), (100, 15.3)]
)
def test_what_the_sizes_of_the_tasks_can_show(n, points):
    # With 30 % of discordant answers, z of 97.5 % plus z of 80 %, which is 2.8016.
    assert 100 * detectable_share(round(0.3 * n), n) == pytest.approx(points, abs=0.06)


def test_models_that_agree_show_no_difference_below_six_answers():
    assert detectable_share(0, 100) == 0.06
    assert detectable_share(3, 5) is None


def test_a_detectable_difference_is_found_in_four_of_five_samples():
    rng = np.random.default_rng(3)
    detectable = detectable_share(60, 200)
    lost = (0.3 - detectable) / 2
    draws = rng.multinomial(200, [0.3 - lost, lost, 0.7], 500)
    found = [compare(*pair(*counts), {}, 0).p_value <= 0.05 for counts in draws]
    assert 0.72 <= np.mean(found) <= 0.88


def null_pairs(rng, samples, *, clustered, right_or_wrong):
    """Two subjects that are equally good, on 100 items of 20 clusters that either finds hard."""
    item = rng.normal(size=(samples, 100))
    both = rng.normal(0, 0.8, (2, samples, 20)) if clustered else np.zeros((2, samples, 20))
    values = [item + np.tile(one, 5) + rng.normal(size=(samples, 100)) for one in both]
    if right_or_wrong:
        return [[shares(sample > 0.7) for sample in one] for one in values]
    return [[means(sample) for sample in one] for one in values]


def false_alarms(samples, *, clustered, right_or_wrong):
    """The shares of false alarms, and of intervals that hold the true difference, 0."""
    rng = np.random.default_rng(10)
    pairs = null_pairs(rng, samples, clustered=clustered, right_or_wrong=right_or_wrong)
    clusters = in_clusters(pairs[0][0], 20) if clustered else {}
    found = [compare(base, adapter, clusters, 0) for base, adapter in zip(*pairs, strict=True)]
    held = [each.estimate.ci_low <= 0 <= each.estimate.ci_high for each in found]
    return np.mean([each.p_value <= 0.05 for each in found]), np.mean(held)


KINDS = [(True, True), (True, False), (False, True), (False, False)]


def test_false_alarms_are_rare_and_differences_covered():
    rates = np.array(
        [false_alarms(300, clustered=one, right_or_wrong=other) for one, other in KINDS]
    )
    alarms, held = rates.mean(axis=0)
    assert alarms <= 0.055
    assert 0.94 <= held <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize(("clustered", "right_or_wrong"), KINDS)
def test_false_alarms_are_rare_in_many_samples(clustered, right_or_wrong):
    alarms, held = false_alarms(4_000, clustered=clustered, right_or_wrong=right_or_wrong)
    assert alarms <= 0.055
    assert 0.94 <= held <= 0.965
