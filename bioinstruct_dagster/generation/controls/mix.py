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
    measured = [(controls.measure(row, requested), requested or {}) for row, requested in rows]
    table: list[dict[str, Any]] = []
    for dimension in controls.dimensions:
        shares = dimension.shares
        pairs = [
            (shown[dimension.id], requested.get(dimension.id, "")) for shown, requested in measured
        ]
        requests = [value for _, value in pairs if value in shares]
        agreements = [
            (value, value in shown)
            for shown, value in pairs
            if value in shares and dimension.is_measurable(value)
        ]
        for value, share in shares.items():
            sizes = [len(shown) for shown, _ in pairs if value in shown]
            own = [agrees for requested, agrees in agreements if requested == value]
            table.append(
                {
                    "dimension": dimension.id,
                    "value": value,
                    "target": share,
                    "asked": requests.count(value) / len(requests) if requests else None,
                    "achieved": sum(1 / size for size in sizes) / max(len(pairs), 1),
                    "n": len(sizes),
                    "agreement": mean(own) if own else None,
                    "dimension_agreement": mean(agrees for _, agrees in agreements)
                    if agreements
                    else None,
                }
            )
    return table
