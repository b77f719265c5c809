"""What pydantic finds wrong with a file's values, said for the person who edits the file.

Belongs here: from an error of pydantic to the field and to a sentence that says what to do. Does
not: the text of the file and its lines (yaml_lines), or reading a file (yaml_files).
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

import pydantic

from bioinstruct_dagster.yaml_lines import REFUSED, Fault, Place

HINTS = {
    "missing": "missing; add it",
    "greater_than": "must be greater than {gt}, not {found}",
    "greater_than_equal": "must be at least {ge}, not {found}",
    "less_than": "must be less than {lt}, not {found}",
    "less_than_equal": "must be at most {le}, not {found}",
    "finite_number": "must be a finite number, not {found}",
    "int_from_float": "must be a whole number, not {found}",
    "too_short": "has {actual_length} of at least {min_length} entries; add some",
    "too_long": "has {actual_length} of at most {max_length} entries; remove some",
    "string_too_short": "is empty; write something, or remove the key if it may be left out",
    "string_pattern_mismatch": "{found} does not have the form {pattern}; mend it",
}
# What a value of the wrong kind should have been.
KINDS = {
    "string_type": "text",
    "tuple_type": "a list, such as [one, two]",
    "dict_type": "names with values, such as `name: value`",
    "model_type": "names with values, such as `name: value`",
    "model_attributes_type": "names with values, such as `name: value`",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "date_type": "a date, such as 2026-10-14",
    "date_from_datetime_parsing": "a date, such as 2026-10-14",
}
_LONGEST_SHOWN = 60  # characters of a value
_LARGE = 10**18
_WITHOUT_VALUE = {dict: "a mapping", list: "a list", type(None): "empty"}
_NUMBERS = {"int_type", "int_parsing", "float_type", "float_parsing"}


class FieldFaultsError(ValueError):
    """Raised by a model's validator: faults of fields below the model, all at once.

    Args:
        faults: each with its place below the model, and what to do.
    """

    def __init__(self, faults: Iterable[tuple[Place, str]]) -> None:
        self.faults = list(faults)
        super().__init__("; ".join(f"{'.'.join(map(str, at))}: {said}" for at, said in self.faults))

    @classmethod
    def refuse(cls, faults: Iterable[tuple[Place, str]]) -> None:
        """Raise if there are any."""
        if stated := list(faults):
            raise cls(stated)


class _Field(NamedTuple):
    """Where an error of pydantic lies, and what the models say of it."""

    place: Place
    union: Place | None  # the innermost value that may be of several kinds
    known: tuple[str, ...]  # the keys that the mapping may have
    kinds: dict[str, type[pydantic.BaseModel]]  # by the key that tells a mapping's kind
    about: str


def faults_of(error: pydantic.ValidationError, model: type[pydantic.BaseModel]) -> list[Fault]:
    """Each of pydantic's errors as a field and a sentence.

    A value that may be of several kinds has an error for each; those that only say that it is of
    another kind are left out when one of them says more.
    """
    found: dict[tuple[Place, str], Place | None] = {}
    strays: dict[Place, list[tuple[str, Any]]] = {}
    for detail in error.errors(include_url=False):
        value = detail["input"]
        if value is REFUSED or _is_echo(detail):
            continue
        field = _field(model, detail["loc"])
        if detail["type"] in KINDS and field.place == field.union:
            strays.setdefault(field.place, []).append((detail["type"], value))
            continue
        for place, said in _said(detail, field):
            found.setdefault((place, said), field.union)
    for place, kinds in strays.items():
        if place not in found.values():
            value = kinds[0][1]
            found[place, _of_kinds([kind for kind, _ in kinds], value)] = place
    return [Fault(place, said) for place, said in found]


def suggestion(word: str, known: Sequence[str]) -> str:
    """What to do about a word that is not known: the nearest one, or all of them."""
    if near := _nearest(word, known):
        return f"did you mean {near!r}?"
    return f"use one of: {', '.join(known)}" if known else "remove it"


def _is_echo(detail: Mapping[str, Any]) -> bool:
    """Whether a list is called too short only because some of its entries have faults."""
    if detail["type"] != "too_short":
        return False
    return bool(len(detail["input"]) >= detail["ctx"]["min_length"])


def _said(detail: Mapping[str, Any], field: _Field) -> Iterator[tuple[Place, str]]:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "value_error":
        stated = context["error"]
        if isinstance(stated, FieldFaultsError):
            yield from ((field.place + at, said) for at, said in stated.faults)
        else:
            yield field.place, str(stated)
    elif kind == "extra_forbidden":
        name = str(field.place[-1])
        yield field.place, f"unknown key {name!r}; {suggestion(name, field.known)}"
    elif kind in {"union_tag_invalid", "union_tag_not_found"}:
        yield from _said_of_kind(value, context["discriminator"].strip("'"), field)
    elif kind == "literal_error":
        yield field.place, _one_of(re.findall(r"'([^']*)'", context["expected"]), value)
    elif kind in KINDS:
        yield field.place, _of_kinds([kind], value) + field.about
    elif kind in HINTS:
        numbers = {
            name: f"{one:g}" if isinstance(one, float) else one for name, one in context.items()
        }
        said = HINTS[kind].format(found=_shown(value), **numbers)
        yield field.place, said + (field.about if kind != "missing" else "")
    else:
        yield field.place, f"{detail['msg']}, not {_shown(value)}; mend it"


def _said_of_kind(value: Mapping[str, Any], key: str, field: _Field) -> Iterator[tuple[Place, str]]:
    """A mapping without a known kind, and its other faults if its kind is only misspelt."""
    tag = value.get(key)
    if tag is REFUSED:
        return
    if key not in value:
        yield (*field.place, key), f"missing; add one of: {', '.join(field.kinds)}"
        return
    yield (*field.place, key), _one_of(field.kinds, tag)
    if near := _nearest(tag, list(field.kinds)):
        try:
            field.kinds[near].model_validate({**value, key: near})
        except pydantic.ValidationError as error:
            for fault in faults_of(error, field.kinds[near]):
                yield field.place + fault.place, fault.said


def _one_of(choices: Iterable[str], value: Any) -> str:
    known = list(choices)
    said = f"must be one of {', '.join(known)}, not {_shown(value)}"
    near = _nearest(value, known)
    return f"{said}; did you mean {near!r}?" if near else said


def _nearest(word: Any, known: Sequence[str]) -> str:
    """The known word that is most like this one; empty if none is."""
    folded = {one.casefold(): one for one in reversed(known)}
    if not isinstance(word, str):
        return ""
    near = difflib.get_close_matches(word.casefold(), folded, n=1)
    return folded[near[0]] if near else ""


def _of_kinds(kinds: Sequence[str], value: Any) -> str:
    """The fault of a value that is of none of the kinds it may be of."""
    wanted = " or ".join(dict.fromkeys(KINDS[kind] for kind in kinds))
    if value is None:
        return f"has no value; it must be {wanted}"
    if "string_type" in kinds and isinstance(value, bool | int | float | date):
        reads = f"YAML reads it as {_shown(value)}"
        reads += ", as a bare yes, no, on or off" if isinstance(value, bool) else ""
        return f"must be {wanted}, but {reads}; put it in quotes if it is text"
    said = f"must be {wanted}, not {_shown(value)}"
    if isinstance(value, str) and _NUMBERS & set(kinds):
        try:
            said += f"; write {float(value)!r}, without quotes"
        except ValueError:
            said += "; write it in digits"
    return said


def _shown(value: Any) -> str:
    """A value in a message: short, whatever the file holds."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) > _LARGE:
        return "a number of many digits"
    if isinstance(value, date):
        return f"the date {value.isoformat()}"
    if isinstance(value, str) and len(value) > _LONGEST_SHOWN:
        value = value[:_LONGEST_SHOWN] + "..."
    return _WITHOUT_VALUE.get(type(value)) or repr(value)


