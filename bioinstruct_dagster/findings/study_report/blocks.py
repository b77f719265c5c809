"""The parts of a report as plain values: texts, tables, figures, notes and examples.

A section is made of them, and the page draws them, so a section can be tested without HTML. Belongs
here: these values. Does not: HTML (page), or what a section says (the sections' own modules).
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self


@dataclass(frozen=True)
class NumberSource:
    """Where the numbers of a table or figure come from.

    Attributes:
        sql: a statement that yields them from the store, and that can be pasted as it is.
        note: what is computed from its rows, if the statement does not give the numbers themselves.
    """

    sql: str
    note: str = ""

    @classmethod
    def of(cls, sql: str, note: str = "") -> Self:
        """The source, with the statement's indentation removed."""
        return cls(textwrap.dedent(sql).strip(), note)


@dataclass(frozen=True)
class ReportText:
    """A paragraph.

    Attributes:
        text: its words.
        role: what it is in the report.
    """

    text: str
    role: Literal["text", "question", "answer", "small"] = "text"
    kind: str = field(default="text", init=False)


@dataclass(frozen=True)
class ReportList:
    """A list of short statements."""

    items: Sequence[str]
    kind: str = field(default="list", init=False)


@dataclass(frozen=True)
class ReportNote:
    """A note that stands out: a rehearsal, something that is missing, older scores, a quotation."""

    text: str
    about: Literal["rehearsal", "missing", "older", "quoted", "withheld"]
    kind: str = field(default="note", init=False)


@dataclass(frozen=True)
class ReportTable:
    """A table.

    Attributes:
        caption: what it shows, with the units.
        headings: of the columns.
        rows: a cell for each column; None is an empty cell. Numbers are aligned to the right.
        source: of the numbers; None for a table of words.
        note: how to read it.
    """

    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Any]]
    source: NumberSource | None = None
    note: str = ""
    kind: str = field(default="table", init=False)


@dataclass(frozen=True)
class ReportFigure:
    """A figure.

    Attributes:
        caption: what it shows, with the units.
        svg: the drawing, as an SVG element with a text for readers who can't see it.
        source: of the numbers.
        file: where the figure also lies, beside the report; empty if nowhere.
    """

    caption: str
    svg: str
    source: NumberSource | None = None
    file: str = ""
    kind: str = field(default="figure", init=False)


@dataclass(frozen=True)
class ModelAnswer:
    """What one model answered.

    Attributes:
        who: the model, in words.
        text: its answer.
        value: its score for this item, in words; empty if the item was not measured.
    """

    who: str
    text: str
    value: str


@dataclass(frozen=True)
class ShownExample:
    """One item with its reference and the answers of both models."""

    item_id: str
    instruction: str
    prompt: str
    reference: str
    answers: Sequence[ModelAnswer]


@dataclass(frozen=True)
class ReportExamples:
    """The examples of one task.

    Attributes:
        task: its name.
        told: where the items come from, and under which licence.
        examples: up to five.
        source: of the answers.
    """

    task: str
    told: str
    examples: Sequence[ShownExample]
    source: NumberSource | None = None
    kind: str = field(default="examples", init=False)


Block = ReportText | ReportList | ReportNote | ReportTable | ReportFigure | ReportExamples


@dataclass(frozen=True)
class ReportSection:
    """A section of the report.

    Attributes:
        anchor: its id, for links to it.
        title: what the section answers.
        blocks: in their order.
    """

    anchor: str
    title: str
    blocks: Sequence[Block]
