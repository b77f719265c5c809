"""An empty figure in the project's style, and its PNG and SVG.

Belongs here: sizes, fonts, colours and files that all figures share. Does not: what a figure shows
(the package of its numbers), or the short drawings on the pages of Dagster's UI (figures).
"""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.sax.saxutils import escape

from bioinstruct_dagster.new_files import new_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Colours that colour-blind people can tell apart (Okabe and Ito, 2008), in an order in which their
# greys differ too. A figure must also differ by marker, line or hatch: see MARKERS and HATCHES.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
HATCHES = ("", "///", "...", "xxx", "|||", "+++", "ooo")
INK, GRID, PAPER = "#222222", "#d5d5d5", "#ffffff"  # a white sheet can be read in both themes
TEXT_PIXELS = 13
_PIXELS_PER_INCH = 96  # of CSS
_POINTS_PER_INCH = 72
_COLOURS_ON_PAGES = 64
_SCALE_OF_PNG = 2  # pixels of the file for each pixel on the page: sharp on fine screens


class SavedFigure(NamedTuple):
    """The files of one figure."""

    png: Path
    svg: Path


def new_figure(width: int = 720, height: int = 400) -> "tuple[Figure, Axes]":
    """An empty figure with one pair of axes, without any state outside the figure.

    Args:
        width: in CSS pixels; 480 at least.
        height: in CSS pixels.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with mpl.rc_context(_style()):
        figure = Figure(
            figsize=(width / _PIXELS_PER_INCH, height / _PIXELS_PER_INCH),
            dpi=_PIXELS_PER_INCH,
            layout="constrained",
        )
        FigureCanvasAgg(figure)
        return figure, figure.add_subplot()


def svg_text(figure: "Figure", description: str) -> str:
    """The figure as an SVG element for an HTML page; equal figures give equal texts.

    Args:
        figure: from `new_figure`.
        description: what the figure shows, in words, for a reader who cannot see it.
    """
    import matplotlib as mpl

    written = io.StringIO()
    with mpl.rc_context(_style()):
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    text = written.getvalue()
    element = text[text.index("<svg") :]
    told = f'<svg role="img" aria-label="{escape(description, {chr(34): "&quot;"})}"'
    return element.replace("<svg", told, 1)


def page_picture(figure: "Figure") -> bytes:
    """The figure as a PNG of few bytes, for an event of Dagster: a pixel for each CSS pixel."""
    from PIL import Image  # matplotlib needs it too

    picture, small = io.BytesIO(), io.BytesIO()
    figure.savefig(picture, format="png", metadata={"Software": None})
    # Few colours are enough for flat areas and text, and make the file a third as large.
    Image.open(picture).convert("RGB").quantize(_COLOURS_ON_PAGES).save(small, "png", optimize=True)
    return small.getvalue()


def save(figure: "Figure", folder: Path, name: str, description: str) -> SavedFigure:
    """Write a figure as PNG and SVG, each whole or not at all.

    Args:
        figure: from `new_figure`.
        folder: is made if it is missing.
        name: of both files, without an ending.
        description: what the figure shows, in words.
    """
    import matplotlib as mpl

    saved = SavedFigure(folder / f"{name}.png", folder / f"{name}.svg")
    picture = io.BytesIO()
    with mpl.rc_context(_style()):
        figure.savefig(
            picture,
            format="png",
            dpi=_PIXELS_PER_INCH * _SCALE_OF_PNG,
            metadata={"Software": None, "Description": description},
        )
    with new_file(saved.png) as path:
        path.write_bytes(picture.getvalue())
    with new_file(saved.svg) as path:
        path.write_text(svg_text(figure, description), "utf-8")
    return saved


def _style() -> Any:
    from cycler import cycler

    size = TEXT_PIXELS * _POINTS_PER_INCH / _PIXELS_PER_INCH
    return {
        "font.family": "DejaVu Sans",  # ships with matplotlib, so that machines draw alike
        "font.size": size,
        "axes.titlesize": size * 1.15,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.labelsize": size,
        "xtick.labelsize": size,
        "ytick.labelsize": size,
        "legend.fontsize": size,
        "legend.frameon": False,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
        "grid.color": GRID,
        "figure.facecolor": PAPER,
        "axes.facecolor": PAPER,
        "savefig.facecolor": PAPER,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": cycler(color=COLOURS),
        "svg.hashsalt": "bioinstruct",  # without it, each drawing has other ids
        "svg.fonttype": "path",
    }
