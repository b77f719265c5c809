"""Intervals of findings, made from the intervals of stored scores.

Belongs here: a mean over seeds, a relative change, and the difference that could have been
detected. Does not: intervals from the results of items (evaluation.statistics).
"""

import math
from collections.abc import Iterable, Sequence
from statistics import fmean, stdev, variance
from typing import NamedTuple

from bioinstruct_dagster.evaluation.statistics.closed_forms import (
    COVERAGE,
    POWER,
    normal_quantile,
    t_quantile,
)


class Interval(NamedTuple):
    """A score with the ends of its 95 % interval; an end is None if nothing allows one."""

    score: float
    low: float | None
    high: float | None

    @property
    def error(self) -> float | None:
        """The standard error that an interval of the normal distribution would have."""
        if self.low is None or self.high is None:
            return None
        return (self.high - self.low) / 2 / normal_quantile((1 + COVERAGE) / 2)

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 lies outside of the interval."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


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


def relative_change(base: Interval, adapter: Interval, difference: Interval) -> Interval | None:
    """The difference divided by the base model's score, with Fieller's interval (Fieller 1954).

    The three intervals tell the variances of base and difference, and also how they covary,
    because the adapter's score is their sum.

    Returns:
        The change; 0.1 is 10 %. Without ends if the base model's score may be 0, or if an interval
        lacks an end. None if the base model's score is not above 0.
    """
    if base.score <= 0:
        return None
    ratio = difference.score / base.score
    errors = [one.error for one in (base, adapter, difference)]
    if any(error is None for error in errors):
        return Interval(ratio, None, None)
    of_base, of_adapter, of_difference = (error**2 for error in errors if error is not None)
    both = (of_adapter - of_base - of_difference) / 2
    z2 = normal_quantile((1 + COVERAGE) / 2) ** 2
    first = base.score**2 - z2 * of_base
    if first <= 0:
        return Interval(ratio, None, None)
    second = base.score * difference.score - z2 * both
    inside = second**2 - first * (difference.score**2 - z2 * of_difference)
    root = math.sqrt(max(inside, 0.0))
    return Interval(ratio, min(ratio, (second - root) / first), max(ratio, (second + root) / first))


def detectable(difference: Interval) -> float | None:
    """The least true difference that an interval of this width would exclude 0 for.

    With a power of 80 %, by the normal distribution. None if the interval has no ends or no width.
    """
    error = difference.error
    if not error:
        return None
    return error * (normal_quantile((1 + COVERAGE) / 2) + normal_quantile(POWER))
