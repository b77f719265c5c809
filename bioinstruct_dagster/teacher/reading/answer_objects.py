"""Reading the numbered answers in a reply, in any form that teachers write.

A question asks for one JSON object with a list of numbered answers. Teachers also write a bare
list, one object a line, a map by number, another name of the list, or "Item 1" for a number. All
of these are read, because a second draw would be paid for. But nothing is guessed: a reply with a
number that no item has is refused, since a teacher that counts from 0 or from 2 shifts every answer
to another item.

Belongs here: the lists of answers in a text. Does not: what a valid answer is, and answers that
contradict each other (questions), or the answer's text in a reply (answer_text).
"""

import ast
import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bioinstruct_dagster.teacher.reading.answer_values import readable, word
from bioinstruct_dagster.teacher.reading.json_values import JsonScanner, JsonSpan, json_spans

Objects = list[dict[str, Any]]

NUMBER = "number"
# Other names of the number. They count only if they number the answers from 1 without a gap.
_OTHER_NUMBERS = ("no", "nr", "num", "n", "item", "item_number", "id", "index", "row", "")
_NUMBER_TEXT = re.compile(
    r"\s*(?:item|number|no|nr|row|instruction|question|task|answer)?[\s.:_#-]*(\d{1,6})[\s.:)]*",
    re.IGNORECASE,
)
_LIST_OF_OBJECTS = re.compile(r"\[\s{0,64}(?=\{)")
_NEXT_OBJECT = re.compile(r"[\s,]*(?=\{)")
_LINE = re.compile(
    r"^[ \t*_#(\[-]{0,6}(?:item|instruction)?[ #]{0,4}(\d{1,4})[ \t.:)\]*_-]{1,12}(\S.{0,60})$",
    re.IGNORECASE | re.MULTILINE,
)
_NEEDLESS_COMMA = re.compile(r'("(?:[^"\\]|\\.)*+")|,(?=\s*[}\]])')
_MOST_CHARACTERS_MENDED = 100_000
_WRAPPER_DEPTH = 2
_MOST_DEPTH = 40


@dataclass(frozen=True)
class AnswerForm:
    """The form of the answers that a request asks for.

    Attributes:
        list_name: the name of the list.
        properties: the JSON schema of each field of an answer, besides its number.
        count: how many items the request holds.
    """

    list_name: str
    properties: Mapping[str, Any]
    count: int

    @cached_property
    def telling(self) -> frozenset[str]:
        """The fields that show that an object is an answer: those that are no free text."""
        free = {"type": "string"}
        telling = [name for name, schema in self.properties.items() if schema != free]
        return frozenset(map(word, telling or self.properties))


def answer_lists(text: str, form: AnswerForm, *, cut: bool = False) -> list[Objects] | None:
    """The lists of answers in a text, in order; None if it has no list in a form that is known.

    If there are several lists, a later one is a new version of an earlier one. Each answer holds
    its number, and the values of its fields in the types of the schema.

    Args:
        text: the answer's text.
        form: what was asked for.
        cut: whether the token limit cut the text. Then the whole answers before the cut are read.
    """
    lists = _lists(text, form, cut=cut)
    if not lists and not cut:
        lists = _mended_lists(text, form) or _lines(text, form)
    if not lists:
        return None
    numbered = [_numbered(objects, form, cut=cut) for objects in lists]
    return None if None in numbered else [each for each in numbered if each is not None]


def _lists(text: str, form: AnswerForm, *, cut: bool) -> list[Any]:
    """The lists of a text, with their elements as the teacher wrote them."""
    lists: list[list[Any]] = []
    lines = _Lines(form)
    broken: JsonSpan | None = None
    for span in json_spans(text):
        if not span.whole:
            broken = span if span.has_key or not broken else broken
            continue
        value = _loaded(text, span)
        listed = _list_of(value, form)
        if listed is not None:
            lists += [*lines.end(), listed]
            broken = None
        elif _is_answer(value, form):
            lists += lines.add(value)
    lists += lines.end()
    if broken and cut:
        partial = list(_before_break(text, broken))
        return [*lists, partial] if partial else lists
    if broken and broken.has_key and not any(len(each) >= form.count for each in lists):
        return []
    return lists


class _Lines:
    """Collects answers that stand one object a line into lists."""

    def __init__(self, form: AnswerForm) -> None:
        self._form = form
        self._lines: list[Any] = []
        self._numbers: set[int | None] = set()

    def add(self, answer: dict[str, Any]) -> list[list[Any]]:
        """Add an answer; the list that ended before it, if it begins a new version."""
        number = number_of(answer.get(NUMBER))
        is_repeat = number in self._numbers and len(self._numbers) >= self._form.count
        ended = self.end() if is_repeat else []
        self._lines.append(answer)
        self._numbers.add(number)
        return ended

    def end(self) -> list[list[Any]]:
        """The list so far, if its answers can be told apart; the next answer begins a new one."""
        lines, self._lines = self._lines, []
        is_list = any(self._numbers - {None}) or len(lines) == self._form.count
        self._numbers = set()
        return [lines] if lines and is_list else []


def _loaded(text: str, span: JsonSpan) -> Any:
    if span.depth > _MOST_DEPTH:
        return None
    try:
        return json.loads(text[span.start : span.end])
    except (ValueError, RecursionError):
        return None


