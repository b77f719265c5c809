"""Calibration: whether predictions with a confidence of 80 % are right in 80 of 100 cases.

Belongs here: probabilities from decision values, and the measures, both by predictions on rows that
the classifier was not trained on. Does not: making such predictions (classifier), or rows of low
confidence (labelling). Temperature scaling and the calibration curve are scikit-learn's.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BINS = 10
_THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class ReliabilityBin:
    """The predictions with a confidence above `low` and at most `high`."""

    low: float
    high: float
    rows: int
    confidence: float  # mean
    accuracy: float


@dataclass(frozen=True)
class AcceptedShare:
    """The rows that would need no review at a threshold of confidence."""

    threshold: float
    share: float  # of all rows
    accuracy: float | None  # of these rows; None if there are none


@dataclass(frozen=True)
class Calibration:
    """The quality of a classifier, measured on out-of-fold predictions.

    Attributes:
        rows: the number of predicted rows, each by a classifier that was trained without it.
        accuracy: the share of right predictions.
        expected_calibration_error: the mean difference of confidence and accuracy over the bins,
            weighted by their rows.
        bins: the reliability table without empty bins.
        accepted: for each threshold, the share of rows above it and their accuracy.
        by_category: for each category, the share of its rows that were recognised.
    """

    rows: int
    accuracy: float
    expected_calibration_error: float
    bins: tuple[ReliabilityBin, ...]
    accepted: tuple[AcceptedShare, ...]
    by_category: dict[str, float]

    def table(self) -> list[dict[str, float]]:
        """The rows of the reliability table, for a report."""
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
    """Compare the predicted categories and their confidence with the true categories."""
    right = np.array([a == b for a, b in zip(truth, predicted, strict=True)], dtype=np.float64)
    confidences = np.asarray(confidence, dtype=np.float64)
    bins = tuple(_bins(confidences, right))
    error = sum(one.rows * abs(one.confidence - one.accuracy) for one in bins) / max(len(right), 1)
    labels = np.array(truth)
    return Calibration(
        rows=len(right),
        accuracy=float(right.mean()) if len(right) else 0.0,
        expected_calibration_error=float(error),
        bins=bins,
        accepted=tuple(_accepted_share(confidences, right, threshold) for threshold in _THRESHOLDS),
        by_category={str(name): float(right[labels == name].mean()) for name in sorted(set(truth))},
    )


Probabilities = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def temperature_scaling(scores: NDArray[np.float64], columns: NDArray[np.intp]) -> Probabilities:
    """A function that turns decision values into probabilities that match the accuracy.

    It divides all decision values by one number. This keeps the order of the categories, and a few
    hundred rows are enough to find the number.

    Args:
        scores: decision values on rows that the classifier was not trained on; (rows, categories).
        columns: the true category's column of each row.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator
    from sklearn.linear_model import LogisticRegression

    categories = scores.shape[1]
    # scikit-learn calibrates a classifier. This one returns the scores as its decision values, so
    # that the classifiers of the folds need no second training.
    identity = LogisticRegression()
    identity.classes_ = np.arange(categories)
    identity.coef_, identity.intercept_ = np.eye(categories), np.zeros(categories)
    scaled = CalibratedClassifierCV(
        FrozenEstimator(identity), method="temperature", ensemble=False
    ).fit(scores, columns)
    probabilities: Probabilities = scaled.predict_proba
    return probabilities


def _accepted_share(
    confidences: NDArray[np.float64], right: NDArray[np.float64], threshold: float
) -> AcceptedShare:
    passed = right[confidences >= threshold]
    return AcceptedShare(
        threshold=threshold,
        share=len(passed) / max(len(right), 1),
        accuracy=float(passed.mean()) if len(passed) else None,
    )


def _bins(confidences: NDArray[np.float64], right: NDArray[np.float64]) -> list[ReliabilityBin]:
    from sklearn.calibration import calibration_curve

    if not len(confidences):
        return []
    # Both are of the bins that have rows.
    accuracies, mean_confidences = calibration_curve(right, confidences, n_bins=BINS)
    edges = np.linspace(0, 1, BINS + 1)
    rows = np.bincount(np.searchsorted(edges[1:-1], confidences), minlength=BINS)
    return [
        ReliabilityBin(
            low=int(place) / BINS,
            high=(int(place) + 1) / BINS,
            rows=int(rows[place]),
            confidence=float(confidence),
            accuracy=float(accuracy),
        )
        for place, confidence, accuracy in zip(
            np.flatnonzero(rows), mean_confidences, accuracies, strict=True
        )
    ]
