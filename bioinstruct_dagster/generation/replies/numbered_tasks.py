"""Reading tasks from Alpaca's numbered text: `1. Instruction:`, `1. Input:`, `1. Output:`.

Belongs here: finding the labels, and the text between them. Does not: JSON (json_tasks), or the
name of the outcome (reading).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bioinstruct_dagster.generation.replies.task_lists import TaskLists, announces_revision
from bioinstruct_dagster.generation.replies.tasks import TASK_FIELDS, TaskList

# Every repetition has a bound, so that matching a line takes only a few steps.
_LABEL = re.compile(
    r"""
    ^[ \t]{0,8} (?:\#{1,6}[ \t]{0,4}|[-*>][ \t]{1,4})?  # blanks, then a heading's or list's mark
    (?P<bold>\*\*|__)?
    (?:(?P<before>[0-9]{1,6}) [ \t]{0,4} [.):] [ \t]{0,4})?
    (?P<inner>\*\*|__)?
    (?P<name>instruction|input|output)
    (?:[ \t]{1,4}\#?(?P<after>[0-9]{1,6}))?
    (?P<closed>\*\*|__)? [ \t]{0,4} : (?P<closing>\*\*|__)?
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE | re.ASCII,
)
# A line between two tasks that belongs to neither: ###, ---, "## Task 2:", "**Task 2**".
_SEPARATOR_LINE = re.compile(
    r"(?:\#{3,12}|-{3,12}|\*{3,12}|_{3,12}"
    r"|\#{0,6}[ \t]{0,4}(?:\*\*|__)?task[ \t]{1,4}\#?[0-9]{1,6}[.:]?(?:\*\*|__)?[.:]?)",
    re.IGNORECASE | re.ASCII,
)
_OPENING_FENCE = re.compile(r"```[a-z]{0,12}\s*\Z", re.IGNORECASE)
_FENCE_WINDOW = 40  # an opening fence is searched in this many characters before the first task
_TITLE_CHARACTERS = 80  # the most characters of a line that announces a list
_TITLE_LINE = re.compile(r"(?:\#|\*\*|__).*|.*:(?:\*\*|__)?")
UNLABELLED_FAULT = "task {} is not labelled Instruction, Input, Output"
_NO_INPUT_MARKS = frozenset({"<noinput>", "<no input>", "<no_input>"})


@dataclass(frozen=True)
class NumberedReading:
    """What was read from a text as numbered tasks.

    Attributes:
        task_list: the tasks.
        start: the place of the first label; -1 if no task begins.
        last: the place of the last task's first label; -1 if no task begins.
        is_numbered: whether the labels have numbers. Labels in prose have none.
        before_stump: whether the last list is not whole, so that the one before it was read.
    """

    task_list: TaskList
    start: int = -1
    last: int = -1
    is_numbered: bool = False
    before_stump: bool = False


@dataclass(frozen=True)
class _Label:
    name: str
    number: int | None
    start: int
    end: int
    bold: bool  # whether bold print begins before the label and does not end with it


@dataclass(frozen=True)
class _Block:
    """The labels of a task, the instruction's first, and the place where the task ends.

    Attributes:
        title: the line that stands before a new list, or "" without such a line; None if the task
            belongs to the list of the task before.
    """

    labels: list[_Label]
    end: int
    title: str | None


def read_numbered(text: str, *, cut: bool) -> NumberedReading:
    """The tasks of a numbered text; if the text was cut, without the last task.

    If the text holds several lists of tasks, the last whole list is read.
    """
    lists, piece = TaskLists(), TaskList()
    words = ""
    start, last, is_numbered, fenced = -1, -1, False, False
    for block in _blocks(text):
        labels = block.labels
        last = labels[0].start
        if start < 0:
            start, is_numbered = labels[0].start, labels[0].number is not None
            before = _end_of_task(text, 0, start)
            fenced = bool(_OPENING_FENCE.search(text[max(0, before - _FENCE_WINDOW) : before]))
        elif block.title is not None:
            lists.add(piece, is_collection=True, words=words)
            piece, words = TaskList(), block.title
        if [label.name for label in labels] == list(TASK_FIELDS):
            is_last = block.end == len(text)
            piece.add(_fields(text, labels, block.end, fenced=fenced and is_last))
        else:
            piece.drop(UNLABELLED_FAULT)
    lists.add(piece, is_collection=True, words=words)
    task_list = lists.chosen(is_whole=not cut)
    task_list.is_recognized = start >= 0
    if cut and not lists.before_stump:
        task_list.drop_last()
    return NumberedReading(task_list, start, last, is_numbered, lists.before_stump)


