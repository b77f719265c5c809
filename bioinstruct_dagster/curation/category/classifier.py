"""The embedded category classifier: logistic regression on phrasing, trained at run time.

It labels the instructions that no teacher labelled. Belongs here: the model, with its accuracy and
calibration on examples that it was not trained on. Does not: the examples (examples), the features
(phrasing, inputs), their weights (weights), the measures (calibration), or choosing between teacher
and classifier (labelling).
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.category.calibration import (
    Calibration,
    Probabilities,
    measure_calibration,
    temperature_scaling,
)
from bioinstruct_dagster.curation.category.examples import LabelledExample
from bioinstruct_dagster.curation.category.inputs import input_features
from bioinstruct_dagster.curation.category.phrasing import features
from bioinstruct_dagster.curation.category.weights import (
    FeatureWeights,
    count_matrix,
    vocabulary_of,
)
from bioinstruct_dagster.curation.versions import code_sha256
from bioinstruct_dagster.store.fingerprints import sha256_of

# A row of less confidence is listed for review. The value was chosen on the tuning half of the
# hand-labelled published rows; docs/categories.md has the table.
REVIEW_CONFIDENCE = 0.7
FOLDS = 5
_RANDOM_STATE = 0  # of the folds; the fit itself is deterministic


class Prediction(NamedTuple):
    """The most probable category, its probability, and the second category."""

    category: str
    confidence: float
    second: str


@dataclass(frozen=True)
class CategoryClassifier:
    """A trained classifier, with its calibration on examples that it was not trained on."""

    columns: Mapping[str, int]  # of the features that the weights use
    weights: FeatureWeights
    probabilities: Probabilities
    calibration: Calibration
    examples: int
    version: str

    @property
    def cross_validated_accuracy(self) -> float:
        """The share of examples that classifiers trained without them labelled right."""
        return self.calibration.accuracy

    @classmethod
    def train(cls, examples: Sequence[LabelledExample]) -> Self:
        """Train on labelled examples, and calibrate by classifiers that lack a fifth of them."""
        from sklearn.model_selection import StratifiedKFold
        from threadpoolctl import threadpool_limits

        labels = np.array([one.category for one in examples])
        found = [_features(one.instruction, one.kind) for one in examples]
        names = vocabulary_of(found)
        counts = count_matrix(found, names)
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=_RANDOM_STATE)
        # With so few rows, threads of the linear algebra mostly wait for each other.
        with threadpool_limits(1):
            weights = FeatureWeights.fit(counts, labels)
            scores = np.zeros((len(examples), len(weights.categories)))
            for others, fold in folds.split(counts, labels):
                scores[fold] = FeatureWeights.fit(counts[others], labels[others]).scores(
                    counts[fold]
                )
        probabilities = temperature_scaling(scores, np.searchsorted(weights.categories, labels))
        held_out = _predictions(probabilities(scores), weights.categories)
        calibration = measure_calibration(
            labels.tolist(),
            [one.category for one in held_out],
            [one.confidence for one in held_out],
        )
        listed = list(names)
        return cls(
            {listed[column]: place for place, column in enumerate(weights.used)},
            weights,
            probabilities,
            calibration,
            len(examples),
            classifier_version(examples),
        )

    def predict(self, tasks: Sequence[tuple[str, tuple[str, ...]]]) -> list[Prediction]:
        """The predicted category of each task.

        Args:
            tasks: (instruction, kind of its input) pairs; see `inputs.input_kind`.
        """
        if not tasks:
            return []
        found = [_features(*task, self.columns) for task in tasks]
        scores = self.weights.scores_of_used(count_matrix(found, self.columns))
        return _predictions(self.probabilities(scores), self.weights.categories)


@lru_cache(maxsize=1)
def trained_classifier(examples: tuple[LabelledExample, ...]) -> CategoryClassifier:
    """The classifier trained on these examples; each process trains it once."""
    return CategoryClassifier.train(examples)


def classifier_version(examples: Sequence[LabelledExample]) -> str:
    """A short hash of the classifier's code, libraries and examples."""
    code = code_sha256("curation.category.classifier.CategoryClassifier")
    return sha256_of([code, [[*one[:2], list(one.kind)] for one in examples]])[:12]


def _features(
    instruction: str, kind: tuple[str, ...], known: Container[str] | None = None
) -> list[str]:
    found = features(instruction)
    # The input alone does not show the task. An instruction of unknown words, as in another
    # language, gets a low confidence.
    if known is None or any(one in known for one in found):
        found += input_features(kind, found)
    return found


def _predictions(probabilities: NDArray[np.float64], names: Sequence[str]) -> list[Prediction]:
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :2]
    confidences = np.take_along_axis(probabilities, order[:, :1], axis=1)[:, 0]
    return [
        Prediction(names[first], confidence, names[second])
        for (first, second), confidence in zip(order.tolist(), confidences.tolist(), strict=True)
    ]
