"""Score against number of instructions: a panel for each measure, a line for each curve.

Belongs here: what the panels show. Does not: the rows (scaling).
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.findings.figures.heat_map import mark
from bioinstruct_dagster.findings.published import PublishedFigures
from bioinstruct_dagster.findings.stored_scores import AVERAGE, measure_key
from bioinstruct_dagster.findings.wording import (
    REHEARSAL,
    has_interval,
    items_mark,
    measure_name,
    percent,
    scale,
    span,
    task_order,
    unit,
)
from bioinstruct_dagster.plots.canvas import COLOURS, GRID, INK, MARKERS, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_PANEL_WIDTH, _PANEL_HEIGHT, _COLUMNS = 470, 330, 2
MOST_PANELS = 8
_DASHES = ("-", "--", ":", "-.")


def scaling_figure(rows: Sequence[Mapping[str, Any]], published: PublishedFigures) -> "Figure":
    """The curves of the table `data_scaling`.

    The line joins the means over seeds, the thin bars are their 95 % intervals, and the small
    points are the seeds. The broad bars are the intervals of the difference to the base model,
    which is paired by item, drawn from its score. The dashed level is the base model's score. A
    dotted level is a published score of another model, a quotation.

    Args:
        rows: of the table.
        published: figures of others.
    """
    rows = [row for row in rows if row["train_rows"]]  # else its adapter was trained again since
    measures = sorted(map(_measure, rows), key=lambda one: (task_order(one[0]), one))
    measures = list(dict.fromkeys(measures))[:MOST_PANELS]
    columns = min(_COLUMNS, max(1, len(measures)))
    lines = max(1, math.ceil(len(measures) / columns))
    curves = list(dict.fromkeys(map(_curve, rows)))
    below = 22 * (len(curves) + 4) + 30
    figure, first = new_figure(_PANEL_WIDTH * columns, _PANEL_HEIGHT * lines + below)
    first.remove()
    for place, measure in enumerate(measures):
        axes = figure.add_subplot(lines, columns, place + 1)
        _panel(axes, [row for row in rows if _measure(row) == measure], curves, published)
    handles: dict[str, Any] = {}
    for axes in figure.axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.suptitle("Score by number of instructions", x=0.01, ha="left", fontweight="bold")
    if handles:
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=1)
    mark(figure, REHEARSAL if any(row["rehearsal"] for row in rows) else "")
    return figure


def curve_name(row: Mapping[str, Any]) -> str:
    """The name of a curve in the legend."""
    values = f", {row['hyperparameters']}" if row["hyperparameters"] else ""
    categories = "" if len(row["categories"]) > 2 else f" {row['trained_on']}"  # noqa: PLR2004
    older = ", older data" if row["older"] else ""
    return f"{row['base_model']}{categories}{values}{older}"


def _panel(
    axes: "Axes",
    rows: Sequence[Mapping[str, Any]],
    curves: Sequence[tuple[Any, ...]],
    published: PublishedFigures,
) -> None:
    first = rows[0]
    by = scale(first["metric"])
    for place, curve in enumerate(curves):
        mine = sorted(
            (row for row in rows if _curve(row) == curve), key=lambda row: row["train_rows"] or 0
        )
        if not mine:
            continue
        colour, look = COLOURS[place % len(COLOURS)], MARKERS[place % len(MARKERS)]
        at = [row["train_rows"] for row in mine]
        scores = [by * row["score"] for row in mine]
        bars = [
            [by * (row["score"] - _or(row["ci_low"], row["score"])) for row in mine],
            [by * (_or(row["ci_high"], row["score"]) - row["score"]) for row in mine],
        ]
        axes.errorbar(
            at, scores, yerr=bars, color=colour, marker=look, capsize=4, markersize=7,
            linestyle=_DASHES[place % len(_DASHES)],
            label=f"{curve_name(mine[0])}: mean over seeds, 95 % interval",
        )  # fmt: skip
        paired = list(filter(has_interval, mine))
        axes.vlines(
            [row["train_rows"] for row in paired],
            [by * (row["base_score"] + row["difference_low"]) for row in paired],
            [by * (row["base_score"] + row["difference_high"]) for row in paired],
            colors=colour, linewidth=6, alpha=0.35,
            label="95 % interval of the difference to the base model (broad)",
        )  # fmt: skip
        for row in mine:
            if row["seeds"] > 1:
                own = [by * score for score in row["seed_scores"]]
                axes.plot(
                    [row["train_rows"]] * len(own), own, linestyle="none", marker=look,
                    markersize=4, markerfacecolor="none", color=colour,
                    label="single seeds (small, hollow)",
                )  # fmt: skip
        axes.axhline(
            by * mine[-1]["base_score"], color=colour, linewidth=1, linestyle=(0, (6, 3)),
            label="base model, ours (long dashes)",
        )  # fmt: skip
    quoted = published.scores_beside(first)
    for one in quoted:
        axes.axhline(
            by * one.score, color=INK, linewidth=1, linestyle=":",
            label="published by others, quoted (dotted)",
        )  # fmt: skip
        axes.annotate(
            f"quoted: {one.model}", (1, by * one.score), xycoords=("axes fraction", "data"),
            ha="right", va="bottom",
        )  # fmt: skip
    if max((row["train_rows"] or 1) for row in rows) > 4 * min(
        (row["train_rows"] or 1) for row in rows
    ):
        axes.set_xscale("log")
    axes.grid(visible=True, axis="y", color=GRID)
    axes.spines[["top", "right"]].set_visible(False)
    gain = percent(first["quoted_gain"])
    gain = gain and f"\npaper's relative gain, quoted: {gain}"
    could = span((row["detectable"] for row in rows), first["metric"])
    could = could and f"; detectable {could}"
    items = items_mark(first, " ")
    axes.set_title(f"{measure_name(first)}{gain}\n(n = {first['n']:,}{items}{could})", fontsize=10)
    axes.set_xlabel("instructions trained on")
    metric = "main metrics" if first["task"] == AVERAGE else first["metric"]
    axes.set_ylabel(f"{metric}, {unit(first['metric'])}")


def _or(value: float | None, other: float) -> float:
    return other if value is None else value


def _measure(row: Mapping[str, Any]) -> tuple[Any, ...]:
    of_base = row["base_model"] if row["metric"] == "loss" else ""
    return *measure_key(row), of_base


def _curve(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (row["base_model"], row["variant"], row["trained_on"], row["dataset_fingerprint"])