def _field(model: type[pydantic.BaseModel], steps: Sequence[str | int]) -> _Field:
    """Follow an error's steps through the models; those that only name a kind of value go."""
    shapes, tag = _shapes(model)
    place: Place = ()
    union: Place | None = None
    known: tuple[str, ...] = ()
    about = ""
    for step in steps:
        if len(shapes) > 1:
            union, known = place, ()
            shapes = [one for one in shapes if _is_kind(one, step, tag)] or [
                one for one in shapes if not _is_model(one)
            ]
            if len(shapes) > 1:  # which of the plain kinds it is makes no difference
                shapes = [one for one in shapes if get_origin(one) is tuple] or shapes[:1]
            continue
        (shape,) = shapes or [None]
        inside: Any = None
        if _is_model(shape):
            known = tuple(shape.model_fields)
            about = ""
            if field := shape.model_fields.get(str(step)):
                inside = Annotated[field.annotation, field]
                about = _about(inside)
        elif get_origin(shape) is dict and step != "[key]":
            inside = get_args(shape)[1]
        elif get_origin(shape) is tuple and isinstance(step, int):
            kinds = get_args(shape)
            inside = kinds[0 if len(kinds) > 1 and kinds[1] is ... else step]
        elif not _is_model(shape):
            break
        place = (*place, step)
        shapes, tag = _shapes(inside)
    return _Field(place, union, known, _tags(shapes, tag), about)


def _shapes(annotation: Any, tag: str = "") -> tuple[list[Any], str]:
    """The kinds that a value may be of, and the key that tells one mapping from another."""
    if get_origin(annotation) is Annotated:
        inner, *said = get_args(annotation)
        keys = [getattr(one, "discriminator", None) for one in said]
        return _shapes(inner, next((key for key in keys if isinstance(key, str)), tag))
    if get_origin(annotation) not in {Union, UnionType}:
        return [] if annotation in {None, type(None)} else [annotation], tag
    found: list[Any] = []
    for each in get_args(annotation):
        shapes, tag = _shapes(each, tag)
        found += shapes
    return found, tag


def _is_model(shape: Any) -> bool:
    return isinstance(shape, type) and issubclass(shape, pydantic.BaseModel)


def _is_kind(shape: Any, step: str | int, tag: str) -> bool:
    """Whether a step names this kind of value: by its tag, or by its class."""
    if not _is_model(shape):
        return False
    return step in _tags([shape], tag) if tag else shape.__name__ in str(step)


def _tags(shapes: Sequence[Any], tag: str) -> dict[str, type[pydantic.BaseModel]]:
    models = [one for one in shapes if tag and _is_model(one)]
    return {each: one for one in models for each in get_args(one.model_fields[tag].annotation)}


def _about(annotation: Any) -> str:
    """What a field's model says of it, such as its unit."""
    inner = get_args(annotation)
    own = [getattr(one, "description", None) for one in inner[1:]]
    if said := next(filter(None, own), None):
        return f" ({said})"
    return next(filter(None, map(_about, inner)), "")
