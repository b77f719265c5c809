"""The forest plot of the first screen: each measure's difference to the base model.

Belongs here: drawing. Does not: which measures are shown (study_report.headline).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bioinstruct_dagster.findings.figures.heat_map import mark
from bioinstruct_dagster.findings.study_report.headline import Headline, HeadlineMeasure
from bioinstruct_dagster.findings.wording import (
    REHEARSAL,
    amount,
    difference_ends,
    difference_text,
    difference_unit,
    has_interval,
    is_certain,
    plotted_difference,
    scale,
)
from bioinstruct_dagster.plots.canvas import COLOURS, GRID, INK, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH, _ROW, _PANEL, _HEAD = 860, 30, 62, 4  # CSS pixels
# By verdict: colour and marker, so that the figure can be read in grey.
_LOOKS = {
    "better": (COLOURS[0], "o"),
    "worse": (COLOURS[3], "s"),
    "not shown": ("#666666", "D"),
    "unknown": ("#666666", "D"),
}


def forest_figure(headline: Headline) -> "Figure":
    """A line for each measure of a headline: scores in points, losses in nats for a token.

    Args:
        headline: with at least one measure whose difference is stored.
    """
    shown = [one for one in headline.measures if one.row["difference"] is not None]
    panels = [
        [one for one in shown if (one.row["metric"] == "loss") == of_losses]
        for of_losses in (False, True)
    ]
    panels = [panel for panel in panels if panel]
    heights = [_ROW * len(panel) + _PANEL for panel in panels]
    figure, first = new_figure(_WIDTH, sum(heights) + _HEAD)
    first.remove()
    grid = figure.add_gridspec(len(panels), 1, height_ratios=heights)
    for place, panel in enumerate(panels):
        _panel(figure.add_subplot(grid[place]), panel)
    mark(figure, REHEARSAL if headline.rehearsal else "")
    return figure


def forest_text(headline: Headline) -> str:
    """What the figure shows, for a reader who can't see it."""
    lines = []
    for one in headline.measures:
        metric, row = one.row["metric"], one.row
        if row["difference"] is not None:
            lines.append(
                f"{one.name}: {amount(row['difference'], metric, sign=True)} "
                f"{difference_unit(metric)} {difference_ends(row)}, {_said(one)}"
            )
    return f"Forest plot of {headline.base_model}, adapter minus base model. " + "; ".join(lines)


def _said(one: HeadlineMeasure) -> str:
    if one.verdict not in {"not shown", "unknown"}:
        return one.verdict
    if is_certain(one.row):
        return "not certain once corrected"
    return "no difference shown"


def _panel(axes: "Axes", measures: Sequence[HeadlineMeasure]) -> None:
    metric = measures[0].row["metric"]
    for place, one in enumerate(measures):
        colour, look = _LOOKS[one.verdict]
        row = one.row
        if has_interval(row):
            low, high = plotted_difference(row).ends
            axes.plot([low, high], [place, place], color=colour, linewidth=2.4)
            axes.plot([low, high], [place, place], color=colour, linestyle="none", marker="|",
                      markersize=9)  # fmt: skip
        axes.plot(
            [scale(metric) * row["difference"]],
            [place],
            color=colour,
            marker=look,
            markersize=8,
            linestyle="none",
        )
        axes.annotate(
            f"{difference_text(row)}  {_said(one)}",
            (1.02, place), xycoords=("axes fraction", "data"), va="center", color=INK,
        )  # fmt: skip
    axes.axvline(0, color=INK, linewidth=1)
    axes.set_yticks(
        range(len(measures)), [f"{one.name} (n = {one.row['n']:,})" for one in measures]
    )
    axes.set_ylim(len(measures) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=True, axis="x", color=GRID)
    axes.spines[["left", "top", "right"]].set_visible(False)
    side = "left of 0 is better" if metric == "loss" else "right of 0 is better"
    axes.set_xlabel(f"adapter minus base model, {difference_unit(metric)} ({side})")
