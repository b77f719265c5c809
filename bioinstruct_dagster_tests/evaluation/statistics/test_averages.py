"""Averages over tasks and relative gains."""

import numpy as np
import pytest

from bioinstruct_dagster.evaluation.metrics.measured import MeasuredError
from bioinstruct_dagster.evaluation.statistics.averages import PairedTask, category_gain
from bioinstruct_dagster.evaluation.statistics.comparisons import compare
from bioinstruct_dagster.evaluation.statistics.estimates import estimate
from bioinstruct_dagster_tests.evaluation.statistics.measuring import (
    in_clusters,
    means,
    shares,
)


def tasks_of(rng, sizes=(200, 400), gain=0.1):
    tasks = []
    for place, n in enumerate(sizes):
        base = (rng.random(n) < 0.4).astype(float)
        adapter = np.maximum(base, rng.random(n) < gain).astype(float)
        tasks.append(PairedTask(f"task-{place}", shares(base), shares(adapter), {}))
    return tasks


def test_each_task_counts_alike():
    small = PairedTask("small", shares([1, 0]), shares([1, 1]), {})
    large = PairedTask("large", shares([1, 0, 0, 0] * 10), shares([1, 1, 0, 0] * 10), {})
    found = category_gain([small, large], 0)
    assert found.tasks == ("small", "large")
    assert found.base.score == pytest.approx((0.5 + 0.25) / 2)
    assert found.adapter.score == pytest.approx((1 + 0.5) / 2)
    assert found.difference.score == pytest.approx(0.375)
    assert found.gain.score == pytest.approx(1.0)  # a gain of 100 %, as the paper counts
    assert (found.base.n, found.base.clusters) == (42, 42)


def test_the_interval_of_one_task_is_that_of_its_difference():
    (task,) = tasks_of(np.random.default_rng(1), sizes=(400,))
    found = category_gain([task], 0).difference
    expected = compare(task.base, task.adapter, {}, 0).estimate
    assert found.score == pytest.approx(expected.score)
    assert found.ci_low == pytest.approx(expected.ci_low, abs=0.01)
    assert found.ci_high == pytest.approx(expected.ci_high, abs=0.01)


def test_two_tasks_tell_more_than_one():
    tasks = tasks_of(np.random.default_rng(1), sizes=(200, 200))
    both = category_gain(tasks, 0).difference
    one = category_gain(tasks[:1], 0).difference
    ratio = (both.ci_high - both.ci_low) / (one.ci_high - one.ci_low)
    assert ratio == pytest.approx(1 / np.sqrt(2), rel=0.15)


def test_the_gain_has_an_interval_of_its_own():
    found = category_gain(tasks_of(np.random.default_rng(1)), 0)
    assert found.gain.ci_low < found.gain.score < found.gain.ci_high
    assert found.gain.ci_low > 0


def test_clusters_widen_the_interval():
    rng = np.random.default_rng(2)
    of_cluster = np.tile(rng.normal(0, 1, 20), 10)
    base = means(rng.normal(5, 0.1, 200))
    adapter = means(base.values + of_cluster)
    alone = category_gain([PairedTask("one", base, adapter, {})], 0).difference
    clusters = in_clusters(base, 20)
    grouped = category_gain([PairedTask("one", base, adapter, clusters)], 0).difference
    assert grouped.clusters == 20
    assert grouped.ci_high - grouped.ci_low > 2 * (alone.ci_high - alone.ci_low)


def test_a_base_model_that_scores_nothing_has_no_relative_gain():
    found = category_gain([PairedTask("one", shares([0] * 30), shares([0, 1] * 15), {})], 0)
    assert found.gain is None
    assert found.difference.score == 0.5
    # Nor one that scores nothing in some resamples.
    found = category_gain([PairedTask("one", shares([1] + [0] * 29), shares([1] * 30), {})], 0)
    assert found.gain is None


def test_one_item_has_no_interval():
    found = category_gain([PairedTask("one", shares([1]), shares([1]), {})], 0)
    assert (found.difference.ci_low, found.difference.ci_high) == (None, None)


@pytest.mark.parametrize("make", [shares, means])
def test_tasks_without_variation_claim_no_certainty(make):
    """The average's interval is that of single scores, and never a point."""
    none = PairedTask("none", make([0.0] * 20), make([0.0] * 20), {})
    found = category_gain([none], 0)
    alone = compare(none.base, none.adapter, {}, 0).estimate
    assert (found.difference.ci_low, found.difference.ci_high) == (alone.ci_low, alone.ci_high)
    both = category_gain([none, none], 0)
    ends = [both.base.ci_high, both.adapter.ci_high, both.difference.ci_high]
    if make is means:  # a metric without a bound
        assert ends == [None, None, None]
        assert both.base.method == "none: a task has no variation, and its metric no bound"
        return
    assert both.base.ci_high == pytest.approx(estimate(none.base, {}, 0).ci_high / np.sqrt(2))
    assert both.difference.ci_low < 0 < both.difference.ci_high
    assert both.difference.method == "the tasks' own intervals, squared and added"


def test_one_task_without_variation_widens_the_average():
    rng = np.random.default_rng(3)
    (varied,) = tasks_of(rng, sizes=(200,))
    flat = PairedTask("flat", shares([1.0] * 12), shares([1.0] * 12), {})
    one = compare(varied.base, varied.adapter, {}, 0).estimate
    found = category_gain([varied, flat], 0)
    assert found.difference.score == pytest.approx(one.score / 2)
    assert found.difference.ci_high > one.ci_high / 2
    assert found.base.ci_low < found.base.score < found.base.ci_high <= 1
    # A quotient of such averages has no interval, and says why.
    assert (found.gain.ci_low, found.gain.ci_high) == (None, None)
    assert found.gain.method.startswith("none: a task has no variation")


def test_few_items_are_no_certainty_either():
    few = PairedTask("few", shares([1, 0, 1]), shares([1, 1, 1]), {})
    found = category_gain([few], 0)
    alone = compare(few.base, few.adapter, {}, 0).estimate
    ends = (found.difference.ci_low, found.difference.ci_high)
    assert ends == pytest.approx((alone.ci_low, alone.ci_high))


def test_no_tasks_and_no_items_are_refused():
    with pytest.raises(MeasuredError, match="at least one task"):
        category_gain([], 0)
    with pytest.raises(MeasuredError, match="without items"):
        category_gain([PairedTask("one", shares([]), shares([]), {})], 0)
