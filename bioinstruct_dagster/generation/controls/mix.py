"""The mix of the kept rows: requested shares and reached shares beside their targets.

Belongs here: the table by dimension and value that an asset check shows. Does not: which values one
row shows (measuring), or which values are requested (drawing).
"""

from collections.abc import Iterable
from statistics import fmean as mean
from typing import Any

from bioinstruct_dagster.generation.controls.file import Controls
from bioinstruct_dagster.generation.controls.measuring import MeasuredRow


def mix(controls: Controls, rows: Iterable[MeasuredRow]) -> list[dict[str, Any]]:
    """A line for each dimension and value of the controls.

    Returns:
        Each line holds `dimension`, `value` and:
        target: the value's target share.
        asked: its share among rows with a requested value.
        achieved: its share among all rows; a row counts in equal parts for the values it shows.
        n: how many rows show the value.
        agreement: of the rows of which the value was requested, the share that shows it.
        dimension_agreement: the same share over all values of the dimension. Both are None if no
            measurable value was requested.
    """
    measured = [(controls.measure(row, asked), asked or {}) for row, asked in rows]
    table: list[dict[str, Any]] = []
    for one in controls.dimensions:
        pairs = [(found[one.id], asked.get(one.id, "")) for found, asked in measured]
        wanted = [value for _, value in pairs if value in one.shares]
        agrees = [(v, v in found) for found, v in pairs if v in one.shares and one.is_measurable(v)]
        for value, share in one.shares.items():
            shown = [len(found) for found, _ in pairs if value in found]
            own = [agreed for asked, agreed in agrees if asked == value]
            table.append(
                {
                    "dimension": one.id,
                    "value": value,
                    "target": share,
                    "asked": wanted.count(value) / len(wanted) if wanted else None,
                    "achieved": sum(1 / n for n in shown) / max(len(pairs), 1),
                    "n": len(shown),
                    "agreement": mean(own) if own else None,
                    "dimension_agreement": mean(agreed for _, agreed in agrees) if agrees else None,
                }
            )
    return table
