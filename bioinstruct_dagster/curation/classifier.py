"""The embedded category classifier: TF-IDF and logistic regression, trained at run time.

It labels what no teacher labelled, from the seeds and the labels recorded with the rehearsal
teacher's completions. Belongs here: the model and its honesty (cross-validated accuracy,
confidence).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from bioinstruct_dagster.rehearsal.recordings import normalized, read_recordings, recorded_labels

FOLDS = 5
REGULARIZATION = 4.0  # inverse strength; highest cross-validated accuracy of 0.5, 1, 2, 4, 8, 16
OPENING_WORDS = 4
_PREAMBLES = ("given ", "based on ", "from ", "for ", "using ", "in ", "considering ", "with ")
_RANDOM_STATE = 0  # of the folds; the fit itself is deterministic


@dataclass(frozen=True)
class CategoryClassifier:
    """A trained classifier with its accuracy on folds it was not trained on."""

    pipeline: Any
    cross_validated_accuracy: float
    examples: int

    @classmethod
    def train(cls, examples: Sequence[tuple[str, str]]) -> Self:
        """Train on (instruction, category) pairs."""
        from sklearn.model_selection import StratifiedKFold, cross_val_score
        from threadpoolctl import threadpool_limits

        texts, labels = zip(*examples, strict=True)
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=_RANDOM_STATE)
        # At this size, threads of the linear algebra mostly wait for each other.
        with threadpool_limits(1):
            scores = cross_val_score(_pipeline(), texts, labels, cv=folds)
            pipeline = _pipeline().fit(texts, labels)
        return cls(pipeline, float(scores.mean()), len(examples))

    def predict(self, instructions: Sequence[str]) -> list[tuple[str, float]]:
        """(category, its probability) of each instruction."""
        probabilities = self.pipeline.predict_proba(list(instructions))
        best = probabilities.argmax(axis=1)
        return [
            (str(self.pipeline.classes_[column]), float(probabilities[row, column]))
            for row, column in enumerate(best)
        ]


def labelled_examples(seeds: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The seeds' labels and the recorded ones, each instruction once, seeds first."""
    examples = {normalized(instruction): category for instruction, category in seeds}
    for instruction, category in recorded_labels(read_recordings()).items():
        examples.setdefault(instruction, category)
    return list(examples.items())


def main_clause(instruction: str) -> str:
    """The instruction without what is given: "Given a note, list doses." → "list doses."

    What is done decides the category, and 43.5 % of the published BioInstruct instructions put it
    second.
    """
    lowered = " ".join(instruction.lower().split())
    opening, comma, rest = lowered.partition(", ")
    return rest if comma and opening.startswith(_PREAMBLES) else lowered


def _pipeline() -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, preprocessor=main_clause)
    # The first words carry the verb, which mostly decides the category.
    opening = TfidfVectorizer(ngram_range=(1, 3), sublinear_tf=True, preprocessor=_opening_words)
    return make_pipeline(
        make_union(words, opening),
        LogisticRegression(C=REGULARIZATION, max_iter=2000, class_weight="balanced"),
    )


def _opening_words(text: str) -> str:
    return " ".join(main_clause(text).split()[:OPENING_WORDS])
