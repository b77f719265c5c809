"""The interval of an average from the intervals of its parts, where resamples would say too little.

Belongs here: when that is so, and how the ends are combined. Does not: the intervals of the parts
(evaluation.statistics.estimates, comparisons), or which parts are averaged (averages).
"""

import math
from collections.abc import Sequence

from bioinstruct_dagster.evaluation.statistics.estimates import (
    FEW_CLUSTERS,
    ScoreEstimate,
    without_spread,
)
from bioinstruct_dagster.evaluation.statistics.sums import ClusterSums


def resamples_say_too_little(sums: ClusterSums) -> bool:
    """Whether a single score of these items gets no bootstrap either, so that none is averaged.

    Resamples of items that are all alike are all alike, and would claim that no other item differs.
    """
    return sums.clusters < FEW_CLUSTERS or without_spread(sums) is not None


def interval_of_average(
    score: float, each: Sequence[ScoreEstimate]
) -> tuple[float | None, float | None]:
    """The ends of an average's interval from those of its parts, which are independent.

    The distances from the score to the ends are squared and added, apart for each side (Zou and
    Donner 2008, "Construction of confidence limits about effect measures"). An end is None if a
    part has none.
    """

    def distance(ends: Sequence[float | None]) -> float | None:
        found = [
            abs(one.score - end) for one, end in zip(each, ends, strict=True) if end is not None
        ]
        return math.hypot(*found) / len(each) if len(found) == len(each) else None

    below = distance([one.ci_low for one in each])
    above = distance([one.ci_high for one in each])
    return (None if below is None else score - below, None if above is None else score + above)
