"""Labels rows: with the teacher's category if it gives one, else with the embedded classifier's.

Every row names its labeller, and says whether a person should review it: the classifier was unsure,
or the teacher gave two categories in two passes. Belongs here: choosing the label of each row. Does
not: the question (prompts), asking and storing labels (teacher.answers), the classifier itself
(classifier), or which instructions are labelled twice (agreement).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bioinstruct_dagster.curation.category.agreement import (
    Agreement,
    draw_sample,
    measure_agreement,
)
from bioinstruct_dagster.curation.category.calibration import Calibration
from bioinstruct_dagster.curation.category.classifier import (
    REVIEW_CONFIDENCE,
    Prediction,
    labelled_examples,
    trained_classifier,
)
from bioinstruct_dagster.curation.category.prompts import (
    FIRST_PASS,
    SECOND_PASS,
    LabelPass,
    category_question,
)
from bioinstruct_dagster.curation.gates import Finding
from bioinstruct_dagster.curation.versions import code_version
from bioinstruct_dagster.settings import DEFAULT_MODELS
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.answers import StoredAnswer, ask_together, stored_answers
from bioinstruct_dagster.teacher.feeds import Tally
from bioinstruct_dagster.teacher.session import TeacherSession

EMBEDDED_CLASSIFIER = "embedded-classifier"

SEED_LABELS = "select instruction, category from seed_tasks order by ordinal"


@dataclass
class Labelling:
    """Labelled rows, and the sources of their labels.

    Attributes:
        rows: the rows of `categorized_instructions`; none while a batch is open.
        tally: the tally of the requests to the teacher.
        by_teacher: the number of rows that the teacher labelled.
        by_classifier: the number of rows that the classifier labelled.
        to_review: the number of rows that a person should review.
        calibration: the classifier's calibration; None if no row needed the classifier.
        agreement: the agreement of the teacher's two labels; None without second labels.
        second_labels: by `row_id`, the classifier's second category or the teacher's other label.
        versions: the version of each labeller, by its name in `labelled_by`.
        review_below: rows of which the classifier is less confident are for review.
    """

    rows: list[dict[str, Any]]
    tally: Tally
    by_teacher: int = 0
    by_classifier: int = 0
    to_review: int = 0
    calibration: Calibration | None = None
    agreement: Agreement | None = None
    second_labels: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    review_below: float = REVIEW_CONFIDENCE

    @property
    def made_of(self) -> dict[str, Any]:
        """What the gate's version is computed from: code, labellers and the setting."""
        return {
            **code_version("curation.category.labelling.label_rows")._asdict(),
            "labelled_by": self.versions,
            "review_below": self.review_below,
        }

    @property
    def cross_validated_accuracy(self) -> float | None:
        """The classifier's accuracy on examples that it was not trained on."""
        return self.calibration.accuracy if self.calibration else None

    def findings(self) -> Iterator[tuple[str, Finding]]:
        """(row_id, finding) of each row: `keep`, or `flag` if a person should review it."""
        for row in self.rows:
            name = row["labelled_by"]
            yield (
                row["row_id"],
                Finding(
                    rule=name,
                    version=self.versions[name],
                    verdict="flag" if row["needs_review"] else "keep",
                    score=row["confidence"],
                    evidence={
                        "category": row["category"],
                        "second": self.second_labels.get(row["row_id"]),
                    },
                ),
            )


def label_rows(
    rows: Sequence[Mapping[str, Any]],
    session: TeacherSession,
    *,
    review_below: float = REVIEW_CONFIDENCE,
) -> Labelling:
    """Give each row a category.

    Args:
        rows: with row_id, instruction and rehearsal; other columns are copied.
        session: the open teacher. Its store keeps the labels, so none is paid twice.
        review_below: rows of which the classifier is less confident are for review.

    Raises:
        TeacherError, BudgetError, StoreBusyError: see rounds.ask.
    """
    instructions = list(dict.fromkeys(row["instruction"] for row in rows))

    def stored_labels(nth: LabelPass) -> dict[str, StoredAnswer[str]]:
        return stored_answers(session, category_question(nth), instructions)

    twice = draw_sample(instructions, stored_labels(SECOND_PASS))
    tally = ask_together(
        session,
        [(category_question(FIRST_PASS), instructions), (category_question(SECOND_PASS), twice)],
    )
    if tally.pending:
        return Labelling([], tally)
    first, second = (
        _valid_labels(stored_labels(FIRST_PASS)),
        _valid_labels(stored_labels(SECOND_PASS)),
    )
    unlabelled = [text for text in instructions if text not in first]
    result = Labelling([], tally, review_below=review_below)
    if second:
        result.agreement = measure_agreement(
            twice,
            _categories(first),
            _categories(second),
            rehearsal=any(label.rehearsal for label in second.values()),
        )
    predicted = _classify(unlabelled, session.store, result) if unlabelled else {}
    version = category_question(FIRST_PASS).prompt.template_sha256()[:12]
    for row in rows:
        text = row["instruction"]
        if text in first:
            # The rehearsal server may answer under the address and the name of another model.
            model = DEFAULT_MODELS["rehearsal"] if first[text].rehearsal else session.model
            name = f"teacher:{model}"
            result.versions[name] = version
            _add_teacher_label(result, row, first[text], name)
        else:
            _add_classifier_label(result, row, predicted[text], review_below)
    result.to_review = sum(row["needs_review"] for row in result.rows)
    return result


def _valid_labels(labels: Mapping[str, StoredAnswer[str]]) -> dict[str, StoredAnswer[str]]:
    return {text: label for text, label in labels.items() if label.answer}


def _categories(labels: Mapping[str, StoredAnswer[str]]) -> dict[str, str]:
    return {text: label.answer for text, label in labels.items() if label.answer}


def _classify(
    instructions: Sequence[str], store: Store, result: Labelling
) -> dict[str, Prediction]:
    seeds = [(row["instruction"], row["category"]) for row in store.rows(SEED_LABELS)]
    classifier = trained_classifier(tuple(labelled_examples(seeds)))
    result.calibration = classifier.calibration
    result.versions[EMBEDDED_CLASSIFIER] = classifier.version
    return dict(zip(instructions, classifier.predict(instructions), strict=True))


def _add_teacher_label(
    result: Labelling, row: Mapping[str, Any], label: StoredAnswer[str], name: str
) -> None:
    other = result.agreement.other_labels.get(row["instruction"]) if result.agreement else None
    if other:
        result.second_labels[row["row_id"]] = other
    result.by_teacher += 1
    result.rows.append(
        {
            **row,
            "category": label.answer,
            "labelled_by": name,
            "confidence": None,
            "needs_review": other is not None,
            "label_completion_id": label.completion_id,
        }
    )


def _add_classifier_label(
    result: Labelling, row: Mapping[str, Any], prediction: Prediction, review_below: float
) -> None:
    result.second_labels[row["row_id"]] = prediction.second
    result.by_classifier += 1
    result.rows.append(
        {
            **row,
            "category": prediction.category,
            "labelled_by": EMBEDDED_CLASSIFIER,
            "confidence": prediction.confidence,
            "needs_review": prediction.confidence < review_below,
            "label_completion_id": None,
        }
    )
