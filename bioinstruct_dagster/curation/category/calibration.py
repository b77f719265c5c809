"""Calibration: whether a classifier that says 80 % is right in 80 of 100 cases.

Belongs here: the measures, from predictions on rows that the classifier was not trained on. Does
not: making such predictions (classifier), or what is done with unsure rows (labelling).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 10
_TEMPERATURES = np.geomspace(0.2, 5.0, 161)
_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class ReliabilityBin:
    """Predictions whose confidence is in [low, high), the last bin's up to 1."""

    low: float
    high: float
    rows: int
    confidence: float  # mean
    accuracy: float


@dataclass(frozen=True)
class AcceptedShare:
    """What a threshold of confidence would let pass without review."""

    threshold: float
    share: float  # of all rows
    accuracy: float | None  # of those; None where there are none


@dataclass(frozen=True)
class Calibration:
    """What out-of-fold predictions say of a classifier.

    Attributes:
        rows: predicted, each by a classifier that was trained without it.
        accuracy: share of them that were right.
        expected_calibration_error: mean distance of confidence and accuracy over the bins, weighted
            by their rows.
        bins: the reliability table, empty bins left out.
        accepted: how many rows thresholds let pass, and how often those are right.
        by_category: share of each category's rows that were recognised.
    """

    rows: int
    accuracy: float
    expected_calibration_error: float
    bins: tuple[ReliabilityBin, ...]
    accepted: tuple[AcceptedShare, ...]
    by_category: dict[str, float]

    def table(self) -> list[dict[str, float]]:
        """The reliability table, for a report."""
        return [
            {
                "confidence from": one.low,
                "to": one.high,
                "rows": one.rows,
                "mean confidence": round(one.confidence, 3),
                "accuracy": round(one.accuracy, 3),
            }
            for one in self.bins
        ]


def calibration(
    truth: Sequence[str], predicted: Sequence[str], confidence: Sequence[float]
) -> Calibration:
    """Compare what was predicted, and how surely, with what is true."""
    right = np.array([a == b for a, b in zip(truth, predicted, strict=True)], dtype=np.float64)
    sure = np.asarray(confidence, dtype=np.float64)
    bins = tuple(_bins(sure, right))
    error = sum(one.rows * abs(one.confidence - one.accuracy) for one in bins) / max(len(right), 1)
    labels = np.array(truth)
    return Calibration(
        rows=len(right),
        accuracy=float(right.mean()) if len(right) else 0.0,
        expected_calibration_error=float(error),
        bins=bins,
        accepted=tuple(_accepted(sure, right, threshold) for threshold in _THRESHOLDS),
        by_category={str(name): float(right[labels == name].mean()) for name in sorted(set(truth))},
    )


def temperature(scores: NDArray[np.float64], columns: NDArray[np.intp]) -> float:
    """What the log-probabilities are divided by so that they tell best how often they are right.

    One number for all categories: the order of the categories stays, and a few hundred rows are
    enough to find it.

    Args:
        scores: decision values on rows that the classifier was not trained on; (rows, categories).
        columns: the true category's column of each row.
    """
    rows = np.arange(len(scores))
    losses = [
        -float(np.log(softmax(scores / t)[rows, columns] + 1e-12).mean()) for t in _TEMPERATURES
    ]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores as probabilities, row by row."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)


def _accepted(
    sure: NDArray[np.float64], right: NDArray[np.float64], threshold: float
) -> AcceptedShare:
    passed = right[sure >= threshold]
    return AcceptedShare(
        threshold=threshold,
        share=len(passed) / max(len(right), 1),
        accuracy=float(passed.mean()) if len(passed) else None,
    )


def _bins(sure: NDArray[np.float64], right: NDArray[np.float64]) -> list[ReliabilityBin]:
    places = np.minimum((sure * BINS).astype(np.intp), BINS - 1)
    found = []
    for place in range(BINS):
        inside = places == place
        if inside.any():
            found.append(
                ReliabilityBin(
                    low=place / BINS,
                    high=(place + 1) / BINS,
                    rows=int(inside.sum()),
                    confidence=float(sure[inside].mean()),
                    accuracy=float(right[inside].mean()),
                )
            )
    return found
