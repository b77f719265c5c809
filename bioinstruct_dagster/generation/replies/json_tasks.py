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

from bioinstruct_dagster.generation.replies.task_lists import WORDS_BEFORE, TaskLists
from bioinstruct_dagster.generation.replies.tasks import (
    INCOMPLETE_FAULT,
    NO_OBJECT_FAULT,
    TASK_FIELDS,
    TaskList,
    is_sound,
)
from bioinstruct_dagster.teacher.reading.json_values import (
    CLOSING,
    JsonBreakError,
    JsonScanner,
    blanks_from,
)

_LIST_KEY = "tasks"  # the list's name in the schema
_WRAPPER_DEPTH = 2  # a list may be inside this many objects: {"result": {"tasks": [...]}}
_FENCE = re.compile(r"```(?:json)?\s{0,64}(?=[{\[])", re.IGNORECASE)
_OPENING = re.compile(r"[{\[]")
# The names of lists that a model writes before its answer, in the same object.
_DRAFT_KEY = re.compile(
    r"(?:draft|first_draft|drafts|initial|scratchpad|thinking|thoughts?|reasoning|old|original"
    r"|preliminary|analysis|brainstorm)(?:_tasks|_list|_version)?",
    re.IGNORECASE,
)


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
        before_stump: whether the last list is not whole, so that the one before it was read.
    """

    task_list: TaskList
    start: int = -1
    fault: JsonBreak | None = None
    open_end: bool = False
    is_json: bool = False
    before_stump: bool = False


def read_json(text: str) -> JsonReading:
    """The tasks of the JSON values in the text, up to a break inside a task.

    If the values hold several lists of tasks, the last whole list is read.

    If the text does not begin with JSON, a fenced value is read in preference to the prose around
    it.
    """
    begin = blanks_from(text, 0)
    if text[begin : begin + 1] not in CLOSING:
        fence = _FENCE.search(text)
        if fence:
            reading = _read_values(text, fence.end())
            if reading.task_list.is_recognized:
                return reading
    return _read_values(text, begin)


def _read_values(text: str, begin: int) -> JsonReading:
    scanner = _TaskScanner(text)
    lists, bare = TaskLists(), TaskList()
    first = last = None
    start, place, is_json = -1, begin, scanner.is_scalar(begin)
    end_of_tasks = begin
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
                _FENCE.search(text, place) if scanner.has_key and not lists.is_recognized else None
            )
            place = fence.end() if fence else place
            if lists.is_recognized or fence or not scanner.has_key:
                continue
        if piece.is_recognized:
            start = opening.start() if start < 0 else start
            words = text[max(end_of_tasks, opening.start() - WORDS_BEFORE) : opening.start()]
            lists.add(piece, is_collection=scanner.is_collection, words=words)
            end_of_tasks = place
        if last:
            chosen = lists.chosen(is_whole=False)
            return JsonReading(chosen, start, last, last.cut, is_json, lists.before_stump)
    settled = lists.is_recognized or is_json
    return JsonReading(
        lists.chosen(is_whole=True) if lists.is_recognized or not is_json else bare,
        start,
        None if settled else first,
        bool(last and last.cut),
        is_json,
    )


class _TaskScanner(JsonScanner):
    """Reads the tasks of one JSON value at a time; it stops at the place of a break.

    Attributes:
        in_task: whether it has read a task's field.
        is_collection: whether the last value is a list of tasks or holds one.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.in_task = False
        self.is_collection = False

    def read(self, start: int, found: TaskList, *, bare: bool) -> JsonBreak | None:
        """Add the tasks of the object or list that opens here; the break, or None without one.

        Args:
            start: the place of the opening bracket.
            found: the list to which the tasks are added.
            bare: whether a list counts although nothing marks it as a list of tasks.
        """
        self.place, self.has_key, self.in_task = start, False, False
        self.is_collection = self._text[start] == "["
        try:
            if self._text[start] == "{":
                self._object(found, _WRAPPER_DEPTH)
            else:
                self._list(found, counts=bare)
        except JsonBreakError:
            return JsonBreak(self.place, self.is_cut)
        return None

    def _object(self, found: TaskList, wrappers: int, *, listed: bool = False) -> None:
        """Add an object as a task, or the tasks inside it.

        The tasks inside count only if the object itself is not a sound task.
        """
        fields: dict[str, str | None] = {}
        inner, drafts = TaskList(), TaskList()
        whole = False
        try:
            for key in self._members():
                if key in TASK_FIELDS:
                    self.in_task = True
                    fields[key] = None  # if a key occurs twice, the last one counts
                    fields[key] = self._text_value()
                else:
                    is_draft = _DRAFT_KEY.fullmatch(key) is not None
                    self._look_into(key, drafts if is_draft else inner, wrappers)
            whole = True
        finally:
            if drafts.tasks and not (whole and inner.tasks):
                inner = drafts  # the last whole list
            if inner.is_recognized and not (whole and is_sound(fields)):
                self.is_collection = True
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
                raise JsonBreakError
            yield
            if self._ends("["):
                return

    def _text_value(self) -> str | None:
        """The next value if it is a string, else None."""
        if self._next() == '"':
            text: str = json.loads(self._string())
            return text
        self._skip()
        return None
