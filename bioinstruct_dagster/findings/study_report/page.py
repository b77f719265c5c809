"""The report as one HTML file: sections in their order, drawn by a template that escapes all texts.

The file holds no script and loads nothing: its policy forbids every request. Belongs here: the
page, its size, and writing it. Does not: what a section says.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from bioinstruct_dagster.figures.values import number_of
from bioinstruct_dagster.findings.files import REPORTS
from bioinstruct_dagster.findings.stored_scores import experiment_name
from bioinstruct_dagster.findings.study_report.answer import answer_section, rehearsal_note
from bioinstruct_dagster.findings.study_report.blocks import (
    ReportFigure,
    ReportNote,
    ReportSection,
    ReportTable,
)
from bioinstruct_dagster.findings.study_report.cost import cost_section
from bioinstruct_dagster.findings.study_report.data_set import data_set_section
from bioinstruct_dagster.findings.study_report.designs import ablation_section, scaling_section
from bioinstruct_dagster.findings.study_report.examples import examples_section
from bioinstruct_dagster.findings.study_report.limits import limits_section
from bioinstruct_dagster.findings.study_report.scores import scores_section
from bioinstruct_dagster.findings.study_report.sources import ReportSources
from bioinstruct_dagster.findings.study_report.training import training_section
from bioinstruct_dagster.new_files import new_file
from bioinstruct_dagster.store.fingerprints import sha256_of

FILE_NAME = "study_report.html"
MOST_BYTES = 5_000_000  # a file that mail servers and browsers take
_SECTIONS = (
    answer_section,
    data_set_section,
    training_section,
    scores_section,
    ablation_section,
    scaling_section,
    cost_section,
    examples_section,
    limits_section,
)
_HERE = Path(__file__).parent
# A cell that begins with a number or a dollar sign, such as `+2.1 [-3.0, 7.2]`.
_NUMBER = re.compile(r"[-+−]?\$?\d[\d,.]*(e-?\d+)?(?![\w|-])")
_DRAWN_WIDTH = re.compile(r'<svg[^>]*\bwidth="([\d.]+)pt"')
# A drawing that is a little wider than the page is scaled down to it, so that no column is out of
# sight. Text of 13 pixels is then 11 pixels high. A wider drawing is scrolled.
_LEAST_SCALE = 0.85
_ID = re.compile(r'(\bid="|xlink:href="#|url\(#)')
FOOTER = (
    "Made by bioinstruct_dagster from its store. “SQL of these numbers” under a table holds a "
    'statement that yields its numbers: python -m bioinstruct_dagster.store "STATEMENT".'
)


@dataclass(frozen=True)
class WrittenReport:
    """A report that is written.

    Attributes:
        path: of the file.
        size: of the file in bytes.
        summary: the answer in a sentence.
        missing: what is said to be missing.
        sections: its contents.
        fingerprint: sha256 of its contents, without the time at which it was made.
    """

    path: Path
    size: int
    summary: str
    missing: Sequence[str]
    sections: Sequence[ReportSection]
    fingerprint: str


def sections_of(sources: ReportSources) -> list[ReportSection]:
    """All sections in their order."""
    return [section(sources) for section in _SECTIONS]


def write_report(sources: ReportSources, path: Path | None = None, note: str = "") -> WrittenReport:
    """Write the report; it appears as a whole or not at all.

    Args:
        sources: of its numbers.
        path: of the file; by default `study_report.html` in the folder `reports` of the data
            folder.
        note: a line under the title, such as what the study is an example of.
    """
    target = path or sources.settings.store.data_dir / REPORTS / FILE_NAME
    sections = sections_of(sources)
    html = small_page(sections, rehearsal_note(sources), _made(sources), note=note)
    with new_file(target) as fresh:
        fresh.write_text(html, "utf-8")
    notes = [block for one in sections for block in one.blocks if isinstance(block, ReportNote)]
    answer = sources.headlines[0].sentence() if sources.headlines else "No adapter is scored yet."
    return WrittenReport(
        target,
        len(html.encode()),
        answer,
        [note.text for note in notes if note.about == "missing"],
        sections,
        sha256_of(page(sections, "", "")),
    )


def small_page(
    sections: Sequence[ReportSection],
    rehearsal: str,
    made: str,
    most: int = MOST_BYTES,
    note: str = "",
) -> str:
    """The page; if it would be too large, without its largest figures that lie in files too.

    Args:
        sections: of the report.
        rehearsal: what of it is a rehearsal; empty if nothing is.
        made: when and from what it was made.
        most: bytes.
        note: a line under the title.
    """
    shown = list(sections)
    while len((html := page(shown, rehearsal, made, note)).encode()) > most:
        figures = [
            block
            for one in shown
            for block in one.blocks
            if isinstance(block, ReportFigure) and block.svg and block.file
        ]
        if not figures:
            return html
        largest = max(figures, key=lambda figure: len(figure.svg))
        shown = [
            replace(
                one,
                blocks=[
                    replace(largest, svg="") if block is largest else block for block in one.blocks
                ],
            )
            for one in shown
        ]
    return html


def page(sections: Sequence[ReportSection], rehearsal: str, made: str, note: str = "") -> str:
    """The page of sections."""
    numbered, count = [], 0
    for one in sections:
        blocks = []
        for block in one.blocks:
            if isinstance(block, ReportFigure):
                count += 1
                block = replace(block, svg=with_own_ids(block.svg, f"f{count}-"))  # noqa: PLW2901
            elif isinstance(block, ReportTable):
                block = without_empty_columns(block)  # noqa: PLW2901
            blocks.append(block)
        numbered.append(replace(one, blocks=blocks))
    text: str = _template().render(
        title="Study report" + (" (rehearsal)" if rehearsal else ""),
        made=made,
        rehearsal=rehearsal,
        note=note,
        sections=numbered,
        footer=FOOTER,
    )
    return text


def with_own_ids(svg: str, prefix: str) -> str:
    """An SVG element whose ids begin with a prefix: two figures of a page may share none."""
    return _ID.sub(lambda found: found.group(1) + prefix, svg)


def is_number(cell: Any) -> bool:
    """Whether a cell of a table is aligned like a number."""
    return isinstance(cell, str) and _NUMBER.match(cell) is not None


def without_empty_columns(table: ReportTable) -> ReportTable:
    """The table without the columns in which no row has a cell; a table without rows stays."""
    kept = [
        at
        for at in range(len(table.headings))
        if not table.rows or any(row[at] is not None for row in table.rows)
    ]
    return replace(
        table,
        headings=[table.headings[at] for at in kept],
        rows=[[row[at] for at in kept] for row in table.rows],
    )


def of_numbers(table: ReportTable) -> list[bool]:
    """For each column of a table, whether it holds numbers and nothing else."""
    columns = ([row[at] for row in table.rows] for at in range(len(table.headings)))
    return [
        any(cell is not None for cell in column)
        and all(cell is None or is_number(cell) for cell in column)
        for column in columns
    ]


def narrowest(svg: str) -> str:
    """The width to which the page may scale a drawing down, in points: its texts stay legible."""
    width = _DRAWN_WIDTH.search(svg)
    return f"{_LEAST_SCALE * float(width[1]):.0f}pt" if width else "100%"


@cache
def _template() -> Any:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["of_numbers"] = of_numbers
    environment.filters["narrowest"] = narrowest
    environment.globals["css"] = (_HERE / "page.css").read_text("utf-8")
    return environment.from_string((_HERE / "page.html").read_text("utf-8"))


def _made(sources: ReportSources) -> str:
    rows = sources.tables["leaderboard"]
    scored = number_of(len(set(map(experiment_name, rows))), "scored experiment")
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    times = [row["made_at"] for row in rows]
    of = f"; leaderboard of {max(times):%Y-%m-%d %H:%M %Z}" if times else ""
    return f"Made on {now} from {scored}{of}."
