"""Labelling: the teacher's category where it gives one, else the embedded classifier's.

Every row says which of them labelled it. Belongs here: the order of the two, and the teacher's
labels kept for reuse. Does not: prompt and definitions (categories), or the classifier itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bioinstruct_dagster.curation.categories import (
    categorization_requests,
    is_label_list,
    label_key,
    read_labels,
)
from bioinstruct_dagster.curation.classifier import CategoryClassifier, labelled_examples
from bioinstruct_dagster.generation.teacher import Endpoint, Tally, Terms, ask
from bioinstruct_dagster.store.database import Store, insert

EMBEDDED = "embedded-classifier"

STORED_LABELS = """
    select label_key, category, completion_id, completion.rehearsal
    from category_labels
    join completions as completion using (completion_id)
    where label_key in (select unnest($wanted::varchar[]))
"""

REPLIES = """
    select completion_id, content
    from completions
    where completion_id in (select unnest($wanted::varchar[]))
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
    """Labelled rows, and how they came by their labels."""

    rows: list[dict[str, Any]]
    tally: Tally
    by_teacher: int = 0
    by_classifier: int = 0
    cross_validated_accuracy: float | None = None


def label_rows(
    rows: Sequence[Mapping[str, Any]],
    endpoint: Endpoint,
    store: Store,
    *,
    teacher: str,
    model: str,
    log: Callable[[str], None],
    terms: Terms | None = None,
) -> Labelling:
    """Give each row (row_id, instruction, …) a category."""
    instructions = list(dict.fromkeys(row["instruction"] for row in rows))
    tally = _ask_for_missing(
        instructions,
        endpoint,
        store,
        teacher=teacher,
        model=model,
        log=log,
        terms=terms,
    )
    if tally.pending:
        return Labelling([], tally)
    stored = {
        text: label
        for text, label in stored_labels(instructions, store, teacher=teacher, model=model).items()
        if label.category
    }
    unlabelled = [text for text in instructions if text not in stored]

    result = Labelling([], tally)
    predicted: dict[str, tuple[str, float]] = {}
    if unlabelled:
        seeds = [(row["instruction"], row["category"]) for row in store.rows(SEED_LABELS)]
        classifier = CategoryClassifier.train(labelled_examples(seeds))
        result.cross_validated_accuracy = classifier.cross_validated_accuracy
        predicted = dict(zip(unlabelled, classifier.predict(unlabelled), strict=True))

    for row in rows:
        text = row["instruction"]
        labelled = {**row, "confidence": None, "label_completion_id": None}
        if text in stored:
            labelled |= {
                "category": stored[text].category,
                "labelled_by": f"teacher:{model}",
                "label_completion_id": stored[text].completion_id,
                # A sound row with a rehearsed label is a rehearsal's row.
                "rehearsal": row["rehearsal"] or stored[text].rehearsal,
            }
            result.by_teacher += 1
        else:
            category, confidence = predicted[text]
            labelled |= {"category": category, "labelled_by": EMBEDDED, "confidence": confidence}
            result.by_classifier += 1
        result.rows.append(labelled)
    return result


def stored_labels(
    instructions: Sequence[str], store: Store, *, teacher: str, model: str
) -> dict[str, StoredLabel]:
    """What this teacher said of each instruction that it was asked about before."""
    text_of = {label_key(text, teacher, model): text for text in instructions}
    return {
        text_of[row["label_key"]]: StoredLabel(
            row["category"], row["completion_id"], row["rehearsal"]
        )
        for row in store.rows(STORED_LABELS, {"wanted": list(text_of)})
    }


def _ask_for_missing(
    instructions: Sequence[str],
    endpoint: Endpoint,
    store: Store,
    *,
    teacher: str,
    model: str,
    log: Callable[[str], None],
    terms: Terms | None = None,
) -> Tally:
    known = stored_labels(instructions, store, teacher=teacher, model=model)
    missing = [text for text in instructions if text not in known]
    form = terms.dialect.reply_format if terms else "json_schema"
    batches = list(
        categorization_requests(missing, teacher=teacher, model=model, reply_format=form)
    )
    tally = ask(
        [request for request, _ in batches],
        endpoint,
        store,
        log=log,
        terms=terms,
        worth_again=lambda reply: not reply["refusal"] and not is_label_list(reply["content"]),
    )
    wanted = [r.completion_id for first, _ in batches for r in (first, first.again())]
    replies = {row["completion_id"]: row for row in store.rows(REPLIES, {"wanted": wanted})}
    labels = []
    for request, batch in batches:
        again = request.again().completion_id
        reply = replies.get(again) or replies.get(request.completion_id)
        if reply is None:
            continue
        given = read_labels(reply["content"], batch)
        labels += [
            {
                "label_key": label_key(text, teacher, model),
                "instruction": text,
                "category": given.get(text),
                "teacher": teacher,
                "model": model,
                "completion_id": reply["completion_id"],
            }
            for text in batch
        ]
    with store.write() as connection:
        insert(connection, "category_labels", labels)
    return tally
