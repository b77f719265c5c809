"""Intervals of findings, made from the intervals of stored scores.

Belongs here: a relative change, and the difference that could have been detected. Does not: means
over seeds (comparisons.seeds), or intervals from the results of items (evaluation.statistics).
"""

import math
from typing import NamedTuple

from bioinstruct_dagster.evaluation.statistics.closed_forms import (
    COVERAGE,
    POWER,
    normal_quantile,
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
