"""Means over seeds, with intervals for other items and other seeds.

Belongs here: the variance over seeds, pooled over the families of a design. Does not: the interval
of one score (comparisons.intervals), or of a family from the results of items
(evaluation.statistics.over_seeds).
"""

import math
from collections.abc import Iterable, Sequence
from statistics import fmean, stdev, variance
from typing import NamedTuple

from bioinstruct_dagster.evaluation.statistics.closed_forms import COVERAGE, t_quantile
from bioinstruct_dagster.findings.comparisons.intervals import Interval


class OverSeeds(NamedTuple):
    """The mean over seeds, with an interval for other items and other seeds.

    Attributes:
        mean: with its interval.
        spread: the standard deviation of the seeds' scores; None for one seed.
        seeds: how many.
    """

    mean: Interval
    spread: float | None
    seeds: int


class SeedVariance(NamedTuple):
    """How much scores differ from seed to seed.

    Attributes:
        variance: of the score of one seed.
        df: the degrees of freedom that it was estimated with.
    """

    variance: float
    df: int


def seed_variance(families: Iterable[Sequence[float]]) -> SeedVariance | None:
    """The variance within families of seeds, pooled over the families of one design.

    Two seeds alone tell so little of their variance that no interval would ever exclude 0. The
    families of a design differ in their rows only, so their variances are taken as one, as in an
    analysis of variance.

    Args:
        families: the scores of each family's seeds.

    Returns:
        The variance; None if no family has two seeds.
    """
    known = [scores for scores in families if len(scores) > 1]
    df = sum(len(scores) - 1 for scores in known)
    if not df:
        return None
    return SeedVariance(sum((len(each) - 1) * variance(each) for each in known) / df, df)


def over_seeds(members: Sequence[Interval], by_seed: SeedVariance | None = None) -> OverSeeds:
    """The mean of scores that differ in their seed alone and are of the same items.

    Each side of the interval has two parts, which are squared and added, each with its own quantile
    (Howe 1974), as in `evaluation.statistics.over_seeds`: the mean distance of the members' own
    ends, which other items would cause, and the distance that other seeds would cause. The items
    are the same for all seeds, so more seeds do not shrink the first part.

    Args:
        members: at least one, each with the interval over items.
        by_seed: the variance over seeds. Without it, the interval holds for these seeds only.
    """
    mean, seeds = fmean(one.score for one in members), len(members)
    spread = stdev(one.score for one in members) if seeds > 1 else None
    seed_part = 0.0
    if by_seed:
        quantile = float(t_quantile((1 + COVERAGE) / 2, by_seed.df))
        seed_part = quantile * math.sqrt(by_seed.variance / seeds)
    lows = [one.score - one.low for one in members if one.low is not None]
    highs = [one.high - one.score for one in members if one.high is not None]
    return OverSeeds(
        Interval(
            mean,
            mean - math.hypot(fmean(lows), seed_part) if len(lows) == seeds else None,
            mean + math.hypot(fmean(highs), seed_part) if len(highs) == seeds else None,
        ),
        spread,
        seeds,
    )
