"""Reading tasks from Alpaca's numbered text: `1. Instruction:`, `1. Input:`, `1. Output:`.

Teachers also let the numbers run on through the labels, begin them again at each task, or leave
some out. Where the numbers agree, they tell a task's labels from lines that only look like labels.
Where they do not agree, the names of the labels decide.

Belongs here: which labels make a task, and which text makes a list. Does not: which lines are
labels (labels), JSON (json_tasks), or the name of the outcome (reading).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from bioinstruct_dagster.generation.replies.labels import (
    LINE_CHARACTERS,
    Label,
    end_of_task,
    fields_of,
    header_before,
    usual_labels,
    wide_readings,
)
from bioinstruct_dagster.generation.replies.task_lists import TaskLists, announces_revision
from bioinstruct_dagster.generation.replies.tasks import TASK_FIELDS, TaskList

_OPENING_FENCE = re.compile(r"```[a-z]{0,12}\s*\Z", re.IGNORECASE)
_FENCE_WINDOW = 40  # an opening fence is searched in this many characters before the first task
_TITLE_LINE = re.compile(r"(?:\#|\*\*|__).*|.*:(?:\*\*|__)?")
_SECOND_TASK = 2
UNLABELLED_FAULT = "task {} is not labelled Instruction, Input, Output"


@dataclass(frozen=True)
class NumberedReading:
    """What was read from a text as numbered tasks.

    Attributes:
        task_list: the tasks.
        start: the place of the first label; -1 if no task begins.
        last: the place of the last task's first label; -1 if no task begins.
        is_numbered: whether the labels have numbers. Labels in prose have none.
        before_stump: whether the last list is not whole, so that the one before it was read.
        has_whole_task: whether any task has its three labels, even if the text was cut in it.
    """

    task_list: TaskList
    start: int = -1
    last: int = -1
    is_numbered: bool = False
    before_stump: bool = False
    has_whole_task: bool = False


class _Block:
    """The labels from an instruction to the next one.

    Attributes:
        first: the instruction's label.
        title: the line that stands before a new list, or "" without such a line; None if the task
            belongs to the list of the task before.
        before: the number of the label before the block, if the numbers run on; else None.
    """

    def __init__(
        self,
        first: Label,
        title: str | None = None,
        before: int | None = None,
        *,
        is_first: bool = False,
    ) -> None:
        self.first, self.title, self.before = first, title, before
        self._is_first = is_first
        # A task with one surplus label is as broken as with a thousand, so one is kept.
        self._same = [first]  # with the instruction's number
        self._near = [first]  # with its number or none
        self._all = [first]
        self._running = [first]  # with the number that follows that of the field before

    @property
    def last_of_number(self) -> Label:
        """The last label that has the instruction's number."""
        return self._same[-1]

    @property
    def is_bare_first(self) -> bool:
        """Whether it is the text's first task, whole until now, and its labels have no numbers."""
        numbers = {label.number for label in self._all}
        return self._is_first and numbers == {None} and _is_whole(self._all)

    @property
    def last_number(self) -> int | None:
        """The number of the last label if the numbers run on through the labels, else None."""
        runs_on = _is_whole(self._running) and not _is_whole(self._same)
        return self._running[-1].number if runs_on else None

    def take(self, label: Label) -> None:
        """Add the next label, which begins no task."""
        most = len(TASK_FIELDS)
        number = self.first.number
        if label.number == number:
            self._same = [*self._same[:most], label]
        if label.number is None or label.number == number:
            self._near = [*self._near[:most], label]
        self._all = [*self._all[:most], label]
        if number is not None and label.number == number + TASK_FIELDS.index(label.name):
            self._running = [*self._running[:most], label]

    def task_labels(self, following: int | None) -> list[Label] | None:
        """The labels of instruction, input and output; None if the block is no whole task.

        Args:
            following: the number of the next block's instruction.
        """
        if _is_whole(self._running) and self.first.number is not None:
            goes_on = self.before is not None and self.first.number == self.before + 1
            if goes_on or following == self.first.number + len(TASK_FIELDS):
                return self._running
        for labels in (self._same, self._near, self._running):
            if _is_whole(labels):
                return labels
        if _is_whole(self._all) and _is_one_task([label.number for label in self._all]):
            return self._all
        return self._without_input()

    def _without_input(self) -> list[Label] | None:
        """Alpaca's form of a task without input: `### Instruction:`, then `### Response:`."""
        if [label.name for label in self._all] != [TASK_FIELDS[0], TASK_FIELDS[-1]]:
            return None
        first, last = self._all
        if not (last.is_response and first.style[0] == last.style[0] == "#"):
            return None
        return [first, Label(TASK_FIELDS[1], last.number, last.start, last.start), last]


def _is_whole(labels: list[Label]) -> bool:
    return [label.name for label in labels] == list(TASK_FIELDS)


def _is_one_task(numbers: list[int | None]) -> bool:
    """Whether labels with these numbers can belong to one task.

    If the numbers go back, one task broke off and another one follows. But the labels after the
    instruction may be a list of their own.
    """
    known = [number for number in numbers if number is not None]
    return known == sorted(known) or numbers[1:] == [1, 2]


