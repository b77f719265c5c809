"""The files of a finding in the folder `reports` of the data folder: PNG, SVG and CSV.

Belongs here: writing and removing them. Does not: what they show.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.findings.wording import REHEARSAL
from bioinstruct_dagster.new_files import new_file
from bioinstruct_dagster.plots.canvas import save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REPORTS = "reports"  # folder in the data folder


def write_finding(
    folder: Path,
    name: str,
    rows: Sequence[Mapping[str, Any]],
    figure: "Figure | None",
    description: str,
) -> list[Path]:
    """Write a finding's files; each is whole or not there.

    Without a figure, an earlier one is removed: it would show what the rows do not say any more.

    Args:
        folder: of the files.
        name: of the finding.
        rows: of its table.
        figure: of the rows; None if there is nothing to draw.
        description: what the figure shows, in words.

    Returns:
        The files that were written.
    """
    written = [write_csv(folder / f"{name}.csv", rows)]
    if figure is None:
        for ending in (".png", ".svg"):
            (folder / f"{name}{ending}").unlink(missing_ok=True)
        return written
    if any(row["rehearsal"] for row in rows):
        description = f"{REHEARSAL.capitalize()}, no result of medicine. {description}"
    return [*written, *save(figure, folder, name, description)]


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows as CSV; a list becomes its members with + between them."""
    with new_file(path) as fresh, fresh.open("w", encoding="utf-8", newline="") as file:
        if rows:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return path


def _cell(value: Any) -> Any:
    return "+".join(map(str, value)) if isinstance(value, list | tuple) else value
