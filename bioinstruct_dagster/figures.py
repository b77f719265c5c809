"""Figures for the UI: small SVG drawings as Markdown images.

Dagster shows Markdown of fewer than 1,000 characters directly and hides longer text behind a
button. So a drawing has to be short: one path for all bars, short attributes, and few colours, all
of which can be read on light and dark backgrounds. The SVG is written by hand, because a plotting
library writes longer drawings and every install would need it.
"""

import base64
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape

INLINE_CHARACTERS = 1000
_BAR = "#4f7cac"
_SECOND = "#c4722f"
_INK = "#888"
_CURVE_POINTS = 18
_LEFT, _TOP, _WIDE, _HIGH = 44, 28, 400, 140  # of the area with the lines


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


def loss_curve(
    losses: Sequence[float], validation: Sequence[tuple[float, float]], updates: int
) -> str:
    """A drawing of the training loss and of the validation loss (dashed) by update.

    The legend gives the first and the last value of each line.

    Args:
        losses: of training, in nats per response token, equally spaced from the first to the last
            update.
        validation: (update, loss) of each validation, in the same unit.
        updates: the number of all updates.
    """
    if not losses:
        return "no values"
    step = max(1, updates - 1) / max(1, len(losses) - 1)
    training = _thinned([(1 + i * step, loss) for i, loss in enumerate(losses)], _CURVE_POINTS)
    second = _thinned(list(validation), _CURVE_POINTS // 2)
    shown = [loss for _, loss in (*training, *second)]
    low, high = min(shown), max(shown)

    def path(points: Sequence[tuple[float, float]]) -> str:
        places = [
            (
                _LEFT + round(_WIDE * min(1.0, (update - 1) / max(1, updates - 1))),
                _TOP + round(_HIGH * (high - loss) / ((high - low) or 1.0)),
            )
            for update, loss in points
        ]
        # Steps from point to point are shorter than places.
        steps = [f"{x - u} {y - v}" for (u, v), (x, y) in pairwise(places)]
        return f"M{places[0][0]} {places[0][1]}l{' '.join(steps or ['0 0'])}".replace(" -", "-")

    def ends(name: str, values: Sequence[float]) -> str:
        return f"{name} {_short(values[0])} to {_short(values[-1])}"

    lines = f"<path d='{path(training)}' stroke='{_BAR}'/>"
    legend = f"<text x='{_LEFT}' y='12' fill='{_BAR}'>{ends('training', losses)}</text>"
    if second:
        lines += f"<path d='{path(second)}' stroke='{_SECOND}' stroke-dasharray='4'/>"
        named = ends("validation (dashed)", [loss for _, loss in validation])
        legend += f"<text x='210' y='12' fill='{_SECOND}'>{named}</text>"
    bottom = _TOP + _HIGH
    return _image(
        "Loss",
        _LEFT + _WIDE + 9,
        bottom + 34,
        f"<g font-family='sans-serif' font-size='12' fill='{_INK}'>{legend}"
        f"<text y='{_TOP + 5}'>{_short(high)}</text><text y='{bottom}'>{_short(low)}</text>"
        f"<text x='{_LEFT}' y='{bottom + 28}'>nats per response token, by update 1 to {updates}"
        "</text></g>"
        f"<g fill='none' stroke-width='2'>{lines}"
        f"<path d='M{_LEFT - 4} {_TOP}v{_HIGH + 8}h{_WIDE + 8}' stroke='{_INK}'/></g>",
    )


def _short(loss: float) -> str:
    return f"{loss:.3g}"


def _thinned(values: list[Any], most: int) -> list[Any]:
    """At most `most` of the values, the first and the last among them."""
    if len(values) <= most:
        return values
    last = len(values) - 1
    return [values[round(i * last / (most - 1))] for i in range(most)]


def _image(title: str, width: int, height: int, body: str) -> str:
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}'>{body}</svg>"
    encoded = base64.b64encode(svg.encode()).decode()
    return f"![{title}](data:image/svg+xml;base64,{encoded})"
