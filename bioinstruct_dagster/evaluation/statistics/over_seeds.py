"""Scores over adapters that differ only in their seed: mean, spread, and a two-way interval.

Belongs here: the variance of a design in which each seed answers each item. Does not: one adapter
(evaluation.statistics.estimates, comparisons).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bioinstruct_dagster.evaluation.metrics.measured import Floats, Measured, MeasuredError
from bioinstruct_dagster.evaluation.statistics.closed_forms import (
    COVERAGE,
    t_quantile,
)
from bioinstruct_dagster.evaluation.statistics.estimates import ScoreEstimate, without_spread
from bioinstruct_dagster.evaluation.statistics.sums import (
    Clusters,
    ClusterSums,
    difference_of,
    jackknife_error,
    paired_sums,
)

TWO_WAY = "t over items and seeds"
CLUSTERED_TWO_WAY = "t over clusters of items and seeds"
_STEPS = 60  # bisections of a probability


@dataclass(frozen=True)
class SeedsEstimate:
    """The mean score of several seeds.

    Attributes:
        estimate: the mean over seeds, with an interval for other items and other seeds.
        spread: the standard deviation of the seeds' scores.
        seeds: how many.
        p_value: two-sided, of a mean of 0; None without a base model to compare with.
    """

    estimate: ScoreEstimate
    spread: float
    seeds: int
    p_value: float | None


def over_seeds(
    adapters: Sequence[Measured],
    clusters: Clusters,
    base: Measured | Sequence[Measured] | None = None,
) -> SeedsEstimate:
    """The mean over seeds of a score, or of its difference to the base model.

    The variance of the mean is that over items plus that over seeds.

    Args:
        adapters: one for each seed, at least two, on the same items.
        clusters: the cluster of each item by its id, as for `estimate`.
        base: the base model, which has no seed; or what each adapter is compared with, one for
            each seed.

    Raises:
        MeasuredError: there are fewer than two seeds, or their items differ; or there is not one
            to compare with for each seed.
    """
    if len(adapters) < 2:  # noqa: PLR2004
        raise MeasuredError("A spread over seeds needs at least two adapters.")
    sums: Sequence[ClusterSums]
    if base is None:
        sums = paired_sums(adapters, clusters)
    else:
        bases = [base] * len(adapters) if isinstance(base, Measured) else list(base)
        if len(bases) != len(adapters):
            raise MeasuredError(
                f"{len(adapters)} adapters can't be compared with {len(bases)} others in pairs."
            )
        paired = paired_sums((*bases, *adapters), clusters)
        sums = [
            difference_of(first, second)
            for first, second in zip(paired[: len(bases)], paired[len(bases) :], strict=True)
        ]
    scores = np.array([each.score for each in sums])
    mean, spread, seeds = float(scores.mean()), float(scores.std(ddof=1)), len(sums)
    n, count = sums[0].items, sums[0].clusters
    same = without_spread(sums[0])
    if same and count <= 1:
        return SeedsEstimate(replace(same, score=mean), spread, seeds, None)
    items, between = _two_variances(np.stack([each.left_out() for each in sums]), scores)
    if same and items == between == 0:
        return SeedsEstimate(same, spread, seeds, None if base is None else 1.0)
    half = _half_width((1 + COVERAGE) / 2, (items, count - 1), (between, seeds - 1))
    method = CLUSTERED_TWO_WAY if sums[0].shared else TWO_WAY
    low, high = max(mean - half, sums[0].bounds[0]), min(mean + half, sums[0].bounds[1])
    p_value = None if base is None else _p_value(mean, (items, count - 1), (between, seeds - 1))
    return SeedsEstimate(ScoreEstimate(mean, low, high, n, count, method), spread, seeds, p_value)


def _two_variances(left_out: Floats, scores: Floats) -> tuple[float, float]:
    """The variances of the mean over seeds: by other items, and by other seeds.

    Both hold the noise of single answers, so the sum is rather too large than too small.

    Args:
        left_out: of shape (seeds, clusters), the scores without each cluster.
        scores: of shape (seeds,), of all clusters.
    """
    return jackknife_error(left_out.mean(axis=0)) ** 2, float(scores.var(ddof=1) / len(scores))


def _half_width(probability: float, *parts: tuple[float, int]) -> float:
    """Half of the interval of a mean whose variance has parts with degrees of freedom of their own.

    Each part gets its own quantile of t (Howe 1974). Degrees of freedom after Satterthwaite covered
    only 87 % in our simulation of two seeds that differ much: two seeds are close by chance too
    often.
    """
    return math.sqrt(
        sum(float(t_quantile(probability, df)) ** 2 * variance for variance, df in parts)
    )


def _p_value(mean: float, *parts: tuple[float, int]) -> float:
    """The two-sided p value: 1 minus the coverage of the interval that just reaches 0."""
    low, high = 0.5, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _half_width(middle, *parts) < abs(mean) else (low, middle)
    return min(1.0, 2 * (1 - low))
