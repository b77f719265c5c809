"""A figure of bars with their numbers, and beside a bar the figure of another set.

Belongs here: drawing. Does not: what is counted (study_report.data_set).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from bioinstruct_dagster.plots.canvas import COLOURS, INK, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH, _ROW, _ELSE = 720, 34, 90  # CSS pixels
_ROOM = 1.25  # of the axis over the longest bar, for the numbers


class Bar(NamedTuple):
    """One bar.

    Attributes:
        label: its name.
        value: its length.
        shown: the number beside it.
        quoted: the value of another set, drawn as a marker; None for none.
    """

    label: str
    value: float
    shown: str
    quoted: float | None = None


def bar_figure(title: str, axis: str, bars: Sequence[Bar], quoted: str = "") -> "Figure":
    """Horizontal bars, the first one above.

    Args:
        title: of the figure.
        axis: what the lengths are, with the unit.
        bars: at least one.
        quoted: the name of the other set, for the legend.
    """
    figure, axes = new_figure(_WIDTH, _ROW * len(bars) + _ELSE + (24 if quoted else 0))
    places = range(len(bars))
    axes.barh(places, [one.value for one in bars], color=COLOURS[0], height=0.62)
    for place, one in zip(places, bars, strict=True):
        axes.annotate(
            one.shown, (max(one.value, one.quoted or 0), place), xytext=(9, 0),
            textcoords="offset points", va="center", color=INK,
        )  # fmt: skip
    known = [(one.quoted, place) for place, one in zip(places, bars, strict=True)
             if one.quoted is not None]  # fmt: skip
    if known:
        axes.plot(
            [value for value, _ in known], [place for _, place in known], linestyle="none",
            marker="D", markersize=9, markerfacecolor="white", markeredgecolor=INK,
            markeredgewidth=1.6, label=quoted,
        )  # fmt: skip
        figure.legend(loc="outside lower left", frameon=False)
    longest = max(max(one.value, one.quoted or 0) for one in bars)
    axes.set_xlim(0, (longest or 1) * _ROOM)
    axes.set_yticks(places, [one.label for one in bars])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(axis)
    axes.set_title(title)
    return figure


def bar_text(title: str, bars: Sequence[Bar], quoted: str = "") -> str:
    """What the figure shows, for a reader who can't see it."""
    parts = [f"{one.label}: {one.shown}" for one in bars]
    more = f" Markers: {quoted}; the table has their numbers." if quoted else ""
    return f"Bar chart. {title}. {'; '.join(parts)}.{more}"
