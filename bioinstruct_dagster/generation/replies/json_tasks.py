"""Reading tasks out of JSON that may be cut, broken, wrapped in prose, or hostile.

One pass from left to right that keeps nothing but the tasks: linear in the reply's length, no
recursion that the reply could drive, and what was whole before a break is whole after it. Written
by hand: `json` reads nothing of a broken reply, and libraries that repair JSON guess what is
missing, so that a row could hold text which the teacher never wrote. Belongs here: JSON. Does not:
numbered text (numbered_tasks), or the name of the outcome (reading).
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bioinstruct_dagster.generation.replies.tasks import (
    INCOMPLETE,
    NO_OBJECT,
    TASK_FIELDS,
    TaskList,
    is_sound,
)

_LIST = "tasks"  # the name that the schema gives the list
_WRAPPERS = 2  # objects around a list that are looked into: {"result": {"tasks": [...]}}
_BLANKS = re.compile(r"[ \t\n\r]*+")
_FENCE = re.compile(r"```(?:json)?\s{0,64}(?=[{\[])", re.IGNORECASE)
_OPENING = re.compile(r"[{\[]")
# Possessive, so that a string of megabytes is matched without memory for a way back.
_CHARACTERS = re.compile(
    r'[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+'
)
_SCALAR = re.compile(
    r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?|true|false|null|NaN|-?Infinity"
)
_WORDS = ("true", "false", "null", "NaN", "-Infinity", "Infinity")
# What is left of a text that was cut inside an escape, a number or a word; or nothing.
_STUMP = re.compile(
    r"(?:\\(?:u[0-9a-fA-F]{0,3})?|\.|[eE][-+]?|"
    + "|".join(word[:length] for word in _WORDS for length in range(1, len(word)))
    + r")?\Z"
)
_CLOSING = {"{": "}", "[": "]"}


@dataclass(frozen=True)
class JsonBreak:
    """Where a text stops being JSON, and whether that is because it ends there."""

    place: int
    cut: bool

    def __str__(self) -> str:
        if self.cut:
            return "the JSON ends before its end"
        return f"the JSON breaks at character {self.place}"


@dataclass(frozen=True)
class JsonReading:
    """What a text held as JSON.

    Attributes:
        written: the tasks.
        start: where the first value with tasks begins; -1 where none does.
        fault: what ended the reading too early; None where nothing did.
        open_end: whether the text ends inside a value, were it only a bracket in prose.
        is_json: whether the text begins with a whole value.
    """

    written: TaskList
    start: int = -1
    fault: JsonBreak | None = None
    open_end: bool = False
    is_json: bool = False


def read_json(text: str) -> JsonReading:
    """The tasks of every JSON value in the text, up to a break inside a task.

    A fenced value comes before the prose around it; what a text opens with comes before both.
    """
    begin = _blanks_from(text, 0)
    if text[begin : begin + 1] not in _CLOSING:
        fence = _FENCE.search(text)
        if fence:
            reading = _read_values(text, fence.end())
            if reading.written.named:
                return reading
    return _read_values(text, begin)


def _read_values(text: str, begin: int) -> JsonReading:
    scanner = _Scanner(text)
    found, bare = TaskList(), TaskList()
    first = last = None
    start, place, is_json = -1, begin, scanner.is_scalar(begin)
    while opening := _OPENING.search(text, place):
        at_begin = opening.start() == begin
        piece = bare if at_begin else TaskList()
        last = scanner.read(opening.start(), piece, bare=at_begin)
        place, first = scanner.place, first or last
        if not last:
            is_json = is_json or at_begin
        elif not scanner.in_task:
            # Prose with a bracket, or a format that is named before it is used: look on.
            fence = _FENCE.search(text, place) if scanner.keyed and not found.named else None
            place = fence.end() if fence else place
            if found.named or fence or not scanner.keyed:
                continue
        if piece.named:
            start = opening.start() if start < 0 else start
            found.extend(piece)
        if last:
            return JsonReading(found, start, last, last.cut, is_json)
    settled = found.named or is_json
    return JsonReading(
        found if found.named or not is_json else bare,
        start,
        None if settled else first,
        bool(last and last.cut),
        is_json,
    )


def _blanks_from(text: str, place: int) -> int:
    match = _BLANKS.match(text, place)
    return match.end() if match else place


class _JsonBreakError(Exception):
    """The text stops being JSON at the scanner's place."""


