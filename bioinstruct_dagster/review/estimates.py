"""Shares of a population, estimated from samples of its strata, with 95 % intervals.

Each stratum is a simple random sample, so a row that was judged stands for population / judged rows
of its stratum (inverse sampling probability). Belongs here: the estimate and its interval. Does
not: what is counted (measures), or intervals of scores (the package of evaluation).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z = 1.959963984540054  # of the normal distribution, two-sided 95 %


@dataclass(frozen=True)
class StratumCount:
    """The judged rows of one stratum.

    Attributes:
        population: rows of the stratum.
        judged: rows of its sample with a decision.
        hits: judged rows that have the property.
    """

    population: int
    judged: int
    hits: int


@dataclass(frozen=True)
class Share:
    """An estimated share.

    Attributes:
        value: from 0 to 1.
        low: lower end of the 95 % interval.
        high: upper end.
        judged: judged rows that it rests on.
        population: rows of the strata that have judged rows.
        not_covered: rows of strata without any judged row; the share says nothing about them.
    """

    value: float
    low: float
    high: float
    judged: int
    population: int
    not_covered: int


def wilson(hits: float, n: float) -> tuple[float, float]:
    """Wilson's score interval (1927) of a share, 95 %.

    Args:
        hits: may be fractional, if `n` is an effective sample size.
        n: above 0.
    """
    p = hits / n
    centre = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def weighted_share(strata: Sequence[StratumCount], *, finite: bool) -> Share | None:
    """The share over all strata, each weighted by its population; None if nothing was judged.

    The interval is Wilson's with an effective sample size: the size of a simple random sample with
    the variance of this estimate (Dean and Pagano 2015 compare such intervals). The variances of
    the strata are computed from shares that are drawn towards one half by two extra rows (Agresti
    and Coull 1998), so that a stratum without a single hit does not count as certain.

    Args:
        strata: with their counts.
        finite: whether the share is of these rows alone. Then a stratum that was judged as a whole
            adds no uncertainty. Otherwise the rows stand for others of their kind, such as those
            that a filter will reject next.
    """
    seen = [one for one in strata if one.judged]
    if not seen:
        return None
    population = sum(one.population for one in seen)
    value = smooth = variance = 0.0
    for one in seen:
        weight = one.population / population
        p = (one.hits + 1) / (one.judged + 2)
        value += weight * one.hits / one.judged
        smooth += weight * p
        left = 1 - one.judged / one.population if finite else 1.0
        variance += weight**2 * left * p * (1 - p) / one.judged
    if variance <= 0:
        low = high = value
    else:
        n = smooth * (1 - smooth) / variance
        low, high = wilson(value * n, n)
    return Share(
        value,
        low,
        high,
        sum(one.judged for one in seen),
        population,
        sum(one.population for one in strata if not one.judged),
    )
