"""An evaluation item from a row of a file, by the paths of its task.

Belongs here: putting the fields of a row together, each checked; an error names the field. Does
not: reading files (item_files), which option is right (right_options), or the forms of spans
(right_spans).
"""

from collections.abc import Mapping
from dataclasses import replace

from bioinstruct_dagster.eval_sets.field_paths import PathError
from bioinstruct_dagster.eval_sets.item import EvaluationItem
from bioinstruct_dagster.eval_sets.plain_values import is_nothing, word_of
from bioinstruct_dagster.eval_sets.right_options import (
    chosen_place,
    options_by_letter,
    right_place,
)
from bioinstruct_dagster.eval_sets.right_spans import right_spans
from bioinstruct_dagster.eval_sets.row_fields import Row, field_texts, field_values, present_at
from bioinstruct_dagster.eval_sets.scoring import ChoiceScoring, SpanScoring
from bioinstruct_dagster.eval_sets.task import (
    ClusterField,
    EvaluationTask,
    ItemFields,
)
from bioinstruct_dagster.store.storable_text import is_storable

_UNSTORABLE = "holds a lone surrogate or NUL character, which can't be stored as text"


def compared_item(name: str, fields: ItemFields, place: str, row: Row) -> EvaluationItem:
    """The texts of an item that decontamination compares with rows.

    Args:
        name: of the task.
        fields: of a row.
        place: of the row: file and line.
        row: the row.

    Raises:
        PathError: a field is missing or of another kind; the message names it.
    """
    question = "\n".join(field_texts(row, fields.question))
    if not question.strip() and not fields.question.endswith("?"):
        raise PathError(f"field {fields.question}: is empty")
    options = options_by_letter(fields, row)
    return EvaluationItem(
        task=name,
        id=_identifier(fields, row) or place,
        question=question,
        answers=_answers(fields, row, options),
        options=tuple(options.values()),
        context=tuple(field_texts(row, fields.context)) if fields.context else (),
    )


def scored_item(
    task: EvaluationTask, fields: ItemFields, place: str, row: Row
) -> EvaluationItem | None:
    """An item with all that its score needs; None if `where` leaves the row out.

    `cluster` is still empty, because it depends on the other items.

    Raises:
        PathError: a field is missing, an answer is none of the options, or a text can't be stored;
            the message names it.
    """
    for path, wanted in task.source.where.items():
        values = {word_of(value) for value in field_values(row, path)}
        if values.isdisjoint(wanted):
            return None
    item = compared_item(task.name, fields, place, row)
    if not item.question.strip():
        raise PathError(f"field {fields.question}: is empty")
    if isinstance(task.scoring, SpanScoring):
        item = replace(item, spans=right_spans(task.scoring, fields, row))
    _refuse_unstorable(fields, item)
    if isinstance(task.scoring, ChoiceScoring):
        return replace(item, gold=right_place(task, fields, item, row))
    return item


def shared_values(fields: ItemFields, row: Row) -> tuple[str, ...]:
    """The values that an item shares with the other items of its cluster; empty if none is set.

    Raises:
        PathError: the field is missing; the message names it.
    """
    cluster = fields.cluster
    if cluster is None:
        return ()
    if isinstance(cluster, ClusterField):
        values = present_at(row, cluster.field)
        shared = tuple(str(value).split(cluster.until)[0] for value in values)
        if "" in (beginnings := [one.strip() for one in shared]):
            odd = values[beginnings.index("")]
            raise PathError(
                f"field {cluster.field}: {odd!r} has nothing before {cluster.until!r}, which "
                "`cluster` needs"
            )
    else:
        shared = tuple(str(value) for value in present_at(row, cluster))
    if not all(map(is_storable, shared)):
        raise PathError(f"field {_path_of(cluster)}: {_UNSTORABLE}")
    return shared


def _path_of(cluster: str | ClusterField) -> str:
    return cluster.field if isinstance(cluster, ClusterField) else cluster


def _identifier(fields: ItemFields, row: Row) -> str:
    """The item's own identifier; empty if the row has none."""
    return next((str(one) for one in field_values(row, fields.id) if not is_nothing(one)), "")


def _refuse_unstorable(fields: ItemFields, item: EvaluationItem) -> None:
    """Refuse characters that neither the store nor a tokenizer takes, before a model is loaded."""
    if isinstance(fields.options, tuple):
        options = list(zip(fields.options, item.options, strict=True))
    else:
        options = [(fields.options or "", text) for text in item.options]
    listed = fields.span_list.text if fields.span_list else ""
    answer = fields.answer if isinstance(fields.answer, str) else "answer"
    for path, text in (
        (fields.id, item.id),
        (fields.question, item.question),
        *((fields.context, text) for text in item.context),
        *options,
        *((answer, text) for text in item.answers),
        *((listed or fields.spans[label], text) for label, text in item.spans),
    ):
        if not is_storable(text):
            raise PathError(f"field {path}: {_UNSTORABLE}")


def _answers(fields: ItemFields, row: Row, options: Mapping[str, str]) -> tuple[str, ...]:
    if fields.answer is None:
        return ()
    if isinstance(fields.answer, str):
        return tuple(field_texts(row, fields.answer))
    chosen = chosen_place(fields.answer, row, list(options))
    return () if chosen is None else (list(options.values())[chosen],)
