"""An evaluation item from a row of a file, by the paths of its task.

Belongs here: the fields of a row, each checked; an error names the field. Does not: reading files
(item_files), or following a path (field_paths).
"""

import ast
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bioinstruct_dagster.eval_sets.field_paths import PathError, values_at
from bioinstruct_dagster.eval_sets.item import EvaluationItem, options_of
from bioinstruct_dagster.eval_sets.plain_values import (
    is_nothing,
    places_of,
    whole_number,
    word_of,
)
from bioinstruct_dagster.eval_sets.scoring import ChoiceScoring, SpanScoring
from bioinstruct_dagster.eval_sets.task import (
    ChoiceField,
    ClusterField,
    EvaluationTask,
    ItemFields,
    SpanListField,
)
from bioinstruct_dagster.store.storable_text import is_storable

_Row = Mapping[str, Any]
_MOST_OPTIONS = 26  # letters
_UNSTORABLE = "holds a lone surrogate or NUL character, which can't be stored as text"


def compared_item(name: str, fields: ItemFields, place: str, row: _Row) -> EvaluationItem:
    """The texts of an item that decontamination compares with rows.

    Args:
        name: of the task.
        fields: of a row.
        place: of the row: file and line.
        row: the row.

    Raises:
        PathError: a field is missing or of another kind; the message names it.
    """
    question = "\n".join(_texts_at(row, fields.question))
    if not question.strip() and not fields.question.endswith("?"):
        raise PathError(f"field {fields.question}: is empty")
    options = _options(fields, row)
    return EvaluationItem(
        task=name,
        id=_identifier(fields, row) or place,
        question=question,
        answers=_answers(fields, row, options),
        options=tuple(options.values()),
        context=tuple(_texts_at(row, fields.context)) if fields.context else (),
    )


def scored_item(
    task: EvaluationTask, fields: ItemFields, place: str, row: _Row
) -> EvaluationItem | None:
    """An item with all that its score needs; None if `where` leaves the row out.

    `cluster` is still empty, because it depends on the other items.

    Raises:
        PathError: a field is missing, an answer is none of the options, or a text can't be stored;
            the message names it.
    """
    for path, wanted in task.source.where.items():
        values = {word_of(value) for value in _values_at(row, path)}
        if values.isdisjoint(wanted):
            return None
    item = compared_item(task.name, fields, place, row)
    if not item.question.strip():
        raise PathError(f"field {fields.question}: is empty")
    if isinstance(task.scoring, SpanScoring):
        item = replace(item, spans=_spans(task.scoring, fields, row))
    _refuse_unstorable(fields, item)
    if isinstance(task.scoring, ChoiceScoring):
        return replace(item, gold=_gold(task, fields, item, row))
    return item


def shared_values(fields: ItemFields, row: _Row) -> tuple[str, ...]:
    """The values that an item shares with the other items of its cluster; empty if none is set.

    Raises:
        PathError: the field is missing; the message names it.
    """
    cluster = fields.cluster
    if cluster is None:
        return ()
    if isinstance(cluster, ClusterField):
        values = _present(row, cluster.field)
        shared = tuple(str(value).split(cluster.until)[0] for value in values)
        if "" in (beginnings := [one.strip() for one in shared]):
            odd = values[beginnings.index("")]
            raise PathError(
                f"field {cluster.field}: {odd!r} has nothing before {cluster.until!r}, which "
                "`cluster` needs"
            )
    else:
        shared = tuple(str(value) for value in _present(row, cluster))
    if not all(map(is_storable, shared)):
        raise PathError(f"field {_path_of(cluster)}: {_UNSTORABLE}")
    return shared


def _path_of(cluster: str | ClusterField) -> str:
    return cluster.field if isinstance(cluster, ClusterField) else cluster


def _present(row: _Row, path: str) -> list[Any]:
    """The values at a path, also those in lists, without those that stand for none."""
    found = [one for value in _values_at(row, path) for one in _elements(value)]
    return [one for one in found if not is_nothing(one)]


def _identifier(fields: ItemFields, row: _Row) -> str:
    """The item's own identifier; empty if the row has none."""
    return next((str(one) for one in _values_at(row, fields.id) if not is_nothing(one)), "")


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


