"""Shares of categories, lengths and novelty as figures.

Belongs here: the three drawings. Does not: the measures (card.statistics), or the published
figures beside them (card.published).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.dataset.card.published import published_set
from bioinstruct_dagster.dataset.card.statistics import BINS, FIELDS, Diversity
from bioinstruct_dagster.plots.canvas import COLOURS, GRID, HATCHES, INK, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BAR = 0.38
_LENGTH_BINS = 24
_LONGEST = 99  # percentile of the longest length drawn: a few long texts would hide the others


def shares_figure(shares: Mapping[str, float], rows: int, *, beside_published: bool) -> "Figure":
    """The share of each category, as the paper's Figure 1A.

    Args:
        shares: by category.
        rows: of the set.
        beside_published: whether to draw the shares that the authors of BioInstruct state.
    """
    stated = published_set().categories if beside_published else {}
    names = sorted({*shares, *stated}, key=lambda name: -shares.get(name, 0.0))
    figure, axes = new_figure(720, 110 + 62 * max(1, len(names)))
    drawn = [(f"this set ({rows:,} rows)", shares, COLOURS[0], HATCHES[0])]
    if stated:
        drawn.append((f"{published_set().name}, as stated by its authors", stated,
                      COLOURS[1], HATCHES[1]))  # fmt: skip
    for place, (label, values, colour, hatch) in enumerate(drawn):
        at = [n + _BAR * (place - (len(drawn) - 1) / 2) for n in range(len(names))]
        bars = axes.barh(
            at, [100 * values.get(name, 0.0) for name in names], height=_BAR,
            color=colour, hatch=hatch, edgecolor=INK, linewidth=0.8, label=label,
        )  # fmt: skip
        axes.bar_label(bars, fmt="%.1f %%", padding=4)
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set(xlabel="share of rows (%)")
    if stated:
        figure.legend(loc="outside lower center", ncols=1)
    return figure


def lengths_figure(rows: Sequence[Mapping[str, Any]], *, beside_published: bool) -> "Figure":
    """Histograms of the lengths of instruction, input and output.

    Args:
        rows: of the set.
        beside_published: whether to mark the medians that were measured on published rows.
    """
    import numpy as np

    figure, first = new_figure(900, 400)
    first.remove()
    there = published_set()
    for place, field in enumerate(FIELDS):
        axes = figure.add_subplot(1, len(FIELDS), place + 1)
        words = np.array([len(row[field].split()) for row in rows] or [0])
        longest = max(1.0, float(np.percentile(words, _LONGEST)))
        edges = np.unique(np.linspace(0, np.ceil(longest) + 1, _LENGTH_BINS + 1).round())
        beyond = int((words >= edges[-1]).sum())
        axes.hist(words[words < edges[-1]], bins=edges.tolist(), color=COLOURS[place],
                  edgecolor=INK, linewidth=0.6, hatch=HATCHES[place])  # fmt: skip
        axes.axvline(
            float(np.median(words)), color=INK, linewidth=2.4,
            label=f"median of this set ({len(rows):,} rows)",
        )  # fmt: skip
        if beside_published:
            axes.axvline(
                there.measured.lengths[field].median, color=INK, linestyle=":", linewidth=2.4,
                label=f"median of {there.name} ({there.measured.rows:,} rows)",
            )  # fmt: skip
        left_out = f"\n{beyond:,} longer rows not drawn" if beyond else ""
        axes.set(title=field.capitalize(), xlabel=f"words{left_out}")
        if place == 0:
            axes.set_ylabel("rows")
    lines = figure.axes[0].get_legend_handles_labels()
    figure.legend(*lines, loc="outside lower center", ncols=1)
    return figure


def novelty_figure(measured: Diversity, *, beside_published: bool) -> "Figure":
    """The histogram of each instruction's similarity to the most similar other one.

    Args:
        measured: of the set, with at least two rows.
        beside_published: whether to draw the published rows as a line.
    """
    counts = measured.nearest_in_set or measured.nearest
    figure, axes = new_figure(720, 420)
    at = [(place + 0.5) / BINS for place in range(BINS)]
    bars = axes.bar(
        at, [100 * count / sum(counts) for count in counts], width=0.94 / BINS, color=COLOURS[4],
        edgecolor=INK, linewidth=0.8, label=f"this set ({sum(counts):,} rows)",
    )  # fmt: skip
    axes.bar_label(bars, [f"{count:,}" if count else "" for count in counts], padding=2)
    if beside_published:
        there = published_set()
        nearest, rows = there.measured.diversity.nearest, there.measured.diversity.rows
        axes.plot(
            at, [100 * count / rows for count in nearest], color=COLOURS[3], marker="s",
            linestyle="--", label=f"{there.name} ({rows:,} rows)",
        )  # fmt: skip
    axes.grid(axis="y", color=GRID)
    axes.set_axisbelow(True)
    axes.set_xticks([place / BINS for place in range(0, BINS + 1, 2)])
    axes.set(
        xlabel="ROUGE-L F1 with the most similar other instruction (1: the same words)",
        ylabel="share of rows (%)",
    )
    figure.legend(loc="outside lower center", ncols=1)
    return figure
