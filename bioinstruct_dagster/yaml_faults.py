"""Messages about wrong values in a file, for the person who edits the file.

Belongs here: turning an error of pydantic into a field and a sentence that says what to do. Does
not: the text of the file and its lines (yaml_lines), or reading a file (yaml_files).
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

import pydantic

from bioinstruct_dagster.yaml_lines import REFUSED_VALUE, Fault, Place, number_in

MESSAGES = {
    "missing": "missing; add it",
    "greater_than": "must be greater than {gt}, not {found}",
    "greater_than_equal": "must be at least {ge}, not {found}",
    "less_than": "must be less than {lt}, not {found}",
    "less_than_equal": "must be at most {le}, not {found}",
    "finite_number": "must be a finite number, not {found}",
    "too_short": "has {actual_length} of at least {min_length} entries; add some",
    "too_long": "has {actual_length} of at most {max_length} entries; remove some",
    "string_too_short": "is empty; write something, or remove the key if it may be left out",
    "string_pattern_mismatch": "{found} does not have the form {pattern}; mend it",
}
# What to call the right kind of value, by pydantic's error for a wrong kind.
KIND_NAMES = {
    "string_type": "text",
    "tuple_type": "a list, such as [one, two]",
    "dict_type": "names with values, such as `name: value`",
    "model_type": "names with values, such as `name: value`",
    "model_attributes_type": "names with values, such as `name: value`",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "date_type": "a date, such as 2026-10-14",
}
LARGEST_WHOLE_NUMBER = 10**9  # of a field that states no limit of its own
_MOST_CHARACTERS = 60  # characters of a value
_LARGEST_SHOWN_NUMBER = 10**18
_CONTAINER_NAMES = {dict: "a mapping", list: "a list", type(None): "empty"}
_NUMBER_KINDS = {"int_type", "float_type"}


class FieldFaultsError(ValueError):
    """Faults of several fields below a model, raised together by the model's validator.

    Args:
        faults: by fault, its place below the model, and a message that says what to do.
    """

    def __init__(self, faults: Iterable[tuple[Place, str]]) -> None:
        self.faults = list(faults)
        lines = (f"{'.'.join(map(str, place))}: {message}" for place, message in self.faults)
        super().__init__("; ".join(lines))

    @classmethod
    def refuse(cls, faults: Iterable[tuple[Place, str]]) -> None:
        """Raise an error of all faults, if there are any."""
        if found := list(faults):
            raise cls(found)


class _Field(NamedTuple):
    """The field of an error of pydantic, and the models' facts about that field."""

    place: Place
    union: Place | None  # the innermost value around it that may be of several kinds
    known: tuple[str, ...]  # the keys that the mapping may have
    kinds: dict[str, type[pydantic.BaseModel]]  # the mapping's possible models, by their tag
    about: str  # the field's description, such as its unit
    annotation: Any  # the type of the field


def faults_of(error: pydantic.ValidationError, model: type[pydantic.BaseModel]) -> list[Fault]:
    """The faults that the errors of pydantic describe, each with its field and a message.

    If a value may be of several kinds, pydantic reports an error for each kind. An error that only
    reports another kind is left out if another error of the value says more.
    """
    found: dict[tuple[Place, str], Place | None] = {}
    strays: dict[Place, list[tuple[str, Any]]] = {}
    for detail in error.errors(include_url=False):
        value = detail["input"]
        if value is REFUSED_VALUE or _is_echo(detail):
            continue
        steps = detail["loc"]
        if steps[-1:] == ("[key]",) and detail["type"] != "extra_forbidden":
            steps = steps[:-1]  # the fault is the key's own
        field = _field(model, steps)
        if detail["type"] in KIND_NAMES and field.place == field.union:
            strays.setdefault(field.place, []).append((detail["type"], value))
            continue
        for place, message in _messages(detail, field):
            found.setdefault((place, message), field.union)
    for place, kinds in strays.items():
        if place not in found.values():
            value = kinds[0][1]
            found[place, _kind_message([kind for kind, _ in kinds], value, None)] = place
    return [Fault(place, message) for place, message in found]


