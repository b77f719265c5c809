"""Labelling: the teacher's category where it gives one, else the embedded classifier's.

Every row says which of them labelled it, and whether a person should look at it: where the
classifier is unsure, or where the teacher, asked twice, says two things. Belongs here: the order of
the two, and the teacher's labels kept for reuse. Does not: prompt and definitions (prompts), the
classifier itself, or which instructions are labelled twice (agreement).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bioinstruct_dagster.curation.category.agreement import Agreement, agreement, sample
from bioinstruct_dagster.curation.category.calibration import Calibration
from bioinstruct_dagster.curation.category.classifier import (
    CONFIDENCE,
    Prediction,
    labelled_examples,
    trained,
)
from bioinstruct_dagster.curation.category.prompts import (
    FIRST,
    SECOND,
    LabelPass,
    categorization_requests,
    is_label_list,
    label_key,
    read_labels,
    template_sha256,
)
from bioinstruct_dagster.curation.gates import Finding
from bioinstruct_dagster.curation.versions import code_version
from bioinstruct_dagster.store.database import Store, insert
from bioinstruct_dagster.teacher.questions import ask_in_batches
from bioinstruct_dagster.teacher.requests import TeacherRequest
from bioinstruct_dagster.teacher.rounds import Endpoint, Tally, Terms

EMBEDDED = "embedded-classifier"

STORED_LABELS = """
    select label_key, category, completion_id, completion.rehearsal
    from category_labels
    join completions as completion using (completion_id)
    where label_key in (select unnest($wanted::varchar[]))
