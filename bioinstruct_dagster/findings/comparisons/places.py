"""Which places of a ranking the data allow: adapters that can't be told apart share a place.

Every pair of adapters is compared on the same items. The best place of an adapter is one behind
those that are significantly better, and its last place is one before those that are significantly
worse, after Holm's correction over all pairs. Belongs here: that comparison. Does not: which
adapters are on equal items (ranking, ablation).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bioinstruct_dagster.evaluation.metrics.measured import Floats
from bioinstruct_dagster.evaluation.statistics.closed_forms import COVERAGE, holm
from bioinstruct_dagster.findings.comparisons.seeds import SeedVariance, seed_variance

PAIRED = "paired by item"
UNPAIRED = "from the intervals, as if the items differed"
_STEPS = 50  # bisections of a probability


class Place(NamedTuple):
    """The places that one adapter, or one family of seeds, may have.

    Attributes:
        best: 1 if no other is significantly better.
        last: the number of all if no other is significantly worse.
        of: how many were compared.
    """

    best: int
    last: int
    of: int

    @property
    def tied_with_best(self) -> bool:
        """Whether nothing shows that another one is better."""
        return self.best == 1


class Entrant(NamedTuple):
    """What is ranked: one adapter, or a family of seeds.

    Attributes:
        scores: of each seed.
        errors: the standard error over items of each seed's score; None if it is not known.
    """

    scores: Sequence[float]
    errors: Sequence[float | None]


def places(
    entrants: Sequence[Entrant],
    tasks: Sequence[Floats] | None,
    items: int,
    *,
    lower_is_better: bool = False,
) -> list[Place]:
    """The places of each entrant.

    Args:
        entrants: on equal items.
        tasks: for each task that the score is averaged over, an array of shape (entrants, items):
            the values of the items, averaged over seeds. None if only the errors are known; then
            the items count as if they differed, which calls fewer differences real.
        items: the least number of items or clusters of a task.
        lower_is_better: as of a loss.
    """
    count = len(entrants)
    means = np.array([np.mean(one.scores) for one in entrants], dtype=np.float64)
    gaps = means[:, None] - means[None, :]
    apart = _apart(entrants)
    variance = apart if tasks is None else _paired(tasks)
    if tasks is not None:  # all items of a pair differ alike: that says nothing of other items
        variance = np.where((variance <= 0) & (gaps != 0), apart, variance)
    first, second = np.triu_indices(count, 1)
    pooled = seed_variance(one.scores for one in entrants) or SeedVariance(0.0, 1)
    shares = np.array([1 / len(one.scores) for one in entrants])
    p_values = _p_values(
        np.abs(gaps[first, second]),
        (variance[first, second], max(1, items - 1)),
        (pooled.variance * (shares[first] + shares[second]), pooled.df),
    )
    better = np.zeros((count, count), dtype=bool)  # whether the row's is better than the column's
    for a, b, p in zip(first, second, holm(p_values.tolist()), strict=True):
        if p < 1 - COVERAGE:
            a_leads = (gaps[a, b] < 0) == lower_is_better
            better[(a, b) if a_leads else (b, a)] = True
    return [
        Place(1 + int(better[:, one].sum()), count - int(better[one].sum()), count)
        for one in range(count)
    ]


def _paired(tasks: Sequence[Floats]) -> Floats:
    """The variance of each pair's difference over items, of shape (entrants, entrants)."""
    total: Floats = np.zeros((len(tasks[0]), len(tasks[0])))
    for values in tasks:
        if values.shape[1] < 2:  # noqa: PLR2004 (one item has no spread)
            return np.full_like(total, np.inf)
        both = np.atleast_2d(np.cov(values)) / values.shape[1]
        own = np.diag(both)
        total = total + np.maximum(own[:, None] + own[None, :] - 2 * both, 0.0)
    total = total / len(tasks) ** 2
    total[total < np.finfo(np.float64).eps ** 1.5] = 0.0  # rounding
    return total


def _apart(entrants: Sequence[Entrant]) -> Floats:
    own = np.array([_item_variance(one) for one in entrants])
    apart: Floats = own[:, None] + own[None, :]
    return apart


def _item_variance(one: Entrant) -> float:
    known = [error for error in one.errors if error is not None]
    return float(np.mean(np.square(known))) if len(known) == len(one.errors) else math.inf


def _p_values(gaps: Floats, *parts: tuple[Floats, int]) -> Floats:
    """The two-sided p values: 1 minus the coverage of the interval that just reaches 0.

    As in `evaluation.statistics.over_seeds`, each part of the variance has a quantile of its own.

    Args:
        gaps: the differences without sign.
        parts: variances of the differences, each with its degrees of freedom.
    """
    from scipy import special

    low, high = np.full(len(gaps), 0.5), np.ones(len(gaps))
    for _ in range(_STEPS):
        middle = (low + high) / 2
        square = np.zeros(len(gaps))
        for variance, df in parts:
            quantile = special.stdtrit(float(df), middle)
            square += np.where(variance > 0, quantile**2 * variance, 0.0)
        inside = np.sqrt(square) < gaps
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    found: Floats = np.minimum(1.0, 2 * (1 - low))
    return found
