"""The loss of a training run: of training, and of validation.

Belongs here: both lines, drawn to scale. Does not: the sheet (sheet), or training itself
(training.loop).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from bioinstruct_dagster.figures.sheet import BLUE, ORANGE, SEEN, Drawing, label, sheet
from bioinstruct_dagster.figures.values import significant

_MOST_POINTS, _FEWEST_POINTS = 24, 2
_LEFT, _TOP, _HIGH = 44, 48, 92  # of the area with the lines
_WIDE = SEEN - _LEFT - 24

_Points = Sequence[tuple[float, float]]


def loss_curve(losses: Sequence[float], validation: _Points, updates: int) -> Drawing:
    """A drawing of the training loss and of the validation loss (dashed) by update.

    The legend gives the first and the last value of each line. The less room there is, the fewer
    points the lines have.

    Args:
        losses: of training, in nats per response token, equally spaced from the first to the last
            update.
        validation: (update, loss) of each validation, in the same unit.
        updates: the number of all updates.
    """

    def drawing(room: int) -> str:
        for most in range(_MOST_POINTS if losses else 0, _FEWEST_POINTS - 1, -1):
            drawn = _drawn(losses, validation, updates, most)
            if len(drawn) <= room:
                return drawn
        return ""

    return drawing


def _drawn(losses: Sequence[float], validation: _Points, updates: int, most: int) -> str:
    step = max(1, updates - 1) / max(1, len(losses) - 1)
    training = _thinned([(1 + i * step, loss) for i, loss in enumerate(losses)], most)
    second = _thinned(list(validation), max(_FEWEST_POINTS, most // 2))
    shown = [loss for _, loss in (*training, *second)]
    low, high = min(shown), max(shown)

    def path(points: _Points) -> str:
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

    lines = f"<path d='{path(training)}' stroke='{BLUE}'/>"
    legend = label(_ends("training", losses), x=_LEFT, y=36, style=f" fill='{BLUE}'")
    if second:
        lines += f"<path d='{path(second)}' stroke='{ORANGE}' stroke-dasharray='4'/>"
        named = _ends("validation (dashed)", [loss for _, loss in validation])
        legend += label(named, x=196, y=36, style=f" fill='{ORANGE}'")
    bottom = _TOP + _HIGH
    return sheet(
        "Loss (nats per response token)",
        f"{legend}{label(significant(high), y=_TOP + 5)}{label(significant(low), y=bottom)}"
        f"{label(f'update 1 to {updates:,}', x=_LEFT, y=bottom + 24)}"
        f"<g fill='none' stroke-width='2'>{lines}"
        f"<path d='M{_LEFT - 4} {_TOP}v{_HIGH + 8}h{_WIDE + 8}' stroke='gray'/></g>",
        bottom + 34,
    )


def _ends(name: str, values: Sequence[float]) -> str:
    return f"{name} {significant(values[0])} to {significant(values[-1])}"


def _thinned(values: list[Any], most: int) -> list[Any]:
    """At most `most` of the values, the first and the last among them."""
    if len(values) <= most:
        return values
    last = len(values) - 1
    return [values[round(i * last / (most - 1))] for i in range(most)]
