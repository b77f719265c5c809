"""The embedded category classifier: logistic regression on phrasing, trained at run time.

It labels the instructions that no teacher labelled. Its examples are the seeds,
`data/category_examples.jsonl` and the labels recorded with the rehearsal teacher's replies. Belongs
here: the examples and the model, with its accuracy and calibration on examples that it was not
trained on. Does not: the features (phrasing), the measures (calibration), or choosing between
teacher and classifier (labelling).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from bioinstruct_dagster.curation.category.calibration import (
    Calibration,
    Probabilities,
    measure_calibration,
    temperature_scaling,
)
from bioinstruct_dagster.curation.category.phrasing import features
from bioinstruct_dagster.curation.versions import code_sha256
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.rehearsal.recordings import normalized, read_recordings, recorded_labels
from bioinstruct_dagster.seeds.tasks import CATEGORIES
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.store.fingerprints import sha256_of

EXAMPLES_FILE = INPUTS / "category_examples.jsonl"
# A row of less confidence is listed for review. The value was chosen on the tuning half of the
# hand-labelled published rows; docs/categories.md has the table.
REVIEW_CONFIDENCE = 0.7
FOLDS = 5
REGULARIZATION = 16.0  # inverse strength; 4, 8 and 16 differ by less than a point
_RANDOM_STATE = 0  # of the folds; the fit itself is deterministic


class Prediction(NamedTuple):
    """The most probable category, its probability, and the second category."""

    category: str
    confidence: float
    second: str


class ExampleFileError(StatedError):
    """`data/category_examples.jsonl` is malformed; the message names the line."""


@dataclass(frozen=True)
class CategoryClassifier:
    """A trained classifier, with its calibration on examples that it was not trained on."""

    pipeline: Any
    probabilities: Probabilities
    calibration: Calibration
    examples: int
    version: str

    @property
    def cross_validated_accuracy(self) -> float:
        """The share of examples that classifiers trained without them labelled right."""
        return self.calibration.accuracy

    @classmethod
    def train(cls, examples: Sequence[tuple[str, str]]) -> Self:
        """Train on (instruction, category) pairs."""
        from sklearn.model_selection import StratifiedKFold, cross_val_predict
        from threadpoolctl import threadpool_limits

        labels = [category for _, category in examples]
        found = [features(text) for text, _ in examples]
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=_RANDOM_STATE)
        # With so few rows, threads of the linear algebra mostly wait for each other.
        with threadpool_limits(1):
            scores = cross_val_predict(
                _pipeline(), found, labels, cv=folds, method="decision_function"
            )
            pipeline = _pipeline().fit(found, labels)
        columns = np.searchsorted(pipeline.classes_, labels)
        probabilities = temperature_scaling(scores, columns)
        held_out = _predictions(probabilities(scores), pipeline.classes_)
        calibration = measure_calibration(
            labels, [one.category for one in held_out], [one.confidence for one in held_out]
        )
        return cls(
            pipeline, probabilities, calibration, len(examples), classifier_version(examples)
        )

    def predict(self, instructions: Sequence[str]) -> list[Prediction]:
        """The predicted category of each instruction."""
        if not instructions:
            return []
        scores = self.pipeline.decision_function([features(text) for text in instructions])
        return _predictions(self.probabilities(scores), self.pipeline.classes_)


@lru_cache(maxsize=1)
def trained_classifier(examples: tuple[tuple[str, str], ...]) -> CategoryClassifier:
    """The classifier trained on these examples; each process trains it once."""
    return CategoryClassifier.train(examples)


def classifier_version(examples: Sequence[tuple[str, str]]) -> str:
    """A short hash of the classifier's code, libraries and examples."""
    code = code_sha256("curation.category.classifier.CategoryClassifier")
    return sha256_of([code, [list(example) for example in examples]])[:12]


def labelled_examples(seeds: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Seeds, handwritten examples and recorded labels; the first label of an instruction counts."""
    examples: dict[str, str] = {}
    for instruction, category in [
        *seeds,
        *handwritten_examples(EXAMPLES_FILE),
        *recorded_labels(read_recordings()).items(),
    ]:
        examples.setdefault(normalized(instruction), category)
    return list(examples.items())


@cache
def handwritten_examples(path: Path) -> tuple[tuple[str, str], ...]:
    """The instructions that were written and labelled by hand for the classifier.

    Raises:
        ExampleFileError: a line is malformed; the message names it.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ExampleFileError(f"{path}: can't be read ({error})") from error
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            instruction, category = record["instruction"], record["category"]
        except (ValueError, KeyError, TypeError) as error:
            raise ExampleFileError(
                f"{path}:{number}: write an object with the fields instruction and category "
                f"({error!r})"
            ) from error
        if not isinstance(instruction, str) or not instruction.strip():
            raise ExampleFileError(
                f"{path}:{number}: field instruction: write a text that is not empty"
            )
        if category not in CATEGORIES:
            raise ExampleFileError(
                f"{path}:{number}: field category: {category!r} is none of {', '.join(CATEGORIES)}"
            )
        found.append((instruction, category))
    return tuple(found)


def _predictions(probabilities: Any, classes: Any) -> list[Prediction]:
    order = np.argsort(-probabilities, axis=1, kind="stable")
    return [
        Prediction(str(classes[first]), float(row[first]), str(classes[second]))
        for row, (first, second) in zip(probabilities, order[:, :2], strict=True)
    ]


def _pipeline() -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    return make_pipeline(
        TfidfVectorizer(analyzer=list, sublinear_tf=True),  # the features are ready
        LogisticRegression(C=REGULARIZATION, max_iter=2000),
    )