def _blocks(text: str) -> Iterator[_Block]:
    """The tasks of a text by their labels."""
    labels: list[_Label] = []
    title: str | None = None
    first: int | None = None  # the number of the current list's first task
    for label in _labels(text):
        is_first_label = label.name == TASK_FIELDS[0]
        if is_first_label and not labels:
            labels, first = [label], label.number
        elif is_first_label and _begins_next(text, labels, label, first):
            end = label.start
            next_title: str | None
            next_title, title_start = _title_before(text, labels[-1].end, end)
            if not _begins_list(labels[0].number, label.number, first, next_title):
                next_title = None
            elif next_title:
                end = title_start
            yield _Block(labels, end, title)
            first = first if next_title is None else label.number
            labels, title = [label], next_title
        elif labels and label.number == labels[0].number:
            # A task with one surplus label is as broken as with a thousand, so one is kept.
            labels = [*labels[: len(TASK_FIELDS)], label]
    if labels:
        yield _Block(labels, len(text), title)


def _begins_list(before: int | None, number: int | None, first: int | None, title: str) -> bool:
    """Whether a task begins a new list: the numbers begin again, or a title says so."""
    if before is None or number is None or first is None:
        return announces_revision(title)
    if number > first:
        return False
    return number < before or announces_revision(title)


def _title_before(text: str, start: int, end: int) -> tuple[str, int]:
    """The line that may be a title between two places, before separator lines; and its place."""
    end = _end_of_task(text, start, end)
    line_start = text.rfind("\n", max(start, end - _TITLE_CHARACTERS - 1), end) + 1
    line = text[line_start:end].strip()
    if line_start <= start or len(line) > _TITLE_CHARACTERS or not _TITLE_LINE.fullmatch(line):
        return "", end
    return line, line_start


def _labels(text: str) -> Iterator[_Label]:
    for match in _LABEL.finditer(text):
        number = match["before"] or match["after"]
        opened, closed = match["bold"] or match["inner"], match["closed"] or match["closing"]
        yield _Label(
            match["name"].lower(),
            int(number) if number else None,
            match.start(),
            match.end(),
            bool(opened) and not closed,
        )


def _begins_next(text: str, block: list[_Label], label: _Label, first: int | None) -> bool:
    """Whether an instruction's label begins a new task, and is not a line of the task before."""
    current = block[0].number
    if current is None or label.number is None:
        return current == label.number
    if label.number >= current:
        return True
    end = _end_of_task(text, block[-1].end, label.start)
    if text[end : label.start].strip():
        return True  # separator lines stand between
    title, _ = _title_before(text, block[-1].end, label.start)
    return first is not None and label.number <= first and announces_revision(title)


def _end_of_task(text: str, start: int, end: int) -> int:
    """The place where a task's last field ends: before the separator lines that follow it."""
    while end > start:
        line_start = max(text.rfind("\n", start, end), start)
        line = text[line_start:end].strip()
        if line and not _SEPARATOR_LINE.fullmatch(line):
            return end
        end = line_start
    return end


def _fields(text: str, block: list[_Label], end: int, *, fenced: bool) -> dict[str, str | None]:
    ends = [block[1].start, block[2].start, _end_of_task(text, block[2].end, end)]
    fields: dict[str, str | None] = {}
    for label, field_end in zip(block, ends, strict=True):
        field = text[label.end : field_end].strip()
        if fenced and label is block[-1]:
            field = field.removesuffix("```").strip()
        if label.bold:
            field = field.removesuffix("**").removesuffix("__").strip()
        fields[label.name] = field
    if (fields["input"] or "").lower() in _NO_INPUT_MARKS:
        fields["input"] = ""
    return fields
