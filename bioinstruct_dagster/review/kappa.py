"""Cohen's kappa of two reviewers, with its interval.

Belongs here: the closed form of the standard error. Does not: kappa itself (curation.category
.agreement, by scikit-learn), or which rows two reviewers share (measures).
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bioinstruct_dagster.curation.category.agreement import cohens_kappa
from bioinstruct_dagster.review.estimates import Z


@dataclass(frozen=True)
class Kappa:
    """Agreement beyond chance.

    Attributes:
        value: 1 is full agreement, 0 is that of chance.
        low: lower end of the 95 % interval; None if the rows allow none.
        high: upper end; None likewise.
        rows: judged by both.
    """

    value: float
    low: float | None
    high: float | None
    rows: int


def kappa_with_interval(pairs: Sequence[tuple[str, str]]) -> Kappa | None:
    """Kappa of the answers of two reviewers to the same rows; None if it is undefined.

    The standard error is that of Fleiss, Cohen and Everitt (1969), for large samples. It is 0 if
    all answers agree, which says nothing about other rows, so there is no interval then.

    Args:
        pairs: the answers of both, row by row.
    """
    value = cohens_kappa(pairs)
    if value is None:
        return None
    error = _standard_error(pairs, value)
    if not error:
        return Kappa(value, None, None, len(pairs))
    low, high = max(-1.0, value - Z * error), min(1.0, value + Z * error)
    return Kappa(value, low, high, len(pairs))


def _standard_error(pairs: Sequence[tuple[str, str]], kappa: float) -> float:
    n = len(pairs)
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    labels = set(first) | set(second)
    by_chance = sum(first[label] * second[label] for label in labels) / n**2
    agreed = other = 0.0
    for (one, two), count in Counter(pairs).items():
        share = count / n
        if one == two:
            margins = (first[one] + second[one]) / n
            agreed += share * (1 - margins * (1 - kappa)) ** 2
        else:
            other += share * ((second[one] + first[two]) / n) ** 2
    inner = agreed + (1 - kappa) ** 2 * other - (kappa - by_chance * (1 - kappa)) ** 2
    return math.sqrt(max(inner, 0.0) / n) / (1 - by_chance)
