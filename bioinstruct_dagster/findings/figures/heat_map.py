"""A table of numbers whose cells are coloured by how much better or worse a score became.

A gain and a loss differ in colour, in their sign, and in hatching, so that the figure can be read
in grey. Belongs here: drawing. Does not: which numbers it shows (findings.figures.leaderboard,
findings.figures.ablation).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from bioinstruct_dagster.plots.canvas import GRID, INK, TEXT_PIXELS, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GAIN, LOSS, NEUTRAL = (0, 114, 178), (213, 94, 0), (255, 255, 255)  # two colours of Okabe and Ito
_ROW, _COLUMN, _LETTER = 58, 150, 7.4  # CSS pixels: of a row, of a column, of a letter
_MUTED = "#6b6b6b"  # grey, with a contrast of 5.3 to white
_DARK = 140  # luminance below which text is white
_POINTS = 72 / 96


class Cell(NamedTuple):
    """One cell.

    Attributes:
        shade: from -1, much worse, to 1, much better; None for a cell without colour.
        lines: its text; the first line is the number.
        outlined: whether it gets a frame, such as that of the best in its column.
        muted: whether its text is grey, as of a difference that is not certain.
    """

    shade: float | None
    lines: Sequence[str]
    outlined: bool = False
    muted: bool = False


EMPTY = Cell(None, ())


def heat_map(
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Sequence[Sequence[Cell]],
    *,
    notes: Sequence[str] = (),
    watermark: str = "",
) -> "Figure":
    """A heat map.

    Args:
        title: of the figure.
        rows: their names.
        columns: their names; a line break is kept.
        cells: for each row, one for each column.
        notes: lines below, that say how to read it.
        watermark: a word across the figure, such as `rehearsal`.
    """
    from matplotlib.patches import Rectangle

    of_names = (
        int(_LETTER * max((len(part) for name in rows for part in name.split("\n")), default=0))
        + 24
    )
    head = 18 * (1 + max((name.count("\n") for name in columns), default=0)) + 42
    below = 20 * len(notes) + 16
    width = max(560, of_names + _COLUMN * max(1, len(columns)) + 20)
    height = head + _ROW * max(1, len(rows)) + below
    figure, axes = new_figure(width, height)
    figure.set_layout_engine("none")
    axes.set_position(
        (of_names / width, below / height, 1 - (of_names + 16) / width, 1 - (head + below) / height)
    )
    small = TEXT_PIXELS * _POINTS * 0.92
    for top, line in enumerate(cells):
        for left, cell in enumerate(line):
            back = _colour(cell.shade)
            worse = cell.shade is not None and cell.shade < 0
            axes.add_patch(
                Rectangle(
                    (left, top), 1, 1, facecolor=_hex(back), edgecolor=GRID,
                    hatch="//" if worse else None, linewidth=0.8,
                )
            )  # fmt: skip
            if cell.outlined:
                axes.add_patch(
                    Rectangle(
                        (left + 0.02, top + 0.04), 0.96, 0.92, fill=False, edgecolor=INK,
                        linewidth=2.2,
                    )
                )  # fmt: skip
            ink = "#ffffff" if _luminance(back) < _DARK else _MUTED if cell.muted else INK
            step = 0.9 / max(3, len(cell.lines))
            middle = top + 0.5 - step * (len(cell.lines) - 1) / 2
            for place, text in enumerate(cell.lines):
                axes.text(
                    left + 0.5, middle + step * place, text, ha="center", va="center", color=ink,
                    fontsize=small, fontweight="bold" if place == 0 else "normal",
                    bbox={"facecolor": _hex(back), "edgecolor": "none", "pad": 0.8}
                    if worse else None,
                )  # fmt: skip
    axes.set_xlim(0, max(1, len(columns)))
    axes.set_ylim(max(1, len(rows)), 0)
    axes.set_xticks([place + 0.5 for place in range(len(columns))], columns)
    axes.set_yticks([place + 0.5 for place in range(len(rows))], rows)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    figure.text(0.01, 1 - 8 / height, title, ha="left", va="top", fontweight="bold",
                fontsize=TEXT_PIXELS * _POINTS * 1.15)  # fmt: skip
    for place, note in enumerate(notes):
        down = (below - 6 - 20 * place) / height
        figure.text(0.01, down, note, ha="left", va="top", fontsize=small)
    mark(figure, watermark)
    return figure


def mark(figure: "Figure", word: str) -> None:
    """Write a word across a figure, so that no copy of it loses the word."""
    if word:
        figure.text(
            0.5, 0.5, word.upper(), ha="center", va="center", rotation=18, fontsize=54, alpha=0.16,
            color=INK, fontweight="bold", zorder=10,
        )  # fmt: skip


def _colour(shade: float | None) -> tuple[int, int, int]:
    if shade is None:
        return NEUTRAL
    strong = min(1.0, abs(shade))
    end = GAIN if shade > 0 else LOSS
    red, green, blue = (
        round(plain + (full - plain) * strong) for plain, full in zip(NEUTRAL, end, strict=True)
    )
    return red, green, blue


def _luminance(colour: tuple[int, int, int]) -> float:
    """How light a colour looks, from 0 to 255 (Rec. 601)."""
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
