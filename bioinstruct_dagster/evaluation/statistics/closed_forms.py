"""Intervals and tests that have a formula: Wilson, Tango, McNemar, Holm.

All take arrays, so that a simulation is one call. Belongs here: formulas. Does not: the choice
between them (evaluation.statistics.estimates, comparisons), or resampling (resamples).
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from bioinstruct_dagster.evaluation.metrics.measured import Floats

COVERAGE = 0.95
POWER = 0.8
_STEPS = 60  # bisections of an interval of length 2: the error is below 1e-15


def normal_quantile(probability: float) -> float:
    """The quantile of the normal distribution."""
    from scipy import special

    return float(special.ndtri(probability))


def t_quantile(probability: float, df: ArrayLike) -> Floats:
    """The quantiles of Student's t distribution. For 0 degrees of freedom: infinity."""
    from scipy import special

    degrees = np.asarray(df, dtype=np.float64)
    safe = np.where(degrees > 0, degrees, 1.0)
    return np.where(degrees > 0, special.stdtrit(safe, probability), np.inf)


def wilson(share: ArrayLike, n: ArrayLike, z: ArrayLike | None = None) -> tuple[Floats, Floats]:
    """Wilson's score interval of a proportion (Wilson 1927; Brown and others 2001).

    Args:
        share: the observed proportion.
        n: number of observations; an effective number need not be whole.
        z: the quantile. Default: of the normal distribution, for 95 %.
    """
    p, n = np.asarray(share, dtype=np.float64), np.asarray(n, dtype=np.float64)
    z = np.asarray(normal_quantile((1 + COVERAGE) / 2) if z is None else z, dtype=np.float64)
    z2 = z * z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * np.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    # At a share of 0 or 1, the end is that share; the formula misses it by rounding.
    low = np.where(p <= 0, 0.0, np.maximum(middle - half, 0.0))
    high = np.where(p >= 1, 1.0, np.minimum(middle + half, 1.0))
    return low, high


def mcnemar(gained: int, lost: int) -> float:
    """The exact two-sided p value of McNemar's test: a binomial test of the discordant pairs.

    Args:
        gained: items that only the second subject has right.
        lost: items that only the first subject has right.
    """
    from scipy import special

    return min(1.0, 2 * float(special.bdtr(min(gained, lost), gained + lost, 0.5)))


def tango(gained: ArrayLike, lost: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    """Tango's score interval of the difference of two paired proportions (Tango 1998).

    Args:
        gained: items that only the second subject has right.
        lost: items that only the first subject has right.
        n: number of items.

    Returns:
        The ends of the interval of `(gained - lost) / n`.
    """
    b, c, n = (np.asarray(each, dtype=np.float64) for each in (gained, lost, n))
    z = normal_quantile((1 + COVERAGE) / 2)
    observed = (b - c) / n

    def end(side: float) -> Floats:
        inside, outside = observed, np.broadcast_to(np.float64(side), observed.shape)
        for _ in range(_STEPS):
            middle = (inside + outside) / 2
            far = np.abs(_tango_statistic(b, c, n, middle)) > z
            inside, outside = np.where(far, inside, middle), np.where(far, middle, outside)
        return np.where(observed == side, side, inside)

    return end(-1.0), end(1.0)


def _tango_statistic(b: Floats, c: Floats, n: Floats, delta: Floats) -> Floats:
    """The score statistic of a difference delta; the share of losses is its likeliest one."""
    two_a = 4 * n
    minus_b = b + c - (2 * n - b + c) * delta
    constant = -c * delta * (1 - delta)
    lost = (np.sqrt(np.maximum(minus_b**2 - 2 * two_a * constant, 0.0)) + minus_b) / two_a
    variance = n * (2 * lost + delta * (1 - delta))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (b - c - n * delta) / np.sqrt(np.maximum(variance, 0.0))
    return np.where(np.isnan(found), 0.0, found)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p values for their number by Holm's step-down method (Holm 1979).

    A p value that is NaN stays NaN and does not count.
    """
    known = [place for place, p in enumerate(p_values) if not math.isnan(p)]
    corrected = [math.nan] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(known, key=lambda place: p_values[place])):
        largest = max(largest, min(1.0, (len(known) - rank) * p_values[place]))
        corrected[place] = largest
    return corrected
