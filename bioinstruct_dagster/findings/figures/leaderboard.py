"""The leaderboard as a heat map: a row for each experiment, a column for each task.

Belongs here: what stands in a cell. Does not: the rows (ranking), or drawing (heat_map).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.findings.figures.heat_map import EMPTY, Cell, heat_map
from bioinstruct_dagster.findings.published import PublishedFigures
from bioinstruct_dagster.findings.stored_scores import AVERAGE, experiment_name, improvement
from bioinstruct_dagster.findings.wording import (
    REHEARSAL,
    amount,
    difference_text,
    is_certain,
    items_mark,
    measure_name,
    percent,
    shade,
    task_order,
    unit,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_ACROSS = 5  # experiments that stand side by side
MOST_ROWS = 40  # a higher figure can't be looked at; the table and the CSV file hold all

_NOTES = (
    "Cell: score; difference to the base model and its 95 % interval, paired by item; place.",
    "Blue: better than the base model. Orange and hatched: worse.",
    "White with grey numbers: the interval holds 0, or there is none.",
    "Places are a range that the data allow. Framed: no other is significantly better (a tie).",
)

Column = tuple[str, str, str, str, int, str]


def column_of(row: Mapping[str, Any]) -> Column:
    """What the scores of one column have in common: the measure, the items, and for a loss the
    base model, whose tokens it counts.
    """
    of_base = row["base_model"] if row["metric"] == "loss" else ""
    return (row["task"], row["category"], row["metric"], row["items_fingerprint"], row["n"],
            of_base)  # fmt: skip


def leaderboard_figure(rows: Sequence[Mapping[str, Any]], published: PublishedFigures) -> "Figure":
    """The heat map of the table `leaderboard`. Quoted scores stand in rows of their own, last.

    Args:
        rows: of the table.
        published: figures of others.
    """
    columns = sorted(
        {column_of(row): row for row in rows}.items(),
        key=lambda item: (task_order(item[0][0]), item[0]),
    )
    by_cell = {(experiment_name(row), column_of(row)): row for row in rows}
    experiments = ordered_experiments(rows)
    shown = experiments[:MOST_ROWS]
    scales = {
        key: max(
            (
                abs(improvement(row) or 0)
                for row in rows
                if is_certain(row) and column_of(row) == key
            ),
            default=0,
        )
        for key, _ in columns
    }
    cells = [[_cell(by_cell.get((name, key)), scales[key]) for key, _ in columns] for name in shown]
    older = {experiment_name(row) for row in rows if row["older"]}
    labels = [f"{name} (older data)" if name in older else name for name in shown]
    quoted: dict[str, dict[int, float]] = {}
    for place, (_, row) in enumerate(columns):
        for one in published.scores_beside(row):
            quoted.setdefault(one.model, {})[place] = one.score
    for model, found in quoted.items():
        labels.append(f"quoted: {model}")
        cells.append([
            Cell(None, (f"{100 * found[place]:.1f} %", "quoted")) if place in found else EMPTY
            for place in range(len(columns))
        ])  # fmt: skip
    notes = list(_NOTES)
    if quoted:
        notes.append("Rows 'quoted' are published by others, on other prompts and perhaps items: "
                     "see quoted_figures.csv. They are no measurement of ours.")  # fmt: skip
    if len(experiments) > MOST_ROWS:
        notes.append(f"{len(experiments) - MOST_ROWS} more experiments: leaderboard.csv")
    rehearsed = any(row["rehearsal"] for row in rows)
    headings = [_heading(row) for _, row in columns]
    if len(labels) <= MOST_ACROSS < len(headings):  # few experiments and many tasks: turned
        cells = [list(line) for line in zip(*cells, strict=True)]
        labels, headings = (
            [_two_lines(text) for text in headings],
            [name.replace("|", "|\n") for name in labels],
        )
    return heat_map(
        "Leaderboard: experiments by tasks",
        labels,
        headings,
        cells,
        notes=notes,
        watermark=REHEARSAL if rehearsed else "",
    )


def ordered_experiments(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The experiments, the best mean place first. Few places weigh as much as many."""
    found: dict[str, list[float]] = {}
    for row in rows:
        middle = (row["place_best"] + row["place_last"]) / 2
        found.setdefault(experiment_name(row), []).append(middle / row["compared"])
    return sorted(found, key=lambda name: (sum(found[name]) / len(found[name]), name))


def places_text(row: Mapping[str, Any]) -> str:
    """The places that the data allow, such as `place 1-3 of 8`; a tie is a range."""
    if row["compared"] == 1:
        return "not ranked"
    best, last = row["place_best"], row["place_last"]
    place = f"{best}" if best == last else f"{best}-{last}"
    return f"place {place} of {row['compared']}"


def _heading(row: Mapping[str, Any]) -> str:
    gain = percent(row["quoted_gain"])
    quoted = gain and f"\npaper's relative gain,\nquoted: {gain}"
    name = measure_name(row).replace("average of ", "average of\n")
    metric = "" if row["task"] == AVERAGE else f"{row['metric']}, "
    return f"{name}\n{metric}{unit(row['metric'])}\nn = {row['n']:,}{items_mark(row)}{quoted}"


def _two_lines(heading: str) -> str:
    """A heading for a line of the figure in place of a column."""
    name, *rest = heading.replace("average of\n", "average of ").split("\n")
    return f"{name}\n{', '.join(rest)}"


def _cell(row: Mapping[str, Any] | None, scale: float) -> Cell:
    if row is None:
        return EMPTY
    metric = row["metric"]
    change = improvement(row)
    lines = [amount(row["score"], metric)]
    if row["difference"] is not None:
        lines.append(difference_text(row))
    lines.append(places_text(row))
    return Cell(
        shade(change, scale, row),
        lines,
        outlined=row["tied_with_best"] and row["compared"] > 1,
        muted=not is_certain(row),
    )
