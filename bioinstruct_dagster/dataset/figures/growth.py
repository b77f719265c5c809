"""How the set grew: kept rows and yield of each run that brought rows.

Belongs here: the statement and the drawing. Does not: what a run cost, or why rows were rejected.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from bioinstruct_dagster.plots.canvas import COLOURS, GRID, HATCHES, INK, new_figure
from bioinstruct_dagster.store.database import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Raw rows by the run that paid for their replies, and the first day of it. Rows of an imported file
# count as one step.
GROWTH = """
    select
        coalesce(completion.run_id, raw.source) as run,
        min(completion.completed_at) as first_reply,
        min(raw.ordinal) as first_ordinal,
        count(*) as raw_rows,
        count(placed.row_id) as kept_rows
    from raw_instructions as raw
    left join completions as completion using (completion_id)
    left join hf_dataset as placed using (row_id)
    group by all
    order by first_reply nulls first, first_ordinal
"""
_MOST_TICKS = 12
_RUN_LETTERS = 8  # of a run's id, as Dagster's pages show it


class GrowthStep(NamedTuple):
    """A run, or an import.

    Attributes:
        run: the run's id, or the name of an import.
        day: of its first reply; empty if it is not known.
        raw_rows: that it brought.
        kept_rows: of them, those that are in the data set.
    """

    run: str
    day: str
    raw_rows: int
    kept_rows: int


def growth_of(store: Store) -> list[GrowthStep]:
    """The runs behind the present raw rows, in the order of their first replies."""
    return [
        GrowthStep(
            row["run"],
            row["first_reply"].date().isoformat() if row["first_reply"] else "",
            row["raw_rows"],
            row["kept_rows"],
        )
        for row in store.rows(GROWTH)
    ]


def growth_figure(steps: Sequence[GrowthStep]) -> "Figure":
    """Two panels: the rows kept after each run, and the yield of each run.

    Args:
        steps: from `growth_of`, at least one.
    """
    figure, above = new_figure(720, 520)
    above.remove()
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    at = range(1, len(steps) + 1)
    for axes in (above, below):
        axes.grid(axis="y", color=GRID)
        axes.set_axisbelow(True)
    raw = list(accumulate(step.raw_rows for step in steps))
    kept = list(accumulate(step.kept_rows for step in steps))
    above.plot(at, raw, color=COLOURS[1], marker="s", linestyle="--", label="raw rows")
    above.plot(at, kept, color=COLOURS[0], marker="o", label="rows in the data set")
    above.annotate(f"{kept[-1]:,}", (at[-1], kept[-1]), (0, 7), textcoords="offset points",
                   ha="center")  # fmt: skip
    above.set(ylabel="rows so far", ylim=(0, max(raw) * 1.15))
    above.legend(loc="upper left")
    shares = [100 * step.kept_rows / step.raw_rows for step in steps]
    bars = below.bar(at, shares, width=0.6, color=COLOURS[2], hatch=HATCHES[2], edgecolor=INK)
    if len(steps) <= _MOST_TICKS:
        below.bar_label(bars, fmt="%.0f %%", padding=2)
    below.set(ylabel="yield (% kept)", ylim=(0, 118), xlim=(0.4, len(steps) + 0.6))
    below.set_yticks(range(0, 101, 25))
    every = -(-len(steps) // _MOST_TICKS)
    below.set_xticks(at[::every], [_named(step) for step in steps[::every]])
    below.set_xlabel("run, by the day of its first reply")
    return figure


def _named(step: GrowthStep) -> str:
    name = step.run.removeprefix("import:").partition("@")[0]
    return f"{name[:_RUN_LETTERS]}\n{step.day or 'import'}"
