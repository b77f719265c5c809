"""Adapter minus base model, paired by item: difference, interval, test, and what could be detected.

Belongs here: the choice of interval and test for two subjects. Does not: one subject (estimates),
several seeds of an adapter (over_seeds), or formulas (closed_forms, resamples).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from bioinstruct_dagster.evaluation.metrics.measured import Measured
from bioinstruct_dagster.evaluation.statistics.closed_forms import (
    COVERAGE,
    POWER,
    mcnemar,
    normal_quantile,
    t_quantile,
    tango,
)
from bioinstruct_dagster.evaluation.statistics.estimates import (
    NO_VARIATION,
    ScoreEstimate,
    general_interval,
    without_spread,
)
from bioinstruct_dagster.evaluation.statistics.resamples import (
    permutation_p_value,
    swapped,
)
from bioinstruct_dagster.evaluation.statistics.sums import (
    Clusters,
    ClusterSums,
    difference_of,
    jackknife_error,
    paired_sums,
)

TANGO = "Tango"
# Tests, as they stand in the store.
MCNEMAR = "McNemar, exact"
PERMUTATION = "permutation of the pairs"
CLUSTERED_PERMUTATION = "permutation of the clusters' pairs"
NO_TEST = "none: one item or cluster"
# With fewer pairs or clusters than this, no exact two-sided test reaches 5 %: 2 * 0.5**5 = 0.0625.
FEWEST_PAIRS = 6


@dataclass(frozen=True)
class Comparison:
    """A difference of two subjects on the same items.

    Attributes:
        estimate: the difference, second minus first, with its 95 % interval.
        p_value: two-sided, of no difference, not corrected for the number of tasks.
        test: that p_value comes from.
        detectable: the least difference that a test at 5 % finds with a power of 80 %, if the
            items differ as much as these do; None if they are too few for any.
    """

    estimate: ScoreEstimate
    p_value: float
    test: str
    detectable: float | None

    def columns(self) -> dict[str, Any]:
        """The columns of a difference, which all tables of scores share; without NaN."""
        return {
            **self.estimate.columns(),
            "p_value": None if math.isnan(self.p_value) else self.p_value,
            "test": self.test,
            "detectable": self.detectable,
        }


def compare(base: Measured, adapter: Measured, clusters: Clusters, seed: int) -> Comparison:
    """The score of the adapter minus that of the base model.

    Right and wrong answers without clusters get McNemar's exact test and Tango's interval. All else
    gets a permutation test, in which base model and adapter are swapped at random, and a bootstrap
    of the differences. Both swap and draw whole clusters.

    Args:
        base: the values of the base model.
        adapter: the values of the adapter for the same items.
        clusters: the cluster of each item by its id, as for `estimate`.
        seed: of the bootstrap and of the permutations.

    Raises:
        MeasuredError: the two were not measured on the same items.
    """
    first, second = paired_sums((base, adapter), clusters)
    if _is_right_and_wrong(base, adapter, first):
        return _right_and_wrong(first, second)
    difference = difference_of(first, second)
    found = _estimate_of(difference, seed)
    if first.clusters <= 1:
        return Comparison(found, 1.0 if first.items else math.nan, NO_TEST, None)
    swaps = swapped(first.table, second.table, first.of, seed)
    p_value = permutation_p_value(found.score, swaps[np.isfinite(swaps)], first.clusters)
    test = CLUSTERED_PERMUTATION if first.shared else PERMUTATION
    # If all items gave the same difference, they say nothing of how much others differ.
    detectable = None if found.method == NO_VARIATION else _detectable(difference)
    return Comparison(found, p_value, test, detectable)


def difference_estimate(
    base: Measured, adapter: Measured, clusters: Clusters, seed: int
) -> ScoreEstimate:
    """The difference of `compare` and its interval, without a test. It takes the same arguments."""
    first, second = paired_sums((base, adapter), clusters)
    if _is_right_and_wrong(base, adapter, first):
        return _right_and_wrong(first, second).estimate
    return _estimate_of(difference_of(first, second), seed)


def _is_right_and_wrong(base: Measured, adapter: Measured, first: ClusterSums) -> bool:
    """Whether each item is right or wrong, and stands for itself."""
    return base.proportion and adapter.proportion and not first.shared and first.clusters > 1


def _estimate_of(difference: ClusterSums, seed: int) -> ScoreEstimate:
    found = without_spread(difference)
    if found is not None:
        return found
    low, high, method = general_interval(difference, seed)
    n, clusters = difference.items, difference.clusters
    return ScoreEstimate(difference.score, low, high, n, clusters, method)


def _right_and_wrong(first: ClusterSums, second: ClusterSums) -> Comparison:
    """Proportions of items that stand for themselves."""
    change = second.table[:, 0] - first.table[:, 0]
    gained, lost, n = int((change > 0).sum()), int((change < 0).sum()), len(change)
    low, high = (float(end) for end in tango(gained, lost, n))
    found = ScoreEstimate((gained - lost) / n, low, high, n, n, TANGO)
    return Comparison(found, mcnemar(gained, lost), MCNEMAR, detectable_share(gained + lost, n))


def detectable_share(discordant: int, n: int) -> float | None:
    """The difference of two paired proportions that McNemar's test finds with a power of 80 %.

    (z of 97.5 % + z of 80 %) * sqrt(discordant share / n), as for Connor's (1987) sample size, and
    at least the difference of six discordant pairs, below which the exact test can't reach 5 %.

    Args:
        discordant: items that only one of the two has right.
        n: number of items.
    """
    if n < FEWEST_PAIRS:
        return None
    widths = normal_quantile((1 + COVERAGE) / 2) + normal_quantile(POWER)
    return min(1.0, max(FEWEST_PAIRS / n, widths * math.sqrt(discordant) / n))


def _detectable(difference: ClusterSums) -> float | None:
    """The same for any score, from the jackknife's standard error of the difference."""
    df = difference.clusters - 1
    if difference.clusters < FEWEST_PAIRS:
        return None
    widths = float(t_quantile((1 + COVERAGE) / 2, df) + t_quantile(POWER, df))
    return min(widths * jackknife_error(difference.left_out()), difference.bounds[1])
