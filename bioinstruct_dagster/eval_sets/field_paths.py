"""Paths into an evaluation item: how the catalogue writes them, and the values they lead to.

A full stop goes into an object, `[]` takes each element of a list, `|` separates alternatives of
which the first that is there counts, and `?` at the end makes the value optional. Belongs here: the
form of a path, and following it. Does not: the paths of a task (catalogue), or the fields of an
item (items).
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from bioinstruct_dagster.yaml_files import text_of_form

_STEP = r"[A-Za-z_][\w-]*(?:\[\])?"
_PATH = rf"{_STEP}(?:\.{_STEP})*"
FieldPath = Annotated[
    str,
    Field(strict=True),
    text_of_form(
        rf"{_PATH}(?:\|{_PATH})*\??",
        "is no path to a field; docs/evaluation.md explains paths",
    ),
]


class PathError(Exception):
    """A path does not fit an item; the message says why."""


def values_at(item: Mapping[str, Any], path: str) -> list[Any]:
    """The values at a path; empty if the path is optional and nothing is there.

    Raises:
        PathError: nothing is there, and the path is not optional.
    """
    wanted = path.removesuffix("?")
    for alternative in wanted.split("|"):
        found = list(_follow([item], alternative))
        if found or _ends_empty(item, alternative):
            return found
    if path.endswith("?"):
        return []
    raise PathError("is missing")


def _follow(values: list[Any], path: str) -> Iterator[Any]:
    for step in path.split("."):
        name = step.removesuffix("[]")
        values = [value[name] for value in values if isinstance(value, Mapping) and name in value]
        if step.endswith("[]"):
            values = [each for value in values if isinstance(value, list) for each in value]
    yield from values


def _ends_empty(item: Mapping[str, Any], path: str) -> bool:
    """Whether the path leads to an empty list."""
    head, separator, _ = path.partition("[]")
    return bool(separator) and any(value == [] for value in _follow([item], head))
