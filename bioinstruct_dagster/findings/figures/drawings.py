"""A short drawing of differences with their intervals, for the pages of Dagster's UI.

The UI shows Markdown of fewer than 1,000 characters directly, the drawing included. Belongs here:
that drawing. Does not: the figures in files (figures.heat_map, figures.scaling).
"""

import base64
from collections.abc import Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

INLINE_CHARACTERS = 1000  # Dagster shows shorter Markdown directly
# Pixels: of the labels, of the intervals, of a line, and above the lines.
_LEFT, _WIDE, _ROW, _HEAD = 250, 220, 20, 34
_INK, _LINE = "#888", "#4f7cac"  # can be read on light and dark backgrounds
_MOST_LETTERS = 30


class Line(NamedTuple):
    """One line of the drawing; a difference of 0 stands on the axis."""

    label: str
    value: float
    low: float | None
    high: float | None


def with_forest(text: str, title: str, lines: Sequence[Line]) -> str:
    """A text, and below it a drawing of as many of the lines as the UI shows directly.

    Args:
        text: Markdown.
        title: of the drawing, with the unit.
        lines: the most important first.
    """
    for count in range(len(lines), 0, -1):
        found = f"{text}\n\n{_forest(title, lines[:count])}"
        if len(found) < INLINE_CHARACTERS:
            return found
    return text


def _forest(title: str, lines: Sequence[Line]) -> str:
    ends = [0.0]
    for one in lines:
        ends += [end for end in (one.value, one.low, one.high) if end is not None]
    low, high = min(ends), max(ends)

    def at(value: float) -> int:
        return _LEFT + round(_WIDE * (value - low) / ((high - low) or 1.0))

    texts, bars, dots = "", "", ""
    for place, one in enumerate(lines):
        y = _HEAD + _ROW * place
        texts += f"<text y='{y + 4}'>{escape(one.label[:_MOST_LETTERS])}</text>"
        if one.low is not None and one.high is not None:
            bars += f"M{at(one.low)} {y}H{at(one.high)}"
        dots += f"M{at(one.value)} {y - 5}v10"
    height = _HEAD + _ROW * len(lines)
    scale = f"{low:.2g} to {high:.2g}"
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{_LEFT + _WIDE + 20}' height='{height}'>"
        f"<g font-family='sans-serif' font-size='13' fill='{_INK}'>"
        f"<text y='13'>{escape(title)}, {scale}</text>{texts}</g>"
        f"<path d='M{at(0)} 20V{height}' stroke='{_INK}'/>"
        f"<path d='{bars}' stroke='{_LINE}' stroke-width='2'/>"
        f"<path d='{dots}' stroke='{_LINE}' stroke-width='5'/></svg>"
    )
    return f"![{title}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})"
