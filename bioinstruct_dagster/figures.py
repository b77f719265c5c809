"""Figures for the UI: small SVG drawings as Markdown images.

Dagster shows Markdown of fewer than 1,000 characters directly and hides longer text behind a
button. So a drawing has to be short: one path for all bars, short attributes, and two colours that
can be read on light and dark backgrounds. The SVG is written by hand, because a plotting library
writes longer drawings and every install would need it.
"""

import base64
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

INLINE_CHARACTERS = 1000
_BAR = "#4f7cac"
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


def curve(title: str, values: Sequence[float]) -> str:
    """A drawing of a line over the values, labelled with its highest and its lowest point."""
    if not values:
        return "no values"
    stride = max(1, -(-len(values) // _CURVE_POINTS))
    points = [
        sum(values[i : i + stride]) / len(values[i : i + stride])
        for i in range(0, len(values), stride)
    ]
    low, high = min(points), max(points)
    span = (high - low) or 1.0
    step = 200 / max(1, len(points) - 1)
    line = " ".join(
        f"{30 + i * step:.0f},{75 - 65 * (v - low) / span:.0f}" for i, v in enumerate(points)
    )
    return _image(
        title,
        235,
        85,
        f"<g font-family='sans-serif' font-size='10' fill='{_INK}'>"
        f"<text y='14'>{high:.2f}</text><text y='78'>{low:.2f}</text></g>"
        f"<polyline points='{line}' fill='none' stroke='{_BAR}' stroke-width='2'/>",
    )


def _image(title: str, width: int, height: int, body: str) -> str:
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}'>{body}</svg>"
    encoded = base64.b64encode(svg.encode()).decode()
    return f"![{title}](data:image/svg+xml;base64,{encoded})"