def read_numbered(text: str, *, cut: bool, wide: bool = True) -> NumberedReading:
    """The tasks of a numbered text; if the text was cut, without the last task.

    If the text holds several lists of tasks, the last whole list is read.

    Args:
        text: the text.
        cut: whether the text was cut.
        wide: whether other forms of labels are tried if the usual ones make no whole task.
    """
    usual = _read(text, usual_labels(text), cut=cut)
    if wide and not usual.has_whole_task:
        for labels in wide_readings(text):
            reading = _read(text, labels, cut=cut)
            if reading.has_whole_task:
                return reading
    return usual


def _read(text: str, labels: Iterable[Label], *, cut: bool) -> NumberedReading:
    lists, piece = TaskLists(), TaskList()
    words = ""
    start, last, header = -1, -1, None
    is_numbered, fenced, has_whole_task = False, False, False
    for block, found, block_end in _blocks(text, labels):
        last = block.first.start
        if start < 0:
            start, is_numbered = last, block.first.number is not None
            header = header_before(text, start)
            before = end_of_task(text, 0, start, header)
            fenced = bool(_OPENING_FENCE.search(text[max(0, before - _FENCE_WINDOW) : before]))
        elif block.title is not None:
            lists.add(piece, is_collection=True, words=words)
            piece, words = TaskList(), block.title
        if found:
            has_whole_task = True
            is_last = block_end == len(text)
            end = end_of_task(text, found[-1].end, block_end, None if is_last else header)
            piece.add(fields_of(text, found, end, fenced=fenced and is_last))
        else:
            piece.drop(UNLABELLED_FAULT)
    lists.add(piece, is_collection=True, words=words)
    task_list = lists.chosen(is_whole=not cut)
    task_list.is_recognized = start >= 0
    if cut and not lists.before_stump:
        task_list.drop_last()
    return NumberedReading(task_list, start, last, is_numbered, lists.before_stump, has_whole_task)


def _blocks(text: str, labels: Iterable[Label]) -> Iterator[tuple[_Block, list[Label] | None, int]]:
    """The tasks of a text by their labels: each block, its task's labels, and where it ends."""
    block: _Block | None = None
    header: re.Pattern[str] | None = None
    first: int | None = None  # the number of the current list's first task
    for label in _with_numbers(labels):
        is_first_label = label.name == TASK_FIELDS[0]
        if is_first_label and not block:
            block, first = _Block(label, is_first=True), label.number
            header = header_before(text, label.start)
        elif block and is_first_label and _begins_next(text, block, label, first, header):
            end = label.start
            title: str | None
            title, title_start = _title_before(text, block.last_of_number.end, end, header)
            if not _begins_list(block.first.number, label.number, first, title):
                title = None
            elif title:
                end = title_start
            yield block, block.task_labels(label.number), end
            first = first if title is None else label.number
            block = _Block(label, title, block.last_number)
        elif block:
            block.take(label)
    if block:
        yield block, block.task_labels(None), len(text)


def _with_numbers(labels: Iterable[Label]) -> Iterator[Label]:
    """The labels; an instruction whose own number is missing gets that of its input.

    It does so only where the input's number is the first one, or the next one.
    """
    current: int | None = None
    held: Label | None = None  # an instruction without a number
    for label in labels:
        if held:
            number = label.number if label.name == TASK_FIELDS[1] else None
            is_next = number is not None and (current is None or number == current + 1)
            yield replace(held, number=number) if is_next else held
            current, held = number if is_next else current, None
        if label.name == TASK_FIELDS[0]:
            if label.number is None:
                held = label
                continue
            current = label.number
        yield label
    if held:
        yield held


def _begins_list(before: int | None, number: int | None, first: int | None, title: str) -> bool:
    """Whether a task begins a new list: the numbers begin again, or a title says so."""
    if before is None or number is None or first is None:
        return announces_revision(title)
    if number > first:
        return False
    return number < before or announces_revision(title)


def _title_before(
    text: str, start: int, end: int, header: re.Pattern[str] | None
) -> tuple[str, int]:
    """The line that may be a title between two places, before separator lines; and its place."""
    end = end_of_task(text, start, end, header)
    line_start = text.rfind("\n", max(start, end - LINE_CHARACTERS - 1), end) + 1
    line = text[line_start:end].strip()
    if line_start <= start or len(line) > LINE_CHARACTERS or not _TITLE_LINE.fullmatch(line):
        return "", end
    return line, line_start


def _begins_next(
    text: str, block: _Block, label: Label, first: int | None, header: re.Pattern[str] | None
) -> bool:
    """Whether an instruction's label begins a new task, and is not a line of the task before."""
    current = block.first.number
    if current is None or label.number is None:
        # The first task may lack its numbers.
        return current == label.number or (block.is_bare_first and label.number == _SECOND_TASK)
    if label.number >= current:
        return True
    start = block.last_of_number.end
    end = end_of_task(text, start, label.start, header)
    if text[end : label.start].strip():
        return True  # separator lines stand between
    if first is None or label.number > first:
        return False
    if block.last_number is not None and _is_after_blank_line(text, label.start):
        return label.number == first  # numbers that run on through the labels begin again
    title, _ = _title_before(text, start, label.start, header)
    return announces_revision(title)


def _is_after_blank_line(text: str, place: int) -> bool:
    return text[max(0, place - 3) : place].endswith(("\n\n", "\n\r\n"))
