"""Averages over the tasks of a category, and the relative gain of an adapter, with intervals.

The paper states its gains in this form (evaluation.metrics.paper). Belongs here: averages over
tasks. Does not: one task (evaluation.statistics.estimates, comparisons).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bioinstruct_dagster.evaluation.metrics.measured import Floats, Measured, MeasuredError
from bioinstruct_dagster.evaluation.statistics.closed_forms import COVERAGE
from bioinstruct_dagster.evaluation.statistics.combined_intervals import (
    interval_of_average,
    resamples_say_too_little,
)
from bioinstruct_dagster.evaluation.statistics.comparisons import difference_estimate
from bioinstruct_dagster.evaluation.statistics.estimates import (
    CLUSTERED_BOOTSTRAP,
    ScoreEstimate,
    estimate,
)
from bioinstruct_dagster.evaluation.statistics.resamples import bootstrap, widened_percentiles
from bioinstruct_dagster.evaluation.statistics.sums import (
    Clusters,
    ClusterSums,
    difference_of,
    paired_sums,
)

WITHIN_TASKS = "bootstrap of the items within each task"
OF_INTERVALS = "the tasks' own intervals, squared and added"
ONE_UNIT_OF_A_TASK = "none: a task has one item or cluster"
NO_BOUND = "none: a task has no variation, and its metric no bound"
NO_GAIN_INTERVAL = "none: a task has no variation, or fewer than ten items or clusters"


@dataclass(frozen=True)
class PairedTask:
    """One task's main metric of base model and adapter.

    Attributes:
        name: of the task.
        base: the values of the base model.
        adapter: the values of the adapter for the same items.
        clusters: the cluster of each item by its id.
    """

    name: str
    base: Measured
    adapter: Measured
    clusters: Clusters


@dataclass(frozen=True)
class CategoryGain:
    """The averages over some tasks. Each task counts alike, whatever its number of items.

    Attributes:
        tasks: their names.
        base: the average of the base model.
        adapter: the average of the adapter.
        difference: adapter minus base.
        gain: the difference divided by the base model's average, as the paper states gains; None
            if the base model's average is not above 0 in nearly all resamples.
    """

    tasks: tuple[str, ...]
    base: ScoreEstimate
    adapter: ScoreEstimate
    difference: ScoreEstimate
    gain: ScoreEstimate | None


def category_gain(tasks: Sequence[PairedTask], seed: int) -> CategoryGain:
    """The averages over tasks of base model and adapter, and the relative gain.

    The intervals say how the averages would differ on other items of the same tasks. They do not
    say how they would differ on other tasks. Where a task's items do not vary, or are fewer than
    ten, its interval is that of the single score, and the average's is made of these.

    Args:
        tasks: at least one.
        seed: of the resamples. Each task has draws of its own.

    Raises:
        MeasuredError: there is no task, a task has no items, or its items differ between the two.
    """
    if not tasks:
        raise MeasuredError("An average over tasks needs at least one task.")
    pairs = [paired_sums((task.base, task.adapter), task.clusters) for task in tasks]
    if any(not first.items for first, _ in pairs):
        raise MeasuredError("A task without items has no place in an average over tasks.")
    drawn = [_drawn(one, other, seed + place) for place, (one, other) in enumerate(pairs)]
    base, adapter = np.mean(drawn, axis=0)
    at_base, at_adapter = (float(np.mean([pair[side].score for pair in pairs])) for side in (0, 1))
    n = sum(first.items for first, _ in pairs)
    fewest = min(first.clusters for first, _ in pairs)
    clusters = sum(first.clusters for first, _ in pairs)
    shared = any(first.shared for first, _ in pairs)
    method = CLUSTERED_BOOTSTRAP + " within each task" if shared else WITHIN_TASKS

    def drawn_interval(score: float, samples: Floats) -> ScoreEstimate:
        low, high = widened_percentiles(samples, fewest)
        return ScoreEstimate(score, low, high, n, clusters, method)

    def found(
        score: float,
        samples: Floats,
        sums: Sequence[ClusterSums],
        alone: Callable[[PairedTask, int], ScoreEstimate],
    ) -> ScoreEstimate:
        if fewest < 2:  # noqa: PLR2004 (one cluster has no spread)
            return ScoreEstimate(score, None, None, n, clusters, ONE_UNIT_OF_A_TASK)
        if not any(map(resamples_say_too_little, sums)):
            return drawn_interval(score, samples)
        each = [alone(task, seed + place) for place, task in enumerate(tasks)]
        low, high = interval_of_average(score, each)
        known = low is not None and high is not None
        return ScoreEstimate(score, low, high, n, clusters, OF_INTERVALS if known else NO_BOUND)

    with np.errstate(divide="ignore", invalid="ignore"):
        gains = adapter / base - 1
    rare = (1 - COVERAGE) / 10
    has_gain = at_base > 0 and float(np.mean(base <= 0)) < rare
    differences: list[ClusterSums] = [difference_of(*pair) for pair in pairs]
    difference = found(at_adapter - at_base, adapter - base, differences, _difference_alone)
    gain: ScoreEstimate | None = None
    if has_gain and fewest < 2:  # noqa: PLR2004
        gain = replace(difference, score=at_adapter / at_base - 1)
    elif has_gain and any(map(resamples_say_too_little, [pair[0] for pair in pairs] + differences)):
        gain = ScoreEstimate(at_adapter / at_base - 1, None, None, n, clusters, NO_GAIN_INTERVAL)
    elif has_gain:
        gain = drawn_interval(at_adapter / at_base - 1, gains[np.isfinite(gains)])
    return CategoryGain(
        tuple(task.name for task in tasks),
        found(at_base, base, [pair[0] for pair in pairs], _base_alone),
        found(at_adapter, adapter, [pair[1] for pair in pairs], _adapter_alone),
        difference,
        gain,
    )


def _base_alone(task: PairedTask, seed: int) -> ScoreEstimate:
    return estimate(task.base, task.clusters, seed)


def _adapter_alone(task: PairedTask, seed: int) -> ScoreEstimate:
    return estimate(task.adapter, task.clusters, seed)


def _difference_alone(task: PairedTask, seed: int) -> ScoreEstimate:
    return difference_estimate(task.base, task.adapter, task.clusters, seed)


def _drawn(first: ClusterSums, second: ClusterSums, seed: int) -> Floats:
    """The scores of both subjects in the same resamples, of shape (2, resamples)."""
    columns = first.table.shape[1]
    table = np.concatenate([first.table, second.table], axis=1)
    return np.stack(
        [
            bootstrap(table, lambda sums: first.of(sums[..., :columns]), seed),
            bootstrap(table, lambda sums: second.of(sums[..., columns:]), seed),
        ]
    )
