"""Sums over clusters and the scores of sums."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from bioinstruct_dagster.evaluation.metrics.measured import MeasuredError
from bioinstruct_dagster.evaluation.statistics.sums import (
    cluster_sums,
    difference_of,
    jackknife_error,
    paired_sums,
    score_of,
)
from bioinstruct_dagster_tests.evaluation.statistics.measuring import (
    f1,
    in_clusters,
    means,
    ratios,
    shares,
)


def test_scores_are_those_of_all_items():
    assert cluster_sums(means([1, 2, 6]), {}).score == 3
    assert cluster_sums(ratios([[1, 2], [5, 4]]), {}).score == 1
    counts = [[[1, 0, 1], [0, 1, 0]], [[1, 1, 0], [2, 0, 0]]]
    assert cluster_sums(f1(counts), {}).score == pytest.approx(8 / (8 + 2 + 1))
    macro = cluster_sums(f1(counts, "macro_f1"), {}).score
    assert macro == pytest.approx((4 / 6 + 4 / 5) / 2)


def test_f1_is_that_of_scikit_learn():
    rng = np.random.default_rng(3)
    gold, said = rng.integers(0, 4, 200), rng.integers(0, 3, 200)
    right, given = (np.eye(5)[each] for each in (gold, said))  # class 4 occurs nowhere
    hits = right * given
    counts = np.stack([hits, given - hits, right - hits], axis=-1)
    for combine, average in (("micro_f1", "micro"), ("macro_f1", "macro")):
        expected = f1_score(gold, said, average=average, zero_division=0)
        assert cluster_sums(f1(counts, combine), {}).score == pytest.approx(expected, abs=1e-12)


def test_f1_without_any_count_is_zero():
    for combine in ("micro_f1", "macro_f1"):
        assert score_of(np.array([0.0, 0, 0, 7]), combine) == 0


def test_items_without_a_cluster_stand_for_themselves():
    measured = shares([1, 0, 1, 1])
    first, second, third, _ = measured.item_ids
    sums = cluster_sums(measured, {first: "a", second: "a", third: ""})
    assert (sums.items, sums.clusters, sums.shared) == (4, 3, True)
    # A cluster that has the name of an item is not that item.
    assert cluster_sums(measured, {first: second}).clusters == 4
    assert not cluster_sums(measured, {first: "a", second: "b"}).shared


def test_the_jackknife_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(5).normal(size=40)
    error = jackknife_error(cluster_sums(means(values), {}).left_out())
    assert error == pytest.approx(values.std(ddof=1) / np.sqrt(40), abs=1e-12)
    # With equal clusters, it is that of the clusters' means.
    measured = means(values)
    clustered = jackknife_error(cluster_sums(measured, in_clusters(measured, 8)).left_out())
    of_clusters = values.reshape(5, 8).mean(axis=0)
    assert clustered == pytest.approx(of_clusters.std(ddof=1) / np.sqrt(8), abs=1e-12)


def test_a_difference_is_of_both_scores():
    first, second = paired_sums((ratios([[1, 2], [5, 4]]), ratios([[2, 2], [7, 4]])), {})
    difference = difference_of(first, second)
    assert difference.score == pytest.approx(9 / 6 - 1)
    assert difference.left_out() == pytest.approx(second.left_out() - first.left_out())


def test_subjects_on_different_items_or_metrics_are_refused():
    with pytest.raises(MeasuredError, match="different items"):
        paired_sums((means([1, 2]), means([1, 2, 3])), {})
    with pytest.raises(MeasuredError, match="different metrics"):
        paired_sums((means([1, 2]), shares([1, 0])), {})
