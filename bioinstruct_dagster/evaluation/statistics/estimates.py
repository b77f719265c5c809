"""The score of one subject on one metric, with a 95 % interval and what the interval rests on.

Belongs here: the choice of the interval. Does not: differences of two subjects (comparisons),
several seeds (over_seeds), or formulas (closed_forms, resamples).
"""

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from bioinstruct_dagster.evaluation.metrics.measured import Measured
from bioinstruct_dagster.evaluation.statistics.closed_forms import COVERAGE, t_quantile, wilson
from bioinstruct_dagster.evaluation.statistics.resamples import bootstrap, widened_percentiles
from bioinstruct_dagster.evaluation.statistics.sums import (
    Clusters,
    ClusterSums,
    cluster_sums,
    jackknife_error,
)

FEW_CLUSTERS = 10  # fewer clusters, or items without clusters, get t instead of a bootstrap
WILSON_ITEMS = 300  # proportions of fewer items get Wilson's interval
# Methods of intervals, as they stand in the store.
NO_ITEMS = "no items"
ONE_UNIT = "one item or cluster: the range of the metric"
NO_VARIATION = "no variation: Wilson's bound on the share that could differ"
WILSON = "Wilson"
CLUSTERED_WILSON = "Wilson with the clusters' effective n and t"
BOOTSTRAP = "bootstrap"
CLUSTERED_BOOTSTRAP = "bootstrap of clusters"
JACKKNIFE = "t with the jackknife's error"
CLUSTERED_JACKKNIFE = "t with the jackknife's error of clusters"


@dataclass(frozen=True)
class ScoreEstimate:
    """A score and its 95 % interval.

    Attributes:
        score: the score; NaN if there are no items.
        ci_low: lower end; None if the items allow none.
        ci_high: upper end; None if the items allow none.
        n: number of items.
        clusters: number of clusters; an item without a cluster is one by itself.
        method: what the interval rests on, in words.
    """

    score: float
    ci_low: float | None
    ci_high: float | None
    n: int
    clusters: int
    method: str

    def __str__(self) -> str:
        """Such as `0.612 [0.583, 0.641]`."""
        if self.ci_low is None or self.ci_high is None:
            return f"{self.score:.3f}"
        return f"{self.score:.3f} [{self.ci_low:.3f}, {self.ci_high:.3f}]"

    def columns(self) -> dict[str, Any]:
        """The columns by these names, which all tables of scores share."""
        return asdict(self)


def estimate(measured: Measured, clusters: Clusters, seed: int) -> ScoreEstimate:
    """The score of a metric with its interval.

    The interval counts clusters if items share one. Otherwise, a proportion of fewer than 300 items
    gets Wilson's interval, and all else a bootstrap of 10,000 resamples. Fewer than ten clusters or
    items get an interval of t.

    Args:
        measured: the values.
        clusters: the cluster of each item by its id. An item that is missing, or whose cluster is
            empty, is a cluster by itself.
        seed: of the bootstrap. The order of the items does not matter.
    """
    sums = cluster_sums(measured, clusters)
    if (early := without_spread(sums)) is not None:
        return early
    found = ScoreEstimate(sums.score, None, None, sums.items, sums.clusters, "")
    if measured.proportion and sums.shared:
        low, high = _clustered_wilson(sums)
        return replace(found, ci_low=low, ci_high=high, method=CLUSTERED_WILSON)
    if measured.proportion and sums.items < WILSON_ITEMS:
        low, high = (float(end) for end in wilson(sums.score, sums.items))
        return replace(found, ci_low=low, ci_high=high, method=WILSON)
    low, high, method = general_interval(sums, seed)
    return replace(found, ci_low=low, ci_high=high, method=method)


def without_spread(sums: ClusterSums) -> ScoreEstimate | None:
    """The estimate where the spread between clusters is unknown or 0; None where it is neither.

    If all clusters give the same score, the data still do not exclude others. At most a share u of
    clusters differs, by Wilson's bound for none of them, and each by at most the range of the
    metric.
    """
    n, count = sums.items, sums.clusters
    low, high = sums.bounds
    score = sums.score if n else math.nan
    if math.isnan(score):
        return ScoreEstimate(math.nan, None, None, n, count, NO_ITEMS)
    if count == 1:
        return ScoreEstimate(score, _finite(low), _finite(high), n, count, ONE_UNIT)
    if np.ptp(sums.left_out()) > 1e-12 * max(1.0, abs(score)):
        return None
    share = float(wilson(0.0, count)[1])
    return ScoreEstimate(
        score,
        _finite(score - share * (score - low)),
        _finite(score + share * (high - score)),
        n,
        count,
        NO_VARIATION,
    )


def general_interval(sums: ClusterSums, seed: int) -> tuple[float, float, str]:
    """The interval of any score within the metric's range, and its method.

    A bootstrap of clusters, widened for few clusters. Resamples of fewer than ten can't go far
    enough from the score (of two, half of them are the score itself). There, the jackknife's error
    and the quantile of t make the interval.
    """
    if sums.clusters < FEW_CLUSTERS:
        half = float(t_quantile((1 + COVERAGE) / 2, sums.clusters - 1)) * jackknife_error(
            sums.left_out()
        )
        low, high = sums.score - half, sums.score + half
        method = CLUSTERED_JACKKNIFE if sums.shared else JACKKNIFE
    else:
        drawn = bootstrap(sums.table, sums.of, seed)
        low, high = widened_percentiles(drawn[np.isfinite(drawn)], sums.clusters)
        method = CLUSTERED_BOOTSTRAP if sums.shared else BOOTSTRAP
    return max(low, sums.bounds[0]), min(high, sums.bounds[1]), method


def _clustered_wilson(sums: ClusterSums) -> tuple[float, float]:
    """Wilson's interval with as many items as would give the clusters' variance.

    Korn and Graubard (1998) and Dean and Pagano (2015) found such intervals to hold for clustered
    proportions near 0 and 1, where an interval of t and a standard error does not. The variance is
    the jackknife's over clusters, and t has the clusters' degrees of freedom.
    """
    share, error = sums.score, jackknife_error(sums.left_out())
    # Clusters can be more alike than single items. Past a factor of 2, that is more often chance.
    effective = min(share * (1 - share) / error**2, 2 * sums.items)
    z = t_quantile((1 + COVERAGE) / 2, sums.clusters - 1)
    low, high = wilson(share, effective, z)
    return float(low), float(high)


def _finite(end: float) -> float | None:
    return end if math.isfinite(end) else None
