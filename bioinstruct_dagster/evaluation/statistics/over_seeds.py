"""Scores over adapters that differ only in their seed: mean, spread, and a two-way interval.

Belongs here: the variance of a design in which each seed answers each item. Does not: one adapter
(evaluation.statistics.estimates, comparisons).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bioinstruct_dagster.evaluation.metrics.measured import Floats, Measured, MeasuredError
from bioinstruct_dagster.evaluation.statistics.closed_forms import (
    COVERAGE,
    t_quantile,
    t_two_sided,
)
from bioinstruct_dagster.evaluation.statistics.estimates import Estimate, without_spread
from bioinstruct_dagster.evaluation.statistics.sums import (
    Clusters,
    ClusterSums,
    difference_of,
    paired_sums,
)

TWO_WAY = "t over items and seeds"
CLUSTERED_TWO_WAY = "t over clusters of items and seeds"


@dataclass(frozen=True)
class SeedsEstimate:
    """The mean score of several seeds.

    Attributes:
        estimate: the mean over seeds, with an interval for other items and other seeds.
        spread: the standard deviation of the seeds' scores.
        seeds: how many.
        p_value: two-sided, of a mean of 0; None without a base model to compare with.
    """

    estimate: Estimate
    spread: float
    seeds: int
    p_value: float | None


def over_seeds(
    adapters: Sequence[Measured], clusters: Clusters, base: Measured | None = None
) -> SeedsEstimate:
    """The mean over seeds of a score, or of its difference to the base model.

    The variance of the mean is that over items, plus that over seeds, minus that of the single
    answers, which both hold (Cameron, Gelbach and Miller 2011). The degrees of freedom are
    Satterthwaite's.

    Args:
        adapters: one for each seed, at least two, on the same items.
        clusters: the cluster of each item by its id, as for `estimate`.
        base: the base model, which has no seed.

    Raises:
        MeasuredError: there are fewer than two seeds, or their items differ.
    """
    if len(adapters) < 2:  # noqa: PLR2004
        raise MeasuredError("A spread over seeds needs at least two adapters.")
    sums: Sequence[ClusterSums]
    if base is None:
        sums = paired_sums(adapters, clusters)
    else:
        first, *others = paired_sums((base, *adapters), clusters)
        sums = [difference_of(first, other) for other in others]
    scores = np.array([each.score for each in sums])
    mean, spread, seeds = float(scores.mean()), float(scores.std(ddof=1)), len(sums)
    n, count = sums[0].items, sums[0].clusters
    if not n or count == 1:
        found = without_spread(sums[0])
        low, high = (found.ci_low, found.ci_high) if found else (None, None)
        method = found.method if found else ""
        return SeedsEstimate(Estimate(mean, low, high, n, count, method), spread, seeds, None)
    variance, df = _two_way(np.stack([each.left_out() for each in sums]), scores)
    bounds, error = sums[0].bounds, math.sqrt(variance)
    if error == 0 and (same := without_spread(sums[0])) is not None:
        return SeedsEstimate(same, spread, seeds, None if base is None else 1.0)
    half = float(t_quantile((1 + COVERAGE) / 2, df)) * error
    method = CLUSTERED_TWO_WAY if sums[0].shared else TWO_WAY
    low, high = max(mean - half, bounds[0]), min(mean + half, bounds[1])
    p_value = t_two_sided(mean / error, df) if base is not None and error else None
    return SeedsEstimate(Estimate(mean, low, high, n, count, method), spread, seeds, p_value)


def _two_way(left_out: Floats, scores: Floats) -> tuple[float, float]:
    """The variance of the mean over seeds, and its degrees of freedom.

    Args:
        left_out: of shape (seeds, clusters), the scores without each cluster.
        scores: of shape (seeds,), of all clusters.
    """
    seeds, clusters = left_out.shape
    # How much each cluster moves each seed's score, times the number of clusters: for a mean, the
    # cluster's value minus the mean.
    moves = (clusters - 1) * (left_out.mean(axis=1, keepdims=True) - left_out)
    by_cluster = moves.mean(axis=0)
    items = float((by_cluster**2).sum() / (clusters * (clusters - 1)))
    between = float(scores.var(ddof=1) / seeds)
    rest = moves - by_cluster
    answers = float((rest**2).sum() / ((seeds - 1) * (clusters - 1)) / (clusters * seeds))
    # Seeds that differ less than their answers' noise make the last part larger than the second.
    own = max(between - answers, 0.0)
    variance = items + own
    if variance == 0:
        return 0.0, float(clusters - 1)
    parts = items**2 / (clusters - 1) + (between**2 / (seeds - 1) if own else 0.0)
    return variance, variance**2 / parts
