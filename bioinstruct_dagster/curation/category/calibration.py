"""Calibration: whether a classifier that says 80 % is right in 80 of 100 cases.

Belongs here: probabilities out of decision values, and the measures, both from predictions on rows
that the classifier was not trained on. Does not: making such predictions (classifier), or what is
done with unsure rows (labelling). Temperature scaling and the calibration curve are scikit-learn's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 10
_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class ReliabilityBin:
    """Predictions whose confidence is above `low`, and at most `high`."""

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


def measure_calibration(
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
        accepted=tuple(_accepted_share(sure, right, threshold) for threshold in _THRESHOLDS),
        by_category={str(name): float(right[labels == name].mean()) for name in sorted(set(truth))},
    )


Probabilities = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def temperature_scaling(scores: NDArray[np.float64], columns: NDArray[np.intp]) -> Probabilities:
    """A function that makes probabilities of decision values, so that they tell the accuracy.

    The decision values are divided by one number for all categories: the order of the categories
    stays, and a few hundred rows are enough to find the number.

    Args:
        scores: decision values on rows that the classifier was not trained on; (rows, categories).
        columns: the true category's column of each row.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator
    from sklearn.linear_model import LogisticRegression

    categories = scores.shape[1]
    # The calibration expects a classifier. This one's decision values are the scores themselves, so
    # that the folds' classifiers, which are trained already, need not be trained again.
    passed_on = LogisticRegression()
    passed_on.classes_ = np.arange(categories)
    passed_on.coef_, passed_on.intercept_ = np.eye(categories), np.zeros(categories)
    scaled = CalibratedClassifierCV(
        FrozenEstimator(passed_on), method="temperature", ensemble=False
    ).fit(scores, columns)
    probabilities: Probabilities = scaled.predict_proba
    return probabilities


def _accepted_share(
    sure: NDArray[np.float64], right: NDArray[np.float64], threshold: float
) -> AcceptedShare:
    passed = right[sure >= threshold]
    return AcceptedShare(
        threshold=threshold,
        share=len(passed) / max(len(right), 1),
        accuracy=float(passed.mean()) if len(passed) else None,
    )


def _bins(sure: NDArray[np.float64], right: NDArray[np.float64]) -> list[ReliabilityBin]:
    from sklearn.calibration import calibration_curve

    if not len(sure):
        return []
    accuracies, confidences = calibration_curve(right, sure, n_bins=BINS)  # of bins with rows
    edges = np.linspace(0, 1, BINS + 1)
    rows = np.bincount(np.searchsorted(edges[1:-1], sure), minlength=BINS)
    return [
        ReliabilityBin(
            low=int(place) / BINS,
            high=(int(place) + 1) / BINS,
            rows=int(rows[place]),
            confidence=float(confidence),
            accuracy=float(accuracy),
        )
        for place, confidence, accuracy in zip(
            np.flatnonzero(rows), confidences, accuracies, strict=True
        )
    ]
