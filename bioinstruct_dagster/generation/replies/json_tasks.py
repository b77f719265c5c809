"""Reading tasks from JSON that may be truncated, broken, wrapped in prose, or hostile.

The reader passes the text once, from left to right, and keeps only the tasks. So its time is linear
in the reply's length, and a reply cannot make it recurse deeply. Tasks before a break are read as
if there were no break.

The reader is written by hand because `json` reads nothing of a broken reply, and libraries that
repair JSON guess the missing text. A row could then hold text that the teacher never wrote.

Belongs here: JSON. Does not: numbered text (numbered_tasks), or the name of the outcome (reading).
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bioinstruct_dagster.generation.replies.tasks import (
    INCOMPLETE_FAULT,
    NO_OBJECT_FAULT,
    TASK_FIELDS,
    TaskList,
    is_sound,
)

_LIST_KEY = "tasks"  # the list's name in the schema
_WRAPPER_DEPTH = 2  # a list may be inside this many objects: {"result": {"tasks": [...]}}
_BLANKS = re.compile(r"[ \t\n\r]*+")
_FENCE = re.compile(r"```(?:json)?\s{0,64}(?=[{\[])", re.IGNORECASE)
_OPENING = re.compile(r"[{\[]")
# Possessive quantifiers, so that matching a string of megabytes needs no memory for backtracking.
_CHARACTERS = re.compile(
    r'[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+'
)
_SCALAR = re.compile(
    r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?|true|false|null|NaN|-?Infinity"
)
_JSON_WORDS = ("true", "false", "null", "NaN", "-Infinity", "Infinity")
# The end of a text that was cut inside an escape, a number or a word, or at its very end.
_STUMP = re.compile(
    r"(?:\\(?:u[0-9a-fA-F]{0,3})?|\.|[eE][-+]?|"
    + "|".join(word[:length] for word in _JSON_WORDS for length in range(1, len(word)))
    + r")?\Z"
)
_CLOSING = {"{": "}", "[": "]"}


@dataclass(frozen=True)
class JsonBreak:
    """The place where a text stops being JSON, and whether the text was cut there."""

    place: int
    cut: bool

    def __str__(self) -> str:
        if self.cut:
            return "the JSON ends before its end"
        return f"the JSON breaks at character {self.place}"


@dataclass(frozen=True)
class JsonReading:
    """What was read from a text as JSON.

    Attributes:
        task_list: the tasks.
        start: the place of the first value with tasks; -1 if there is none.
        fault: the break that ended the reading; None if there was none.
        open_end: whether the text ends inside a value, even if that is only a bracket in prose.
        is_json: whether the text begins with a whole value.
    """

    task_list: TaskList
    start: int = -1
    fault: JsonBreak | None = None
    open_end: bool = False
    is_json: bool = False


def read_json(text: str) -> JsonReading:
    """The tasks of every JSON value in the text, up to a break inside a task.

    If the text does not begin with JSON, a fenced value is read in preference to the prose around
    it.
    """
    begin = _blanks_from(text, 0)
    if text[begin : begin + 1] not in _CLOSING:
        fence = _FENCE.search(text)
        if fence:
            reading = _read_values(text, fence.end())
            if reading.task_list.is_recognized:
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
            # This was prose with a bracket, or a description of the format: search further.
            fence = (
                _FENCE.search(text, place) if scanner.has_key and not found.is_recognized else None
            )
            place = fence.end() if fence else place
            if found.is_recognized or fence or not scanner.has_key:
                continue
        if piece.is_recognized:
            start = opening.start() if start < 0 else start
            found.extend(piece)
        if last:
            return JsonReading(found, start, last, last.cut, is_json)
    settled = found.is_recognized or is_json
    return JsonReading(
        found if found.is_recognized or not is_json else bare,
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
    """Reads one JSON value at a time, as strictly as `json`; it stops at the place of a break."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.place = 0
        self.has_key = False  # whether it has read an object's key, which prose with brackets lacks
        self.in_task = False  # whether it has read a task's field

    def read(self, start: int, found: TaskList, *, bare: bool) -> JsonBreak | None:
        """Add the tasks of the object or list that opens here; the break, or None without one.

        Args:
            start: the place of the opening bracket.
            found: the list to which the tasks are added.
            bare: whether a list counts although nothing marks it as a list of tasks.
        """
        self.place, self.has_key, self.in_task = start, False, False
        try:
            if self._text[start] == "{":
                self._object(found, _WRAPPER_DEPTH)
            else:
                self._list(found, counts=bare)
        except _JsonBreakError:
            return JsonBreak(self.place, bool(_STUMP.match(self._text, self.place)))
        return None

    def is_scalar(self, start: int) -> bool:
        """Whether the rest of the text is one number, word or string."""
        self.place = start
        if self._text[start : start + 1] in _CLOSING:
            return False
        try:
            self._skip()
        except _JsonBreakError:
            return False
        return not self._next()

    def _object(self, found: TaskList, wrappers: int, *, listed: bool = False) -> None:
        """Add an object as a task, or the tasks inside it.

        The tasks inside count only if the object itself is not a sound task.
        """
        fields: dict[str, str | None] = {}
        inner = TaskList()
        whole = False
        try:
            for key in self._members():
                if key in TASK_FIELDS:
                    self.in_task = True
                    fields[key] = None  # if a key occurs twice, the last one counts
                    fields[key] = self._text_value()
                else:
                    self._look_into(key, inner, wrappers)
            whole = True
        finally:
            if inner.is_recognized and not (whole and is_sound(fields)):
                found.extend(inner)
            elif whole and (fields or listed):
                found.add(fields)
            elif fields or listed:
                found.is_recognized = found.is_recognized or bool(fields)
                found.drop(INCOMPLETE_FAULT)

    def _look_into(self, key: str, inner: TaskList, wrappers: int) -> None:
        kind = self._next()
        if wrappers and kind == "[":
            self._list(inner, is_recognized=key == _LIST_KEY)
        elif wrappers and kind == "{":
            self._object(inner, wrappers - 1)
        else:
            self._skip()

    def _list(self, found: TaskList, *, is_recognized: bool = False, counts: bool = False) -> None:
        """Add a list's tasks and count its broken elements; a list of other things adds nothing."""
        tasks = TaskList(is_recognized=is_recognized)
        try:
            for _ in self._elements():
                if self._next() == "{":
                    self._object(tasks, 0, listed=True)
                else:
                    tasks.drop(NO_OBJECT_FAULT)
                    self._skip()
            tasks.is_recognized = tasks.is_recognized or (counts and not tasks.count)
        finally:
            if tasks.is_recognized or counts:
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
        """Yield once for each element of a list; the caller reads the element before it goes on."""
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
        """Pass a value of any depth; each open bracket takes one byte of memory."""
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
        """After a value: pass the closing brackets; True if no bracket is left open."""
        while opened:
            kind = chr(opened[-1])
            if not self._ends(kind):
                if kind == "{":
                    self._key()
                return False
            opened.pop()
        return True

    def _closes(self, kind: str) -> bool:
        """Pass a closing bracket if it is next; whether it was."""
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
        """The next character that is not a blank; empty at the end of the text."""
        self.place = _blanks_from(self._text, self.place)
        return self._text[self.place : self.place + 1]

    def _key(self) -> str:
        """An object's key as the text has it; passes the colon after it too."""
        if self._next() != '"':
            raise _JsonBreakError
        key = self._string()
        if self._next() != ":":
            raise _JsonBreakError
        self.place += 1
        self.has_key = True
        return key

    def _text_value(self) -> str | None:
        """The next value if it is a string, else None."""
        if self._next() == '"':
            text: str = json.loads(self._string())
            return text
        self._skip()
        return None

    def _string(self) -> str:
        """The next string as the text has it, with its quotation marks."""
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
