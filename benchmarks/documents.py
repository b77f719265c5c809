"""Parts that all benchmark reports share: the machine, the lines of a table, writing into a page.

Belongs here: the machine's description, the form of a table, and the text between a page's
markers. Does not: what a table shows (generation.report, curation.report).
"""

import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def machine(versions: Sequence[str]) -> str:
    """A description of the machine, the load and the versions of a session."""
    model = "unknown CPU"
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [line for line in info.read_text("utf-8").splitlines() if "model name" in line]
        model = names[0].split(":", 1)[1].strip() if names else model
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()}, Python "
        f"{platform.python_version()}; load before: {os.getloadavg()[0]:.2f}. Versions: "
        f"{', '.join(versions)}."
    )


def table_head(heads: Sequence[str]) -> list[str]:
    """The first two lines of a Markdown table."""
    return [table_line(heads), table_line(["---"] * len(heads))]


def table_line(cells: Iterable[str]) -> str:
    """A line of a Markdown table. A bar within a cell would end the cell, so it is a slash."""
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def write_between_markers(text: str, name: str, document: Path = DOCS / "benchmarks.md") -> None:
    """Write the text between the markers of this name. The rest of the page is unchanged."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    old = document.read_text("utf-8") if document.exists() else "# Benchmarks\n"
    if begin not in old or end not in old:
        old = f"{old.rstrip()}\n\n{begin}\n{end}\n"
    before, rest = old.split(begin, 1)
    after = rest.split(end, 1)[1]
    document.write_text(f"{before}{begin}\n{text}\n{end}{after}", "utf-8")
