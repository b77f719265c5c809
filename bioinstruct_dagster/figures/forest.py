"""Scores with their intervals, one row a task: a forest plot.

Belongs here: the differences that fit into a summary, and the whole plot with base model, adapter
and difference. Does not: the sheet (sheet), or the scores (evaluation.scoring).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from bioinstruct_dagster.figures.sheet import BLUE, ORANGE, SEEN, Drawing, label, sheet
from bioinstruct_dagster.figures.values import interval, percent, signed

_TOP, _ROW, _NAME, _LONG_NAME, _MOST_ROWS = 42, 22, 10, 20, 7
_LEFT = 234
_WIDE = SEEN - _LEFT - 24
_WHOLE_WIDTH, _WHOLE_ROW = 760, 34
_SCORES, _DIFFERENCES, _PANEL = 232, 496, 236  # left edges of the two panels, and their width


class PlottedScore(NamedTuple):
    """A score with the ends of its 95 % confidence interval, which may be unknown."""

    value: float
    low: float | None
    high: float | None

    @property
    def ends(self) -> tuple[float, float]:
        """The interval; without one, the value twice."""
        if self.low is None or self.high is None:
            return self.value, self.value
        return self.low, self.high


class ForestRow(NamedTuple):
    """A task: its name with the metric, and the estimate of each subject that was scored."""

    name: str
    subjects: Mapping[str, PlottedScore]  # base | adapter | difference


def differences(title: str, rows: Mapping[str, PlottedScore], things: str = "tasks") -> Drawing:
    """A drawing of differences with their intervals, around a line at zero.

    If not all fit, the intervals are not written beside the names. If that is not enough, those
    are drawn whose interval lies furthest from zero.

    Args:
        title: above the rows, such as "Adapter minus base".
        rows: by name.
        things: what the rows are, for a drawing that shows only some of them.
    """

    def drawing(room: int) -> str:
        furthest = sorted(rows.items(), key=lambda row: -_distance(row[1]))
        for most in range(min(len(rows), _MOST_ROWS), 0, -1):
            chosen = {name for name, _ in furthest[:most]}
            shown = {name: row for name, row in rows.items() if name in chosen}
            named = title if most == len(rows) else f"{title} ({most} of {len(rows)} {things})"
            for with_intervals in (True, False):
                drawn = _differences(named, shown, with_intervals=with_intervals)
                if len(drawn) <= room:
                    return drawn
        return ""

    return drawing


def _distance(one: PlottedScore) -> float:
    """How far the value lies from zero, in half widths of its interval."""
    low, high = one.ends
    return abs(one.value) / ((high - low) / 2) if high > low else 0.0


def _differences(title: str, rows: Mapping[str, PlottedScore], *, with_intervals: bool) -> str:
    reach = max((abs(end) for one in rows.values() for end in one.ends), default=0.0) or 1.0

    def x(value: float) -> int:
        return _LEFT + round(_WIDE * (value + reach) / (2 * reach))

    def told(one: PlottedScore) -> str:
        return signed(one.value, 2) + (interval(one.low, one.high, 2) if with_intervals else "")

    bottom = _TOP + len(rows) * _ROW - 12
    axis = f"<path d='M{x(0)} 28V{bottom}' stroke='gray'/>"
    return sheet(
        title,
        _rows_drawn(rows, _NAME if with_intervals else _LONG_NAME, told, axis, x)
        + label(signed(-reach, 2), x=_LEFT - 14, y=bottom + 16)
        + label("0", x=x(0) - 4, y=bottom + 16)
        + label(signed(reach, 2), x=_LEFT + _WIDE - 22, y=bottom + 16),
        bottom + 26,
    )


def shares(title: str, rows: Mapping[str, PlottedScore]) -> Drawing:
    """A drawing of shares with their intervals, from 0 to 100 %.

    If not all fit, the first ones are drawn.

    Args:
        title: above the rows.
        rows: shares from 0 to 1 by name.
    """

    def drawing(room: int) -> str:
        for most in range(min(len(rows), _MOST_ROWS), 0, -1):
            drawn = _shares(title, dict(list(rows.items())[:most]))
            if len(drawn) <= room:
                return drawn
        return ""

    return drawing


def _shares(title: str, rows: Mapping[str, PlottedScore]) -> str:
    def x(share: float) -> int:
        return _LEFT + round(_WIDE * share)

    def told(one: PlottedScore) -> str:
        return percent(one.value)

    bottom = _TOP + len(rows) * _ROW - 12
    axes = f"<path d='M{_LEFT} 28V{bottom}h{_WIDE}' fill='none' stroke='gray'/>"
    return sheet(
        title,
        _rows_drawn(rows, _LONG_NAME, told, axes, x)
        + label("0", x=_LEFT - 4, y=bottom + 16)
        + label(percent(1).replace(".0", ""), x=_LEFT + _WIDE - 32, y=bottom + 16),
        bottom + 26,
    )


def _rows_drawn(
    rows: Mapping[str, PlottedScore],
    most: int,
    told: Callable[[PlottedScore], str],
    axes: str,
    x: Callable[[float], int],
) -> str:
    """Below each other the rows: the name with the value, and the interval with a dot, over axes.

    Args:
        rows: by name.
        most: characters of a name.
        told: the value in words.
        axes: elements that the intervals are drawn over.
        x: the place of a value.
    """
    texts = lines = dots = ""
    for i, (name, one) in enumerate(rows.items()):
        y = _TOP + i * _ROW
        low, high = one.ends
        short = name if len(name) <= most else f"{name[: most - 1]}…"
        texts += label(f"{short} {told(one)}", y=y)
        lines += f"M{x(low)} {y - 4}H{x(high)}"
        dots += f"M{x(one.value)} {y - 4}h0"
    return (
        f"{texts}{axes}<g stroke='{BLUE}'><path d='{lines}' stroke-width='2'/>"
        f"<path d='{dots}' stroke-width='9' stroke-linecap='round'/></g>"
    )


def forest(title: str, rows: Sequence[ForestRow]) -> str:
    """A forest plot of base model, adapter and difference, too long to be shown in place.

    Args:
        title: above the plot.
        rows: the tasks, with scores between 0 and 1.
    """
    known = [r.subjects["difference"] for r in rows if "difference" in r.subjects]
    reach = max((abs(end) for one in known for end in one.ends), default=0.0) or 1.0
    body = (
        label("score: base (open), adapter (full)", x=_SCORES, y=40)
        + label("adapter minus base", x=_DIFFERENCES, y=40)
        + _rule(_SCORES, len(rows))
        + _rule(_DIFFERENCES + _PANEL // 2, len(rows))
    )
    for i, row in enumerate(rows):
        y = 64 + i * _WHOLE_ROW
        body += label(row.name, y=y + 4)
        for subject, one in row.subjects.items():
            if subject == "difference":
                low, middle, high = (
                    _DIFFERENCES + round(_PANEL * (value + reach) / (2 * reach))
                    for value in (one.ends[0], one.value, one.ends[1])
                )
                body += _mark(low, middle, high, y, "black", filled=True)
                continue
            adapter = subject == "adapter"
            low, middle, high = (
                _SCORES + round(_PANEL * min(1.0, max(0.0, value)))
                for value in (one.ends[0], one.value, one.ends[1])
            )
            colour = BLUE if adapter else ORANGE
            body += _mark(low, middle, high, y + (6 if adapter else -6), colour, filled=adapter)
    bottom = 64 + len(rows) * _WHOLE_ROW
    body += "".join(
        label(text, x=place, y=bottom)
        for text, place in (
            ("0", _SCORES - 4),
            ("1", _SCORES + _PANEL - 4),
            (signed(-reach, 2), _DIFFERENCES),
            ("0", _DIFFERENCES + _PANEL // 2 - 4),
            (signed(reach, 2), _DIFFERENCES + _PANEL - 30),
        )
    )
    return sheet(title, body, bottom + 14, _WHOLE_WIDTH)


def _rule(x: int, rows: int) -> str:
    return f"<path d='M{x} 48v{rows * _WHOLE_ROW}' stroke='gray'/>"


def _mark(low: int, middle: int, high: int, y: int, colour: str, *, filled: bool) -> str:
    fill = colour if filled else "white"
    return (
        f"<path d='M{low} {y}H{high}' stroke='{colour}' stroke-width='2'/>"
        f"<circle cx='{middle}' cy='{y}' r='4' stroke='{colour}' stroke-width='2' fill='{fill}'/>"
    )