def _list_of(value: Any, form: AnswerForm, wrappers: int = _WRAPPER_DEPTH) -> list[Any] | None:
    """The elements of a value that is a list of answers or holds one; None for any other value."""
    if isinstance(value, list):
        return value if _are_answers(value, form) else None
    if not isinstance(value, dict) or not value:
        return None
    named = {word(key): part for key, part in value.items()}
    if isinstance(named.get(word(form.list_name)), list):
        found: list[Any] = named[word(form.list_name)]
        return found
    if all(number_of(key) is not None for key in value):
        return [_of_key(key, part, form) for key, part in value.items()]
    if not wrappers or _is_answer(value, form):
        return None
    inner = [_list_of(part, form, wrappers - 1) for part in value.values()]
    lists = [each for each in inner if each is not None]
    return lists[0] if len(lists) == 1 else None


def _of_key(key: str, part: Any, form: AnswerForm) -> Any:
    """An answer of a map by number; one without a number if it names another number itself."""
    number = number_of(key)
    if not isinstance(part, dict):
        part = _of_scalar(part, form) or {}
    own = number_of(part[NUMBER]) if NUMBER in part else number
    return {**part, NUMBER: number if own == number else None}


def _of_scalar(part: Any, form: AnswerForm) -> dict[str, Any] | None:
    """An answer of one field that stands without its name."""
    if len(form.properties) != 1 or isinstance(part, list | dict):
        return None
    return {next(iter(form.properties)): part}


def _is_answer(value: Any, form: AnswerForm) -> bool:
    """Whether an object has a field of an answer."""
    if not isinstance(value, dict):
        return False
    return not form.telling.isdisjoint(map(word, value))


def _are_answers(elements: Sequence[Any], form: AnswerForm) -> bool:
    """Whether a list whose name says nothing holds answers that can be assigned to items."""
    is_full = bool(elements) and len(elements) == form.count
    if any(_is_answer(each, form) and (is_full or _has_number(each)) for each in elements):
        return True
    return is_full and None not in [_of_scalar(each, form) for each in elements]


def _has_number(answer: Mapping[str, Any]) -> bool:
    names = {word(key) for key in answer}
    return NUMBER in names or not names.isdisjoint(_OTHER_NUMBERS)


def _before_break(text: str, broken: JsonSpan) -> Iterator[Any]:
    """The whole objects of a list that has no end."""
    opening = _LIST_OF_OBJECTS.search(text, broken.start)
    scanner = JsonScanner(text)
    place = opening.end() if opening else len(text)
    while (found := _NEXT_OBJECT.match(text, place)) and scanner.pass_value(found.end()):
        yield _loaded(
            text,
            JsonSpan(found.end(), scanner.place, whole=True, has_key=True, depth=scanner.depth),
        )
        place = scanner.place


def _mended_lists(text: str, form: AnswerForm) -> list[Any]:
    """The list of a text with needless commas, or with Python's quotation marks and words."""
    start = min((place for sign in "{[" if (place := text.find(sign)) >= 0), default=-1)
    end = max(text.rfind("}"), text.rfind("]")) + 1
    if start < 0 or not 0 < end - start <= _MOST_CHARACTERS_MENDED:
        return []
    part = text[start:end]
    for read in (_without_needless_commas, _as_python):
        try:
            value = read(part)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            continue
        listed = _list_of(value, form)
        if listed is not None:
            return [listed]
        if _is_answer(value, form) and _are_answers([value], form):
            return [[value]]
    return []


def _without_needless_commas(text: str) -> Any:
    return json.loads(_NEEDLESS_COMMA.sub(lambda found: found[1] or "", text))


def _as_python(text: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes that Python does not know
        return ast.literal_eval(text)


def _lines(text: str, form: AnswerForm) -> list[Any]:
    """The answers of a text with one line for each item: "1. other". All items must be there."""
    (name, schema), *others = form.properties.items()
    if others or "enum" not in schema:
        return []
    found = [(int(number), readable(said, schema)) for number, said in _LINE.findall(text)]
    if [number for number, _ in found] != list(range(1, form.count + 1)):
        return []
    if any(value not in schema["enum"] for _, value in found):
        return []
    return [[{NUMBER: number, name: value} for number, value in found]]


def number_of(value: Any) -> int | None:
    """The number that a value means: 1, 1.0, "1", "#1" or "Item 1"; None if it means none."""
    if isinstance(value, str):
        found = _NUMBER_TEXT.fullmatch(value)
        return int(found[1]) if found else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value == value // 1 else None


def _numbered(elements: Sequence[Any], form: AnswerForm, *, cut: bool) -> Objects | None:
    """The answers of a list with their numbers; None if a number belongs to no item."""
    objects: Objects = []
    for each in elements:
        scalar = each if isinstance(each, dict) else _of_scalar(each, form)
        if scalar is not None:
            objects.append({word(key): value for key, value in scalar.items()})
    numbers = _numbers(objects, form, cut=cut)
    if any(number is not None and not 1 <= number <= form.count for number in numbers):
        return None
    return [
        {
            NUMBER: number,
            **{
                name: readable(answer[word(name)], schema)
                for name, schema in form.properties.items()
                if word(name) in answer
            },
        }
        for answer, number in zip(objects, numbers, strict=True)
        if number is not None
    ]


def _numbers(objects: Objects, form: AnswerForm, *, cut: bool) -> list[int | None]:
    """The number of each answer."""
    if any(NUMBER in answer for answer in objects):
        return [number_of(answer.get(NUMBER)) for answer in objects]
    in_order: list[int | None] = list(range(1, len(objects) + 1))
    for name in _OTHER_NUMBERS:
        if name not in form.properties and any(name in answer for answer in objects):
            numbers = [number_of(answer.get(name)) for answer in objects]
            return numbers if sorted(n or 0 for n in numbers) == in_order else [0, *numbers]
    is_in_place = len(objects) == form.count and not cut
    return in_order if is_in_place and objects else [None] * len(objects)