def _elements(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _values_at(row: _Row, path: str) -> list[Any]:
    try:
        return values_at(row, path)
    except PathError as error:
        raise PathError(f"field {path}: {error}") from None


def _texts_at(row: _Row, path: str) -> list[str]:
    """The texts at a path; line breaks join a list without `[]`, and nulls are left out."""
    texts = []
    for value in _values_at(row, path):
        parts = _elements(value)
        for part in parts:
            if part is not None and not isinstance(part, str):
                raise PathError(f"field {path}: is {type(part).__name__}, not text")
        texts.append("\n".join(part for part in parts if part is not None))
    return [text for text in texts if text.strip()]


def _options(fields: ItemFields, row: _Row) -> dict[str, str]:
    """The choices by letter; an object keeps its own letters."""
    if fields.options is None:
        return {}
    if isinstance(fields.options, tuple):
        texts = ["\n".join(_texts_at(row, path)) for path in fields.options]
    else:
        found = _values_at(row, fields.options)
        if len(found) == 1 and isinstance(found[0], Mapping):
            lettered = {str(key): value for key, value in found[0].items() if value is not None}
            if not all(isinstance(value, str) for value in lettered.values()):
                raise PathError(f"field {fields.options}: an option is not text")
            return lettered
        elements = found[0] if len(found) == 1 and isinstance(found[0], list) else found
        if not all(isinstance(value, str) for value in elements):
            raise PathError(f"field {fields.options}: an option is not text")
        texts = list(elements)
    return {chr(ord("A") + place): text for place, text in enumerate(texts)}


def _answers(fields: ItemFields, row: _Row, options: Mapping[str, str]) -> tuple[str, ...]:
    if fields.answer is None:
        return ()
    if isinstance(fields.answer, str):
        return tuple(_texts_at(row, fields.answer))
    chosen = _chosen(fields.answer, row, list(options))
    return () if chosen is None else (list(options.values())[chosen],)


def _chosen(choice: ChoiceField, row: _Row, letters: list[str]) -> int | None:
    """The place of the option that a row picks; None for splits with unpublished answers."""
    path = choice.letter or choice.index or ""
    found = next(iter(_values_at(row, path)), None)
    if is_nothing(found):
        return None
    if choice.letter:
        if not isinstance(found, str) or found not in letters:
            raise PathError(f"field {path}: is {found!r}, not one of {', '.join(letters)}")
        return letters.index(found)
    last = choice.first + len(letters) - 1
    place = whole_number(found)
    if place is None or not choice.first <= place <= last:
        raise PathError(
            f"field {path}: is {found!r}, not a whole number from {choice.first} to {last}"
        )
    return place - choice.first


def _gold(task: EvaluationTask, fields: ItemFields, item: EvaluationItem, row: _Row) -> int | None:
    options = options_of(task, item)
    name = fields.options if isinstance(fields.options, str) else "options"
    if not 2 <= len(options) <= _MOST_OPTIONS:  # noqa: PLR2004  # a choice
        raise PathError(f"field {name}: has {len(options)} options, not 2 to {_MOST_OPTIONS}")
    if blank := next((at for at, text in enumerate(options, 1) if not text.strip()), 0):
        raise PathError(f"field {name}: option {blank} is empty")
    right = fields.right_option
    if isinstance(right, ChoiceField):
        gold = _chosen(right, row, list(_options(fields, row)))
    else:
        gold = _named(task, options, str(right), row)
    if gold is not None and isinstance(fields.answer, str) and item.options:
        stated = item.answers[:1]
        if stated and stated[0] in options and stated[0] != options[gold]:
            raise PathError(
                f"field {fields.answer}: is {stated[0]!r}, but `gold` picks {options[gold]!r}"
            )
    return gold


def _named(task: EvaluationTask, options: tuple[str, ...], path: str, row: _Row) -> int | None:
    """The place of the option that a row names by a label or by its text.

    Case counts only if the options differ in nothing else.
    """
    found = [one for value in _values_at(row, path) for one in _elements(value) if one is not None]
    if all(map(is_nothing, found)):
        return None
    labels = task.scoring.labels if isinstance(task.scoring, ChoiceScoring) else {}
    known = list(labels) or list(options)
    shown = found[0] if len(found) == 1 else found
    places = places_of(word_of(found[0]), known) if len(found) == 1 else []
    if len(places) > 1:
        fitting = ", ".join(f"{known[place]!r} (option {place + 1})" for place in places)
        raise PathError(
            f"field {path}: {shown!r} is more than one option: {fitting}. Give the right option "
            "by its letter or place"
        )
    if not places:
        raise PathError(f"field {path}: is {shown!r}, not one of {', '.join(known)}")
    return places[0]


def _spans(scoring: SpanScoring, fields: ItemFields, row: _Row) -> tuple[tuple[str, str], ...]:
    """The right spans, sorted by the order of labels; each pair of label and text is there once."""
    if fields.span_list is not None:
        found = _listed_spans(scoring, fields.span_list, row)
    else:
        found = [
            (label, text)
            for label, path in fields.spans.items()
            for value in _values_at(row, path)
            for text in _span_texts(path, value)
        ]
    order = {label: at for at, label in enumerate(scoring.labels)}
    return tuple(sorted(dict.fromkeys(found), key=lambda span: order[span[0]]))


def _listed_spans(scoring: SpanScoring, listed: SpanListField, row: _Row) -> list[tuple[str, str]]:
    found = []
    for span in _values_at(row, listed.each):
        if not isinstance(span, Mapping):
            raise PathError(f"field {listed.each}: holds something that is no object with fields")
        (label,) = _texts_at(span, listed.label) or [""]
        if label not in scoring.labels:
            known = ", ".join(scoring.labels)
            raise PathError(f"field {listed.each}: label {label!r} is not one of {known}")
        found += [(label, text) for text in _texts_at(span, listed.text)]
    return found


def _span_texts(path: str, value: Any) -> list[str]:
    """The texts of a value. A list holds the pieces of one span, or a text holds a list of spans.

    CSV has no lists, so some sources write one as text: `["aspirin", "heparin"]`.
    """
    if value is None or value == "":
        return []
    if isinstance(value, str):
        return [one.strip() for one in _written_list(value) if one.strip()]
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        joined = " ".join(one.strip() for one in value).strip()
        return [joined] if joined else []
    raise PathError(f"field {path}: is {type(value).__name__}, not text or a list of texts")


def _written_list(text: str) -> list[str]:
    stripped = text.strip()
    if not (stripped.startswith("[") and stripped.endswith("]")):
        return [text]
    for read in (json.loads, ast.literal_eval):
        try:
            found = read(stripped)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(found, list) and all(isinstance(one, str) for one in found):
            return found
    return [one.strip(" \"'") for one in stripped[1:-1].split(",")]
