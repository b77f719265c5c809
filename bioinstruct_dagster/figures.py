"""Figures for the UI: small SVG drawings as Markdown images.

Dagster shows Markdown of fewer than 1,000 characters directly and hides longer text behind a
button. So a drawing has to be short: one path for all bars, short attributes, and few colours, all
of which can be read on light and dark backgrounds. The SVG is written by hand, because a plotting
library writes longer drawings and every install would need it.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

INLINE_CHARACTERS = 1000
_BAR = "#4f7cac"
_SECOND = "#c4722f"
_INK = "#888"
_CURVE_POINTS = 40


def bars(title: str, counts: Mapping[str, int]) -> str:
    """A drawing of horizontal bars with their names and counts, in the given order."""
    row, label, width = 15, 132, 120
    top = max(counts.values(), default=0) or 1
    path = "".join(
        f"M{label} {row * i + 9}h{max(1, round(width * n / top))}"
        for i, n in enumerate(counts.values())
    )
    text = "".join(
        f"<text y='{row * i + 13}'>{escape(name[:22])} {n}</text>"
        for i, (name, n) in enumerate(counts.items())
    )
    return _image(
        title,
        label + width,
        row * len(counts) + 4,
        f"<g font-family='sans-serif' font-size='10' fill='{_INK}'>{text}</g>"
        f"<path d='{path}' stroke='{_BAR}' stroke-width='10'/>",
    )


def curve(title: str, values: Sequence[float], marks: Sequence[tuple[float, float]] = ()) -> str:
    """A drawing of a line over the values, labelled with its highest and its lowest point.

    Args:
        title: the text that stands for the drawing where it can't be shown.
        values: equally spaced.
        marks: points of a second line, each with its place on the first one (0 for the beginning,
            1 for the end) and its value.
    """
    if not values:
        return "no values"
    points = _thinned(list(values), _CURVE_POINTS)
    second = _thinned(list(marks), _CURVE_POINTS // 2, joined=False)
    shown = [*points, *(value for _, value in second)]
    low, high = min(shown), max(shown)
    span = (high - low) or 1.0
    step = 200 / max(1, len(points) - 1)

    def line(places: Iterable[tuple[float, float]]) -> str:
        return " ".join(f"{30 + x:.0f},{75 - 65 * (v - low) / span:.0f}" for x, v in places)

    lines = f"<polyline points='{line((i * step, v) for i, v in enumerate(points))}'/>"
    if second:
        places = line((200 * x, v) for x, v in second)
        lines += f"<polyline points='{places}' stroke='{_SECOND}' stroke-dasharray='4 2'/>"
    return _image(
        title,
        235,
        85,
        f"<g font-family='sans-serif' font-size='10' fill='{_INK}'>"
        f"<text y='14'>{high:.2f}</text><text y='78'>{low:.2f}</text></g>"
        f"<g fill='none' stroke='{_BAR}' stroke-width='2'>{lines}</g>",
    )


def _thinned(values: list[Any], most: int, *, joined: bool = True) -> list[Any]:
    """At most `most` values: the means of neighbours if `joined`, else some of them."""
    stride = max(1, -(-len(values) // most))
    groups = [values[i : i + stride] for i in range(0, len(values), stride)]
    return [sum(group) / len(group) if joined else group[-1] for group in groups]


def _image(title: str, width: int, height: int, body: str) -> str:
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}'>{body}</svg>"
    encoded = base64.b64encode(svg.encode()).decode()
    return f"![{title}](data:image/svg+xml;base64,{encoded})"