def suggestion(word: str, known: Sequence[str]) -> str:
    """What to do about an unknown word: a question with the nearest word, or all known words."""
    if near := _nearest(word, known):
        return f"did you mean {near!r}?"
    return f"use one of: {', '.join(known)}" if known else "remove it"


def _is_echo(detail: Mapping[str, Any]) -> bool:
    """Whether pydantic calls a list too short only because some of its entries have faults."""
    if detail["type"] != "too_short":
        return False
    return bool(len(detail["input"]) >= detail["ctx"]["min_length"])


def _messages(detail: Mapping[str, Any], field: _Field) -> Iterator[tuple[Place, str]]:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "value_error":
        stated = context["error"]
        if isinstance(stated, FieldFaultsError):
            yield from ((field.place + at, message) for at, message in stated.faults)
        else:
            yield field.place, str(stated)
    elif kind == "extra_forbidden":
        name = str(field.place[-1])
        yield field.place, f"unknown key {name!r}; {suggestion(name, field.known)}"
    elif kind in {"union_tag_invalid", "union_tag_not_found"}:
        yield from _tag_messages(value, context["discriminator"].strip("'"), field)
    elif kind == "literal_error":
        yield field.place, _choice_message(re.findall(r"'([^']*)'", context["expected"]), value)
    elif kind in KIND_NAMES:
        yield field.place, _kind_message([kind], value, field.annotation) + field.about
    elif kind in MESSAGES:
        numbers = {
            name: f"{one:g}" if isinstance(one, float) else one for name, one in context.items()
        }
        message = MESSAGES[kind].format(found=_shown_value(value), **numbers)
        yield field.place, message + (field.about if kind != "missing" else "")
    else:
        yield field.place, f"{detail['msg']}, not {_shown_value(value)}; mend it"


def _tag_messages(value: Mapping[str, Any], key: str, field: _Field) -> Iterator[tuple[Place, str]]:
    """The fault of a mapping without a known tag; if the tag is misspelt, its other faults too."""
    tag = value.get(key)
    if tag is REFUSED_VALUE:
        return
    if key not in value:
        yield (*field.place, key), f"missing; add one of: {', '.join(field.kinds)}"
        return
    yield (*field.place, key), _choice_message(field.kinds, tag)
    if near := _nearest(tag, list(field.kinds)):
        try:
            field.kinds[near].model_validate({**value, key: near})
        except pydantic.ValidationError as error:
            for fault in faults_of(error, field.kinds[near]):
                yield field.place + fault.place, fault.message


def _choice_message(choices: Iterable[str], value: Any) -> str:
    known = list(choices)
    message = f"must be one of {', '.join(known)}, not {_shown_value(value)}"
    near = _nearest(value, known)
    return f"{message}; did you mean {near!r}?" if near else message


def _nearest(word: Any, known: Sequence[str]) -> str:
    """The known word that is most similar to a word; empty if none is similar."""
    folded = {one.casefold(): one for one in reversed(known)}
    if not isinstance(word, str):
        return ""
    near = difflib.get_close_matches(word.casefold(), folded, n=1)
    return folded[near[0]] if near else ""


def _kind_message(kinds: Sequence[str], value: Any, annotation: Any) -> str:
    """The message about a value that is of none of the allowed kinds."""
    wanted = " or ".join(dict.fromkeys(KIND_NAMES[kind] for kind in kinds))
    if value is None:
        return f"has no value; it must be {wanted}"
    if "string_type" in kinds and isinstance(value, bool | int | float | date):
        reads = f"YAML reads it as {_shown_value(value)}"
        reads += ", as a bare yes, no, on or off" if isinstance(value, bool) else ""
        return f"must be {wanted}, but {reads}; put it in quotes if it is text"
    message = f"must be {wanted}, not {_shown_value(value)}"
    advice = ""
    if _NUMBER_KINDS & set(kinds) and not isinstance(value, bool):
        advice = _number_advice(value, annotation, whole="int_type" in kinds)
    elif "date_type" in kinds and isinstance(value, str):
        advice = _date_advice(value)
    return "; ".join(filter(None, [message, advice]))


