"""The right spans of a row: in a field of each label, or in a list of objects.

Belongs here: the forms in which sources write spans. Does not: right options (right_options), or
the spans of a model's answer (evaluation.metrics).
"""

import ast
import json
from collections.abc import Mapping
from typing import Any

from bioinstruct_dagster.eval_sets.field_paths import PathError
from bioinstruct_dagster.eval_sets.row_fields import Row, field_texts, field_values
from bioinstruct_dagster.eval_sets.scoring import SpanScoring
from bioinstruct_dagster.eval_sets.task import ItemFields, SpanListField


def right_spans(scoring: SpanScoring, fields: ItemFields, row: Row) -> tuple[tuple[str, str], ...]:
    """The right spans, sorted by the order of labels; each pair of label and text is there once.

    Raises:
        PathError: a field is missing or of another kind, or a label is unknown.
    """
    if fields.span_list is not None:
        found = _listed_spans(scoring, fields.span_list, row)
    else:
        found = [
            (label, text)
            for label, path in fields.spans.items()
            for value in field_values(row, path)
            for text in _span_texts(path, value)
        ]
    order = {label: at for at, label in enumerate(scoring.labels)}
    return tuple(sorted(dict.fromkeys(found), key=lambda span: order[span[0]]))


def _listed_spans(scoring: SpanScoring, listed: SpanListField, row: Row) -> list[tuple[str, str]]:
    found = []
    for span in field_values(row, listed.each):
        if not isinstance(span, Mapping):
            raise PathError(f"field {listed.each}: holds something that is no object with fields")
        (label,) = field_texts(span, listed.label) or [""]
        if label not in scoring.labels:
            known = ", ".join(scoring.labels)
            raise PathError(f"field {listed.each}: label {label!r} is not one of {known}")
        found += [(label, text) for text in field_texts(span, listed.text)]
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
