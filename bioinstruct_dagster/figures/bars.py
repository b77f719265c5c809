"""Horizontal bars with names, counts and shares.

Belongs here: one bar a name, drawn to scale. Does not: the sheet (sheet).
"""

from collections.abc import Mapping

from bioinstruct_dagster.figures.sheet import BLUE, SEEN, Drawing, label, sheet
from bioinstruct_dagster.figures.values import percent

_TOP, _ROW, _LEFT = 42, 22, 222  # the bars begin right of the names
_LONGEST = SEEN - _LEFT - 24
_NAME = 24


def bars(
    title: str,
    counts: Mapping[str, int],
    unit: str,
    of: int | Mapping[str, int] | None = None,
) -> Drawing:
    """A drawing of one bar for each name, in the given order.

    If not all fit, the last ones are drawn together as "other".

    Args:
        title: above the bars.
        counts: by name.
        unit: of the counts, such as rows.
        of: the total that shares are shown of; by default the sum. 0 shows no shares. Totals by
            name are written beside the counts in their place, such as "3 of 20".
    """
    total = sum(counts.values()) if of is None else of

    def drawing(room: int) -> str:
        for most in range(len(counts), 0, -1):
            totals = total if isinstance(total, int) else _merged(total, most)
            drawn = _drawn(title, _merged(counts, most), unit, totals)
            if len(drawn) <= room:
                return drawn
        return ""

    return drawing


def _merged(counts: Mapping[str, int], most: int) -> dict[str, int]:
    items = list(counts.items())
    if len(items) <= most:
        return dict(items)
    rest = items[most - 1 :]
    return dict(items[: most - 1]) | {f"{len(rest)} others": sum(n for _, n in rest)}


def _drawn(title: str, counts: Mapping[str, int], unit: str, total: int | Mapping[str, int]) -> str:
    top = max(counts.values(), default=0) or 1
    path, texts = "", ""
    for i, (name, n) in enumerate(counts.items()):
        y = _TOP + i * _ROW
        path += f"M{_LEFT} {y - 4}h{max(1 if n else 0, round(_LONGEST * n / top))}"
        share = f" ({percent(n / total)})" if total and isinstance(total, int) else ""
        if not isinstance(total, int):
            share = f" of {total[name]:,}"
        texts += label(f"{name[:_NAME].replace('_', ' ')} {n:,}{share}", y=y)
    bottom = _TOP + len(counts) * _ROW - 12
    return sheet(
        f"{title} ({unit})",
        f"{texts}<path d='{path}' stroke='{BLUE}' stroke-width='15'/>"
        f"<path d='M{_LEFT} 28V{bottom}h{_LONGEST}' fill='none' stroke='gray'/>"
        + label("0", x=_LEFT - 4, y=bottom + 16)
        + label(f"{top:,}", x=_LEFT + _LONGEST - 12, y=bottom + 16),
        bottom + 26,
    )