def _number_advice(value: Any, annotation: Any, *, whole: bool) -> str:
    """What to write for a value that is no number of the right kind.

    A number is only named if the field takes it. Otherwise the advice says what the field takes.
    """
    number = number_in(value) if isinstance(value, str) else value
    if not isinstance(number, int | float):
        return "write it in digits, without quotes" if isinstance(value, str) else ""
    if isinstance(number, float) and number.is_integer() and abs(number) < _LARGEST_SHOWN_NUMBER:
        candidates: list[int | float] = [int(number), number]
    else:
        candidates = [number]
    advice = ""
    for one in candidates:
        try:
            pydantic.TypeAdapter(annotation).validate_python(one, strict=True)
        except pydantic.ValidationError as error:
            detail = error.errors(include_url=False)[0]
            if detail["type"] in MESSAGES:
                message = MESSAGES[detail["type"]]
                advice = "it " + message.format(found=_shown_value(one), **detail.get("ctx", {}))
        else:
            if whole and one > LARGEST_WHOLE_NUMBER:
                return f"it must be at most {LARGEST_WHOLE_NUMBER}"
            return f"write {one}" + (", without quotes" if isinstance(value, str) else "")
    return advice


def _date_advice(value: str) -> str:
    try:
        return f"write {date.fromisoformat(value.strip()).isoformat()}, without quotes"
    except ValueError:
        return ""


def _shown_value(value: Any) -> str:
    """A value as a message shows it: short, even if the value is long."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) > _LARGEST_SHOWN_NUMBER:
        return "a number of many digits"
    if isinstance(value, datetime):
        return f"the time {value.isoformat()}"
    if isinstance(value, date):
        return f"the date {value.isoformat()}"
    if isinstance(value, str) and len(value) > _MOST_CHARACTERS:
        value = value[:_MOST_CHARACTERS] + "..."
    return _CONTAINER_NAMES.get(type(value)) or repr(value)


def _field(model: type[pydantic.BaseModel], steps: Sequence[str | int]) -> _Field:
    """Follow the steps of an error through the models.

    Steps that only name a kind of value are left out of the field's place.
    """
    shapes, tag = _shapes(model)
    place: Place = ()
    union: Place | None = None
    known: tuple[str, ...] = ()
    about = ""
    inside: Any = model
    for step in steps:
        if len(shapes) > 1:
            union, known = place, ()
            shapes = [one for one in shapes if _is_kind(one, step, tag)] or [
                one for one in shapes if not _is_model(one)
            ]
            if len(shapes) > 1:  # the steps inside are the same for all plain kinds
                shapes = [one for one in shapes if get_origin(one) is tuple] or shapes[:1]
            continue
        (shape,) = shapes or [None]
        inside = None
        if _is_model(shape):
            known = tuple(shape.model_fields)
            about = ""
            if field := shape.model_fields.get(str(step)):
                inside = Annotated[field.annotation, field]
                about = _about(inside)
        elif get_origin(shape) is dict:
            inside = get_args(shape)[1]
        elif get_origin(shape) is tuple and isinstance(step, int):
            kinds = get_args(shape)
            inside = kinds[0 if len(kinds) > 1 and kinds[1] is ... else step]
        elif not _is_model(shape):
            break
        place = (*place, step)
        shapes, tag = _shapes(inside)
    return _Field(place, union, known, _models_by_tag(shapes, tag), about, inside)


def _shapes(annotation: Any, tag: str = "") -> tuple[list[Any], str]:
    """The kinds that a value may be of, and the key that holds the tag of a mapping."""
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        keys = [getattr(one, "discriminator", None) for one in metadata]
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
    """Whether a step of an error names this kind of value, by its tag or by its class."""
    if not _is_model(shape):
        return False
    return step in _models_by_tag([shape], tag) if tag else shape.__name__ in str(step)


def _models_by_tag(shapes: Sequence[Any], tag: str) -> dict[str, type[pydantic.BaseModel]]:
    models = [one for one in shapes if tag and _is_model(one)]
    return {each: one for one in models for each in get_args(one.model_fields[tag].annotation)}


def _about(annotation: Any) -> str:
    """The description of a field in its model, such as its unit, in brackets; empty if none."""
    inner = get_args(annotation)
    own = [getattr(one, "description", None) for one in inner[1:]]
    if description := next(filter(None, own), None):
        return f" ({description})"
    return next(filter(None, map(_about, inner)), "")
