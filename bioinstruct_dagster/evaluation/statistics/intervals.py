"""Scores over items: mean, confidence interval, and paired difference of adapter and base model.

`scipy.stats.bootstrap` computes the intervals with the percentile method (Efron and Tibshirani,
1993, chapter 13). Belongs here: the statistics. Does not: running a model
(evaluation.engine.predict).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2_000
COVERAGE = 0.95
ALL_CATEGORIES = "all"
SUBJECTS = ("base", "adapter", "difference")
# For each metric, the field that is summed over the items, and the field whose sum divides it.
# Without a second field, the number of items divides it.
METRICS = {"loss": ("nll", "output_tokens"), "rouge_l": ("rouge_l", None)}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Score:
    """A score over `n` items with its 95 % confidence interval."""

    metric: str
    category: str
    subject: str
    score: float
    ci_low: float
    ci_high: float
    n: int


def score_items(
    base: Sequence[Mapping[str, Any]], adapter: Sequence[Mapping[str, Any]], seed: int
) -> list[Score]:
    """Loss and ROUGE-L of base model and adapter and their difference, overall and by category.

    Args:
        base: items with row_id, category, nll, output_tokens, rouge_l.
        adapter: the same items in the same order, scored with the adapter.
        seed: of the bootstrap. All scores of a category use the same resamples.
    """
    if [item["row_id"] for item in base] != [item["row_id"] for item in adapter]:
        raise ValueError("Base model and adapter were not scored on the same items.")
    categories = [item["category"] for item in base]
    names = [(metric, subject) for metric in METRICS for subject in SUBJECTS]
    scores: list[Score] = []
    for category in [ALL_CATEGORIES, *sorted(set(categories))]:
        members = [i for i, name in enumerate(categories) if category in (ALL_CATEGORIES, name)]
        pair = _PairedItems([base[i] for i in members], [adapter[i] for i in members])
        values = pair.scores(np.arange(len(members)))
        lows, highs = pair.intervals(seed)
        scores += [
            Score(metric, category, subject, float(score), float(low), float(high), len(members))
            for (metric, subject), score, low, high in zip(names, values, lows, highs, strict=True)
        ]
    return scores


class _PairedItems:
    """The items of one category, and their scores in any resample."""

    def __init__(
        self, base: Sequence[Mapping[str, Any]], adapter: Sequence[Mapping[str, Any]]
    ) -> None:
        self._count = len(base)
        self._columns = [
            {
                name: np.array([item[name] for item in items], dtype=np.float64)
                for name in ("nll", "output_tokens", "rouge_l")
            }
            for items in (base, adapter)
        ]

    def scores(self, drawn: NDArray[np.intp], axis: int = -1) -> Floats:
        """The scores of resamples: for each metric, base model, adapter and difference.

        Args:
            drawn: the item indices of one resample or of many resamples.
            axis: the axis of the items in a resample.
        """
        values: list[Floats] = []
        for numerator, denominator in METRICS.values():
            base, adapter = (
                columns[numerator][drawn].sum(axis=axis)
                / (columns[denominator][drawn].sum(axis=axis) if denominator else self._count)
                for columns in self._columns
            )
            values += [base, adapter, adapter - base]
        return np.stack(values)

    def intervals(self, seed: int) -> tuple[Floats, Floats]:
        """The lower ends and the upper ends of the scores' confidence intervals."""
        from scipy import stats

        if self._count == 1:  # every resample is the same item, and scipy needs two items
            only = self.scores(np.arange(1))
            return only, only
        found = stats.bootstrap(
            (np.arange(self._count),),
            self.scores,
            n_resamples=RESAMPLES,
            confidence_level=COVERAGE,
            method="percentile",
            vectorized=True,
            rng=np.random.default_rng(seed),
        ).confidence_interval
        return found.low, found.high
