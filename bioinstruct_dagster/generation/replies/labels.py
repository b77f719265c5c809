"""The labels of tasks in a text, `1. Instruction:`, and the fields that stand between them.

Belongs here: which lines are labels, and where a field ends. Does not: which labels make a task
(numbered_tasks).
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bioinstruct_dagster.generation.replies.tasks import TASK_FIELDS

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
# Names of the output. The other ones count only in a text without a label Output.
_OUTPUTS = frozenset({TASK_FIELDS[-1], "response", "answer"})
# Other forms: "### Response:", "** Instruction", "Task 1 Input:", "1.2 Input:", '- "input": "..."'.
_WIDE_LABEL = re.compile(
    r"""
    ^[ \t]{0,8} (?P<mark>\#{1,6}[ \t]{0,4}|\*{1,3}[ \t]{1,4}|[-+>][ \t]{1,4})?
    (?P<bold>\*\*|__)?
    (?:task [ \t]{1,4} \#?(?P<task>[0-9]{1,6}) [ \t]{0,4} [.:)-]? [ \t]{0,4})?
    (?:(?:(?P<before>[0-9]{1,6})(?P<part>\.[0-9]{1,6})?|[a-z])
       [ \t]{0,4} (?:[.):]|(?<=[0-9])[ \t]) [ \t]{0,4})?
    (?:[-*][ \t]{1,4})?
    (?P<inner>\*\*|__)?
    (?P<quote>["`])? (?P<name>instruction|input|output|response|answer) (?(quote)(?P=quote))
    (?:[ \t]{1,4}\#?(?P<after>[0-9]{1,6}))?
    (?P<closed>\*\*|__)? [ \t]{0,4} (?: (?P<colon>:) (?P<closing>\*\*|__)? | (?=\r?$) )
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE | re.ASCII,
)
# A line between two tasks that belongs to neither: ###, ---, "## Task 2:", "**Task 2**".
_SEPARATOR_LINE = re.compile(
    r"(?:\#{3,12}|-{3,12}|\*{3,12}|_{3,12}"
    r"|\#{0,6}[ \t]{0,4}(?:\*\*|__)?task[ \t]{1,4}\#?[0-9]{1,6}[.:]?(?:\*\*|__)?[.:]?)",
    re.IGNORECASE | re.ASCII,
)
# A line with which each task of a text begins, if the first does: "1.", "### Task 1: Dosing".
_HEADERS = (
    re.compile(r"(?:\#{1,6}[ \t]{0,4})?(?:\*\*|__)?[0-9]{1,6}[.):]?(?:\*\*|__)?", re.ASCII),
    re.compile(
        r"(?:\#{1,6}[ \t]{0,4}|[-*>][ \t]{1,4})?(?:\*\*|__)?(?:task|example)[ \t]{1,4}"
        r"\#?[0-9]{1,6}\b.*",
        re.IGNORECASE | re.ASCII,
    ),
)
LINE_CHARACTERS = 80  # the most characters of a line that announces a list or a task
_NO_INPUT_MARKS = frozenset({"<noinput>", "<no input>", "<no_input>"})


_Style = tuple[str, bool]  # the mark before the label, and whether it is bold


@dataclass(frozen=True, slots=True)
class Label:
    """A label of a text.

    Attributes:
        name: the name of the field.
        number: the number that stands at the label, or None.
        start: the place of the label.
        end: the place where the field begins.
        bold: whether bold print begins before the label and does not end with it.
        is_quoted: whether the name is quoted, so that the field is quoted too.
        style: how the label is marked, apart from its number.
        is_response: whether the output's label has another name than Output.
    """

    name: str
    number: int | None
    start: int
    end: int
    bold: bool = False
    is_quoted: bool = False
    style: _Style = ("", False)
    is_response: bool = False


def usual_labels(text: str) -> Iterator[Label]:
    """The labels in the form that the prompt shows, and in forms close to it."""
    for match in _LABEL.finditer(text):
        number = match["before"] or match["after"]
        opened, closed = match["bold"] or match["inner"], match["closed"] or match["closing"]
        yield Label(
            match["name"].lower(),
            int(number) if number else None,
            match.start(),
            match.end(),
            bool(opened) and not closed,
        )


def wide_readings(text: str) -> Iterator[Iterable[Label]]:
    """Ways to find labels in a text without a whole task by its usual labels, the best one first.

    In the first way the numbers count. In the others they do not: the second takes the labels that
    are marked like the first instruction, and the third takes all.
    """
    names: dict[str, None] = {}
    styles: dict[_Style, None] = {}  # the first instruction's style is the first one
    has_numbers = False
    for label in _wide_labels(text):
        if names or label.name == TASK_FIELDS[0]:
            names[label.name] = styles[label.style] = None
            has_numbers = has_numbers or label.number is not None
    outputs = [name for name in names if name in _OUTPUTS]
    if not outputs:
        return
    output = TASK_FIELDS[-1] if TASK_FIELDS[-1] in outputs else outputs[0]
    yield _labels_of(text, output)
    if len(styles) > 1:
        yield _labels_of(text, output, has_numbers=False, style=next(iter(styles)))
    if has_numbers:
        yield _labels_of(text, output, has_numbers=False)


def _labels_of(
    text: str, output: str, *, has_numbers: bool = True, style: _Style | None = None
) -> Iterator[Label]:
    """The labels in any form.

    Args:
        text: the text.
        output: the name of the output's label. Other names of outputs are part of the text.
        has_numbers: whether the labels keep their numbers.
        style: the style of the labels; None for all.
    """
    for label in _wide_labels(text):
        is_output = label.name == output
        if (style and label.style != style) or (label.name in _OUTPUTS and not is_output):
            continue
        yield Label(
            TASK_FIELDS[-1] if is_output else label.name,
            label.number if has_numbers else None,
            label.start,
            label.end,
            label.bold,
            label.is_quoted,
            label.style,
            is_output and output != TASK_FIELDS[-1],
        )


def _wide_labels(text: str) -> Iterator[Label]:
    for match in _WIDE_LABEL.finditer(text):
        mark = (match["mark"] or "").strip()[:1]
        opened, closed = match["bold"] or match["inner"], match["closed"] or match["closing"]
        if not match["colon"] and not (mark in {"#", "*"} or (opened and closed)):
            continue  # a word that stands alone in its line is no label without a mark
        number = match["task"] or match["before"] or match["after"]
        is_quoted = match["quote"] == '"'
        if is_quoted and not (mark or number):
            continue  # a line of broken JSON
        yield Label(
            match["name"].lower(),
            int(number) if number else None,
            match.start(),
            match.end(),
            bool(opened) and not closed,
            is_quoted,
            (mark, bool(opened)),
        )


def header_before(text: str, start: int) -> re.Pattern[str] | None:
    """The form of the line that stands before the first label, if tasks begin with such a line."""
    line, _ = _last_line(text, 0, start)
    return next((form for form in _HEADERS if form.fullmatch(line)), None)


def end_of_task(text: str, start: int, end: int, header: re.Pattern[str] | None = None) -> int:
    """The place where a task's last field ends: before the separator lines that follow it.

    Args:
        text: the text.
        start: the place where the field begins.
        end: the place of the next task's first label.
        header: the form of the line with which each task begins; None without such a line.
    """
    end = _before_separators(text, start, end)
    if header:
        line, line_start = _last_line(text, start, end)
        if line_start > start and header.fullmatch(line):
            before = _before_separators(text, start, line_start)
            # A field that would be empty is an answer such as "2." itself.
            end = before if text[start:before].strip() else end
    return end


def _before_separators(text: str, start: int, end: int) -> int:
    while end > start:
        line_start = max(text.rfind("\n", start, end), start)
        line = text[line_start:end].strip()
        if line and not _SEPARATOR_LINE.fullmatch(line):
            return end
        end = line_start
    return end


def _last_line(text: str, start: int, end: int) -> tuple[str, int]:
    """The last line before a place, and its own place; no line if it is long."""
    while end > start and text[end - 1].isspace():
        end -= 1
    line_start = text.rfind("\n", max(start, end - LINE_CHARACTERS - 1), end) + 1
    if not line_start and end - start > LINE_CHARACTERS:
        return "", end
    line_start = max(line_start, start)
    return text[line_start:end].strip(), line_start


def fields_of(
    text: str, labels: Sequence[Label], end: int, *, fenced: bool
) -> dict[str, str | None]:
    """The fields of a task.

    Args:
        text: the text that holds the task.
        labels: the labels of instruction, input and output.
        end: the place where the output ends.
        fenced: whether a fence that closes the text ends the output.
    """
    ends = [*(label.start for label in labels[1:]), end]
    fields: dict[str, str | None] = {}
    for label, field_end in zip(labels, ends, strict=True):
        field = text[label.end : field_end].strip()
        if fenced and label is labels[-1]:
            field = field.removesuffix("```").strip()
        if label.bold:
            field = field.removesuffix("**").removesuffix("__").strip()
        fields[label.name] = _unquoted(field) if label.is_quoted else field
    if (fields["input"] or "").lower() in _NO_INPUT_MARKS:
        fields["input"] = ""
    return fields


def _unquoted(field: str) -> str | None:
    try:
        text = json.loads(field.removesuffix(","))
    except (ValueError, RecursionError):
        return None
    return text.strip() if isinstance(text, str) else None
