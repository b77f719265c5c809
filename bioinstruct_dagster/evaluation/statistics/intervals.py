"""Scores from items: mean, interval, and the paired difference between adapter and base.

Belongs here: the statistics. Does not: getting predictions out of a model (predict).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2_000  # of the percentile bootstrap (Efron and Tibshirani, 1993, chapter 13)
COVERAGE = 0.95
ALL = "all"


@dataclass(frozen=True)
class Score:
    """A score with its 95 % interval over `n` items."""

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
    """Loss and ROUGE-L of base, adapter and their paired difference, overall and by category.

    Args:
        base: items with row_id, category, nll, output_tokens, rouge_l.
        adapter: the same items in the same order.
        seed: of the bootstrap, whose resamples all scores of a category share.
    """
    if [item["row_id"] for item in base] != [item["row_id"] for item in adapter]:
        raise ValueError("base and adapter were not scored on the same items")
    scores: list[Score] = []
    categories = [item["category"] for item in base]
    for category in [ALL, *sorted(set(categories))]:
        members = [i for i, name in enumerate(categories) if category in (ALL, name)]
        draws = resamples(len(members), seed)
        for metric, (numerator, denominator) in {
            "loss": ("nll", "output_tokens"),
            "rouge_l": ("rouge_l", None),
        }.items():
            of_base = _resampled([base[i] for i in members], numerator, denominator, draws)
            of_adapter = _resampled([adapter[i] for i in members], numerator, denominator, draws)
            for subject, values in {
                "base": of_base,
                "adapter": of_adapter,
                "difference": of_adapter - of_base,
            }.items():
                low, high = np.quantile(values[1:], [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
                scores.append(
                    Score(
                        metric,
                        category,
                        subject,
                        float(values[0]),
                        float(low),
                        float(high),
                        len(members),
                    )
                )
    return scores


def resamples(items: int, seed: int) -> NDArray[np.int64]:
    """Item indices; shape (1 + RESAMPLES, items). The first row is the sample itself."""
    generator = np.random.default_rng(seed)
    drawn = generator.integers(items, size=(RESAMPLES, items))
    return np.vstack([np.arange(items), drawn])


def _resampled(
    items: Sequence[Mapping[str, Any]],
    numerator: str,
    denominator: str | None,
    draws: NDArray[np.int64],
) -> NDArray[np.float64]:
    """The score of each resample; shape (1 + RESAMPLES,).

    A ratio of sums where there is a denominator (nats per token), else a mean over items.
    """
    above = _resampled_sums(items, numerator, draws)
    below = draws.shape[1] if denominator is None else _resampled_sums(items, denominator, draws)
    return above / below


def _resampled_sums(
    items: Sequence[Mapping[str, Any]], name: str, draws: NDArray[np.int64]
) -> NDArray[np.float64]:
    values = np.array([item[name] for item in items], dtype=np.float64)
    sums: NDArray[np.float64] = values[draws].sum(axis=1)
    return sums
