"""Root verbs and their objects as two rings, as the paper's Figure 1B.

Belongs here: the rings and their labels. Does not: the counts (imperatives.diversity).
"""

import math
from typing import TYPE_CHECKING, NamedTuple

from bioinstruct_dagster.dataset.card.parts import percent
from bioinstruct_dagster.dataset.imperatives.diversity import VerbDiversity
from bioinstruct_dagster.plots.canvas import COLOURS, INK, PAPER, TEXT_PIXELS, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIDE = 900  # pixels
_HOLE, _MIDDLE, _EDGE = 0.36, 0.70, 0.78  # radii; 1 is half the width of the axes
# An arc shorter than a line of text stays without a label.
_LINE = 2 * TEXT_PIXELS / (_SIDE * 0.92)
_TINT = 0.55  # of an object's colour, towards white


class _Arc(NamedTuple):
    """A part of a ring: its radii, where it begins, and its clockwise width, in degrees."""

    inner: float
    outer: float
    begin: float
    width: float


def sunburst(found: VerbDiversity) -> "Figure":
    """The rings: verbs inside, their objects outside, each as wide as its rows.

    A verb is as wide as its rows with one of the objects, as in the paper. The line below says
    which share of the rows is in the figure.

    Args:
        found: the counts.
    """
    figure, axes = new_figure(_SIDE, _SIDE + 60)
    axes.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal")
    axes.axis("off")
    shown = sum(one.shown for one in found.top)
    at, unlabelled = 90.0, 0
    drawn = [one for one in found.top if one.shown]
    for place, verb in enumerate(drawn):
        colour = _colour(place, len(drawn))
        width = 360 * verb.shown / shown
        arc = _Arc(_HOLE, _MIDDLE, at, width)
        _wedge(axes, arc, colour)
        unlabelled += not _label(axes, verb.verb, arc, colour)
        begin = at
        for name, rows in verb.objects.items():
            part = 360 * rows / shown
            _wedge(axes, _Arc(_MIDDLE, _EDGE, begin, part), _tinted(colour))
            unlabelled += not _label(axes, name, _Arc(_EDGE, 1.0, begin, part), PAPER)
            begin -= part
        at -= width
    axes.text(
        0, 0, f"{percent(found.share_of_pairs)}\nof {found.read:,} rows",
        ha="center", va="center", fontweight="bold",
    )  # fmt: skip
    told = covered(found).replace(". ", ".\n")
    if unlabelled:
        told += f"\n{unlabelled} narrow parts have no label."
    figure.supxlabel(told, fontsize="medium")
    return figure


def covered(found: VerbDiversity) -> str:
    """Which share of the rows the figure shows, in words."""
    return (
        f"The {len(found.top)} most frequent root verbs have {percent(found.share_of_verbs)} of "
        f"the rows. Their pairs with up to four objects, drawn here, have "
        f"{percent(found.share_of_pairs)}."
    )


def _wedge(axes: "Axes", arc: _Arc, colour: str) -> None:
    from matplotlib.patches import Wedge

    axes.add_patch(
        Wedge((0, 0), arc.outer, arc.begin - arc.width, arc.begin, width=arc.outer - arc.inner,
              facecolor=colour, edgecolor=PAPER, linewidth=1.2)
    )  # fmt: skip


def _label(axes: "Axes", text: str, arc: _Arc, colour: str) -> bool:
    """Write along the radius, if the arc is as long as a line is high. Returns whether it is."""
    inside = arc.outer < 1.0
    radius = (arc.inner + arc.outer) / 2 if inside else arc.inner + 0.012
    if math.radians(arc.width) * radius < _LINE:
        return False
    angle = (arc.begin - arc.width / 2) % 360
    left = 90 < angle < 270  # noqa: PLR2004  # the left half, where text would stand on its head
    side = "center" if inside else ("right" if left else "left")
    axes.text(
        radius * math.cos(math.radians(angle)), radius * math.sin(math.radians(angle)), text,
        rotation=angle - 180 if left else angle, rotation_mode="anchor", ha=side, va="center",
        color=max(INK, PAPER, key=lambda ink: _contrast(ink, colour)), in_layout=False,
    )  # fmt: skip
    return True


def _tinted(colour: str) -> str:
    parts = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(part + (255 - part) * _TINT):02x}" for part in parts)


def _colour(place: int, count: int) -> str:
    """The colour of a verb: neighbours differ, also where the circle closes."""
    colours = COLOURS[:-1]  # black would hide the edges
    closes = place == count - 1 and place % len(colours) == 0
    return colours[2 if closes and place else place % len(colours)]


def _contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, as WCAG 2.2 defines it."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    """The relative luminance of a colour, as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
