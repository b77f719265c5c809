"""The mix of the kept rows: the shares that were asked for and reached, against the targets.

Belongs here: the table of dimension and value that a check shows. Does not: which values one row
shows (measuring), or which are asked for (drawing).
"""

from collections.abc import Iterable
from statistics import fmean as mean
from typing import Any

from bioinstruct_dagster.generation.controls.file import Controls
from bioinstruct_dagster.generation.controls.measuring import MeasuredRow


def mix(controls: Controls, rows: Iterable[MeasuredRow]) -> list[dict[str, Any]]:
    """Targets against what was asked and what kept rows show, by dimension and value.

    `target`, `asked` (of rows with something asked) and `achieved` (of all rows; each counts once,
    in equal parts for the values it shows) are shares; `n` rows show the value at all. `agreement`
    is the share of rows asked for the value that show it, `dimension_agreement` the same over the
    dimension: None where nothing measurable was asked.
    """
    measured = [(controls.measure(row, asked), asked or {}) for row, asked in rows]
    table: list[dict[str, Any]] = []
    for one in controls.dimensions:
        pairs = [(found[one.id], asked.get(one.id, "")) for found, asked in measured]
        wanted = [value for _, value in pairs if value in one.shares]
        agrees = [(v, v in found) for found, v in pairs if v in one.shares and one.measurable(v)]
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