"""

SEED_LABELS = "select instruction, category from seed_tasks order by ordinal"


@dataclass(frozen=True)
class StoredLabel:
    """A teacher's answer about one instruction.

    The category is None where it gave no valid one: such a row is the classifier's, and asking
    again in another batch would pay again.
    """

    category: str | None
    completion_id: str
    rehearsal: bool


@dataclass
class Labelling:
    """Labelled rows, and how they came by their labels.

    Attributes:
        rows: of `categorized_instructions`; none while a batch is open.
        tally: what the teacher was asked.
        by_teacher: rows with a teacher's label.
        by_classifier: rows with the classifier's.
        to_review: rows that a person should look at.
        calibration: the classifier's account of itself; None where it was not needed.
        agreement: of the teacher's first and second labels; None where it gave no second ones.
        seconds: by `row_id`, the classifier's runner-up, or the teacher's other label.
        versions: of what labelled, by its name in `labelled_by`.
        review_below: rows of which the classifier is less sure are for review.
    """

    rows: list[dict[str, Any]]
    tally: Tally
    by_teacher: int = 0
    by_classifier: int = 0
    to_review: int = 0
    calibration: Calibration | None = None
    agreement: Agreement | None = None
    seconds: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    review_below: float = CONFIDENCE

    @property
    def made_of(self) -> dict[str, Any]:
        """What determines the verdicts: code, what labelled, and the setting; for the record."""
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
        """(row_id, what the category gate says of the row): `keep`, or `flag` for a review."""
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
                        "second": self.seconds.get(row["row_id"]),
                    },
                ),
            )


def label_rows(
    rows: Sequence[Mapping[str, Any]],
    endpoint: Endpoint,
    store: Store,
    *,
    teacher: str,
    model: str,
    log: Callable[[str], None],
    terms: Terms | None = None,
    review_below: float = CONFIDENCE,
) -> Labelling:
    """Give each row a category.

    Args:
        rows: with row_id, instruction and rehearsal; what else they hold is carried over.
        endpoint: the teacher.
        store: keeps the teacher's labels, so that none is paid for twice.
        teacher: the teacher's name.
        model: the model asked.
        log: takes lines for the user.
        terms: pace and caps.
        review_below: rows of which the classifier is less sure are for review.
    """
    instructions = list(dict.fromkeys(row["instruction"] for row in rows))

    def stored(nth: LabelPass) -> dict[str, StoredLabel]:
        return stored_labels(instructions, store, teacher=teacher, model=model, nth=nth)

    twice = sample(instructions, stored(SECOND))
    # Asked together: they share a batch's day, and at a cap it is second labels that are left out.
    wanted: dict[LabelPass, Sequence[str]] = {FIRST: instructions, SECOND: twice}
    tally = _ask_for_missing(
        wanted, endpoint, store, teacher=teacher, model=model, log=log, terms=terms
    )
    if tally.pending:
        return Labelling([], tally)
    first, second = _valid(stored(FIRST)), _valid(stored(SECOND))
    unlabelled = [text for text in instructions if text not in first]
    result = Labelling([], tally, review_below=review_below)
    if second:
        result.agreement = agreement(
            twice,
            _categories(first),
            _categories(second),
            rehearsal=any(label.rehearsal for label in second.values()),
        )
    predicted = _predict(unlabelled, store, result) if unlabelled else {}
    name = f"teacher:{model}"
    result.versions[name] = template_sha256()[:12]
    for row in rows:
        text = row["instruction"]
        if text in first:
            _by_teacher(result, row, first[text], name)
        else:
            _by_classifier(result, row, predicted[text], review_below)
    result.to_review = sum(row["needs_review"] for row in result.rows)
    return result


def stored_labels(
    instructions: Sequence[str], store: Store, *, teacher: str, model: str, nth: LabelPass = FIRST
) -> dict[str, StoredLabel]:
    """What this teacher said of each instruction that it was asked about before."""
    text_of = {label_key(text, teacher, model, nth): text for text in instructions}
    return {
        text_of[row["label_key"]]: StoredLabel(
            row["category"], row["completion_id"], row["rehearsal"]
        )
        for row in store.rows(STORED_LABELS, {"wanted": list(text_of)})
    }


def _valid(labels: Mapping[str, StoredLabel]) -> dict[str, StoredLabel]:
    return {text: label for text, label in labels.items() if label.category}


def _categories(labels: Mapping[str, StoredLabel]) -> dict[str, str]:
    return {text: label.category for text, label in labels.items() if label.category}


def _predict(instructions: Sequence[str], store: Store, result: Labelling) -> dict[str, Prediction]:
    seeds = [(row["instruction"], row["category"]) for row in store.rows(SEED_LABELS)]
    classifier = trained(tuple(labelled_examples(seeds)))
    result.calibration = classifier.calibration
    result.versions[EMBEDDED] = classifier.version
    return dict(zip(instructions, classifier.predict(instructions), strict=True))


def _by_teacher(result: Labelling, row: Mapping[str, Any], label: StoredLabel, name: str) -> None:
    other = result.agreement.disagreeing.get(row["instruction"]) if result.agreement else None
    if other:
        result.seconds[row["row_id"]] = other
    result.by_teacher += 1
    result.rows.append(
        {
            **row,
            "category": label.category,
            "labelled_by": name,
            "confidence": None,
            "needs_review": other is not None,
            "label_completion_id": label.completion_id,
            # A sound row with a rehearsed label is a rehearsal's row.
            "rehearsal": row["rehearsal"] or label.rehearsal,
        }
    )


def _by_classifier(
    result: Labelling, row: Mapping[str, Any], prediction: Prediction, review_below: float
) -> None:
    result.seconds[row["row_id"]] = prediction.second
    result.by_classifier += 1
    result.rows.append(
        {
            **row,
            "category": prediction.category,
            "labelled_by": EMBEDDED,
            "confidence": prediction.confidence,
            "needs_review": prediction.confidence < review_below,
            "label_completion_id": None,
        }
    )


def _ask_for_missing(
    wanted: Mapping[LabelPass, Sequence[str]],
    endpoint: Endpoint,
    store: Store,
    *,
    teacher: str,
    model: str,
    log: Callable[[str], None],
    terms: Terms | None,
) -> Tally:
    form = terms.dialect.reply_format if terms else "json_schema"
    batches: list[tuple[TeacherRequest, tuple[Sequence[str], LabelPass]]] = []
    for nth, instructions in wanted.items():
        known = stored_labels(instructions, store, teacher=teacher, model=model, nth=nth)
        missing = [text for text in instructions if text not in known]
        batches += [
            (request, (batch, nth))
            for request, batch in categorization_requests(
                missing, teacher=teacher, model=model, reply_format=form, nth=nth
            )
        ]
    tally, answered = ask_in_batches(
        batches, endpoint, store, is_well_formed=is_label_list, log=log, terms=terms
    )
    labels = []
    for (batch, nth), reply in answered:
        given = read_labels(reply["content"], batch)
        labels += [
            {
                "label_key": label_key(text, teacher, model, nth),
                "instruction": text,
                "category": given.get(text),
                "teacher": teacher,
                "model": model,
                "completion_id": reply["completion_id"],
                "pass": nth,
            }
            for text in batch
        ]
    with store.write() as connection:
        insert(connection, "category_labels", labels)
    return tally
