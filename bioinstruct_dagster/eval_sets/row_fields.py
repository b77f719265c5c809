"""The values of a row at a path, with errors that name the field.

Belongs here: what every field of a row needs. Does not: what one value says (plain_values),
following a path (field_paths), or an item's single fields (item_fields).
"""

from collections.abc import Mapping
from typing import Any

from bioinstruct_dagster.eval_sets.field_paths import PathError, values_at
from bioinstruct_dagster.eval_sets.plain_values import is_nothing

Row = Mapping[str, Any]


def field_values(row: Row, path: str) -> list[Any]:
    """The values at a path; an error names the field.

    Raises:
        PathError: nothing is there, and the path is not optional.
    """
    try:
        return values_at(row, path)
    except PathError as error:
        raise PathError(f"field {path}: {error}") from None


def field_texts(row: Row, path: str) -> list[str]:
    """The texts at a path; line breaks join a list without `[]`, and nulls are left out.

    Raises:
        PathError: the field is missing, or holds something else than text.
    """
    texts = []
    for value in field_values(row, path):
        parts = elements_of(value)
        for part in parts:
            if part is not None and not isinstance(part, str):
                raise PathError(f"field {path}: is {type(part).__name__}, not text")
        texts.append("\n".join(part for part in parts if part is not None))
    return [text for text in texts if text.strip()]


def present_at(row: Row, path: str) -> list[Any]:
    """The values at a path, also those in lists, without those that stand for none.

    Raises:
        PathError: the field is missing.
    """
    found = [one for value in field_values(row, path) for one in elements_of(value)]
    return [one for one in found if not is_nothing(one)]


def elements_of(value: Any) -> list[Any]:
    """The elements of a list; a single value is its own element."""
    return value if isinstance(value, list) else [value]