class _Scanner:
    """Reads one JSON value at a time, as strictly as `json`; where it breaks, it stays."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.place = 0
        self.keyed = False  # an object's key was read: this is no prose with a bracket in it
        self.in_task = False  # a task's field was read

    def read(self, start: int, found: TaskList, *, bare: bool) -> JsonBreak | None:
        """Add the tasks of the object or list that opens here; where it breaks, else None.

        Args:
            start: the place of the opening bracket.
            found: what the tasks are added to.
            bare: whether a list counts although nothing says that it is one of tasks.
        """
        self.place, self.keyed, self.in_task = start, False, False
        try:
            if self._text[start] == "{":
                self._object(found, _WRAPPERS)
            else:
                self._list(found, counts=bare)
        except _JsonBreakError:
            return JsonBreak(self.place, bool(_STUMP.match(self._text, self.place)))
        return None

    def is_scalar(self, start: int) -> bool:
        """Whether the text from here on is one number, word or string."""
        self.place = start
        if self._text[start : start + 1] in _CLOSING:
            return False
        try:
            self._skip()
        except _JsonBreakError:
            return False
        return not self._next()

    def _object(self, found: TaskList, wrappers: int, *, listed: bool = False) -> None:
        """Add an object as a task, or else the tasks inside it.

        What is inside comes first only where the object is no sound task itself.
        """
        fields: dict[str, str | None] = {}
        inner = TaskList()
        whole = False
        try:
            for key in self._members():
                if key in TASK_FIELDS:
                    self.in_task = True
                    fields[key] = None  # of a key that comes twice, the last counts
                    fields[key] = self._text_value()
                else:
                    self._look_into(key, inner, wrappers)
            whole = True
        finally:
            if inner.named and not (whole and is_sound(fields)):
                found.extend(inner)
            elif whole and (fields or listed):
                found.add(fields)
            elif fields or listed:
                found.named = found.named or bool(fields)
                found.drop(INCOMPLETE)

    def _look_into(self, key: str, inner: TaskList, wrappers: int) -> None:
        kind = self._next()
        if wrappers and kind == "[":
            self._list(inner, named=key == _LIST)
        elif wrappers and kind == "{":
            self._object(inner, wrappers - 1)
        else:
            self._skip()

    def _list(self, found: TaskList, *, named: bool = False, counts: bool = False) -> None:
        """Add a list's tasks, its broken elements counted; a list of other things adds nothing."""
        tasks = TaskList(named=named)
        try:
            for _ in self._elements():
                if self._next() == "{":
                    self._object(tasks, 0, listed=True)
                else:
                    tasks.drop(NO_OBJECT)
                    self._skip()
            tasks.named = tasks.named or (counts and not tasks.count)
        finally:
            if tasks.named or counts:
                found.extend(tasks)

    def _members(self) -> Iterator[str]:
        """The keys of an object; the caller reads each key's value before it goes on."""
        self.place += 1
        if self._closes("{"):
            return
        while True:
            yield json.loads(self._key())
            if self._ends("{"):
                return

    def _elements(self) -> Iterator[None]:
        """One for each element of a list; the caller reads it before it goes on."""
        self.place += 1
        if self._closes("["):
            return
        while True:
            if self._next() in {"", "]"}:
                raise _JsonBreakError
            yield
            if self._ends("["):
                return

    def _skip(self) -> None:
        """Pass a value of any depth, one byte of memory for each open bracket."""
        opened = bytearray()
        while True:
            kind = self._next()
            if kind in _CLOSING:
                self.place += 1
                if not self._closes(kind):
                    opened.append(ord(kind))
                    if kind == "{":
                        self._key()
                    continue
            elif kind == '"':
                self._string()
            else:
                self._scalar()
            if self._leave(opened):
                return

    def _leave(self, opened: bytearray) -> bool:
        """After a value: close what ends here; whether everything is closed."""
        while opened:
            kind = chr(opened[-1])
            if not self._ends(kind):
                if kind == "{":
                    self._key()
                return False
            opened.pop()
        return True

    def _closes(self, kind: str) -> bool:
        """Pass a closing bracket if it is next."""
        closes = self._next() == _CLOSING[kind]
        self.place += closes
        return closes

    def _ends(self, kind: str) -> bool:
        """Pass a comma or a closing bracket; whether it was the bracket."""
        mark = self._next()
        if mark not in {",", _CLOSING[kind]}:
            raise _JsonBreakError
        self.place += 1
        return mark != ","

    def _next(self) -> str:
        """The next character that is no blank; empty at the end of the text."""
        self.place = _blanks_from(self._text, self.place)
        return self._text[self.place : self.place + 1]

    def _key(self) -> str:
        """An object's key as it is written, the colon after it passed."""
        if self._next() != '"':
            raise _JsonBreakError
        key = self._string()
        if self._next() != ":":
            raise _JsonBreakError
        self.place += 1
        self.keyed = True
        return key

    def _text_value(self) -> str | None:
        """The next value where it is a string, else None."""
        if self._next() == '"':
            text: str = json.loads(self._string())
            return text
        self._skip()
        return None

    def _string(self) -> str:
        """A string as it is written."""
        start = self.place
        match = _CHARACTERS.match(self._text, start + 1)
        self.place = match.end() if match else start
        if self._text[self.place : self.place + 1] != '"':
            raise _JsonBreakError
        self.place += 1
        return self._text[start : self.place]

    def _scalar(self) -> None:
        match = _SCALAR.match(self._text, self.place)
        if not match:
            raise _JsonBreakError
        self.place = match.end()
