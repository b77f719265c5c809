"""Reading tasks from Alpaca's numbered text: `1. Instruction:`, `1. Input:`, `1. Output:`.

Belongs here: finding the labels, and the text between them. Does not: JSON (json_tasks), or the
name of the outcome (reading).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

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
UNLABELLED_FAULT = "task {} is not labelled Instruction, Input, Output"
_NO_INPUT_MARKS = frozenset({"<noinput>", "<no input>", "<no_input>"})


@dataclass(frozen=True)
class NumberedReading:
    """What was read from a text as numbered tasks.

    Attributes:
        task_list: the tasks.
        start: the place of the first label; -1 if no task begins.
        is_numbered: whether the labels have numbers. Labels in prose have none.
    """

    task_list: TaskList
    start: int = -1
    is_numbered: bool = False


@dataclass(frozen=True)
class _Label:
    name: str
    number: int | None
    start: int
    end: int
    bold: bool  # whether bold print begins before the label and does not end with it


def read_numbered(text: str, *, cut: bool) -> NumberedReading:
    """The tasks of a numbered text; if the text was cut, without the last task."""
    task_list = TaskList()
    start, is_numbered, fenced = -1, False, False
    for block, end in _blocks(text):
        if start < 0:
            start, is_numbered = block[0].start, block[0].number is not None
            before = _end_of_task(text, 0, start)
            fenced = bool(_OPENING_FENCE.search(text[max(0, before - _FENCE_WINDOW) : before]))
        if [label.name for label in block] == list(TASK_FIELDS):
            task_list.add(_fields(text, block, end, fenced=fenced and end == len(text)))
        else:
            task_list.drop(UNLABELLED_FAULT)
    task_list.is_recognized = start >= 0
    if cut:
        task_list.drop_last()
    return NumberedReading(task_list, start, is_numbered)


def _blocks(text: str) -> Iterator[tuple[list[_Label], int]]:
    """The labels of each task, the instruction's first, and the place where the task ends."""
    block: list[_Label] = []
    for label in _labels(text):
        if label.name == TASK_FIELDS[0] and (not block or _begins_next(text, block, label)):
            if block:
                yield block, label.start
            block = [label]
        elif block and label.number == block[0].number:
            # A task with one surplus label is as broken as with a thousand, so one is kept.
            block = [*block[: len(TASK_FIELDS)], label]
    if block:
        yield block, len(text)


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


def _begins_next(text: str, block: list[_Label], label: _Label) -> bool:
    """Whether an instruction's label begins a new task, and is not a line of the task before."""
    current = block[0].number
    if current is None or label.number is None:
        return current == label.number
    if label.number >= current:
        return True
    end = _end_of_task(text, block[-1].end, label.start)
    return bool(text[end : label.start].strip())


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
