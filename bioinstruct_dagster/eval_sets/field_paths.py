"""Paths into an evaluation item: how the catalogue writes them, and the values they lead to.

Belongs here: `a.b` goes into objects, `a[]` takes each element of a list, `a|b` the first that is
there, and a `?` at the end lets the value be absent. Does not: which paths a task has (catalogue),
or what an item is made of (items).
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
        rf"{_PATH}(?:\|{_PATH})*\??", "is no path to a field; the file's head explains paths"
    ),
]


class PathError(Exception):
    """A path that does not fit an item; holds what to say of it."""


def values_at(item: Mapping[str, Any], path: str) -> list[Any]:
    """The values that a path leads to; empty where an optional path leads nowhere.

    Raises:
        PathError: no alternative of a path that is not optional is there.
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
    """Whether the path leads to a list that is there, but empty."""
    head, separator, _ = path.partition("[]")
    return bool(separator) and any(value == [] for value in _follow([item], head))
