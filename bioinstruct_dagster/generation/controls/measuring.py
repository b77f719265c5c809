"""Measuring: which values of the controls a row shows, and how rows compare with the targets.

Belongs here: what a sign means, looking for all of them at once, and counts of what was found. Does
not: what is asked for (drawing), or which rows are kept.
"""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean as mean
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.signs import SignIndex

if TYPE_CHECKING:
    from bioinstruct_dagster.generation.controls.file import ControlDimension, Controls


RequestedValues = Mapping[str, str]  # value by dimension
MeasuredRow = tuple[Mapping[str, str], RequestedValues | None]  # a row and what was asked of it


class ControlMeasure:
    """Looks for the signs of one controls file."""

    def __init__(self, dimensions: Sequence["ControlDimension"]) -> None:
        self._dimensions = dimensions
        signs: dict[tuple[str, ...], list[tuple[tuple[str, str], str]]] = {}
        for one in dimensions:
            own = [((one.id, value.id), sign) for value in one.values for sign in value.signs]
            if own:
                signs.setdefault(one.fields, []).extend(own)
        self._signs = {fields: SignIndex(own) for fields, own in signs.items()}

    def measure(self, row: Mapping[str, str], asked: RequestedValues | None) -> dict[str, set[str]]:
        """By dimension the values that a row shows; an empty set where nothing is recognised.

        A value that no row can show is taken from what was asked.
        """
        found: dict[str, set[str]] = {one.id: set() for one in self._dimensions}
        for fields, signs in self._signs.items():
            for dimension, value in signs.shown("\n".join([row[name] for name in fields])):
                found[dimension].add(value)
        length = len(row["input"].split())
        for one in self._dimensions:
            if one.measure == "input_words":
                fits = (v.id for v in one.values if v.words and v.words[0] <= length <= v.words[1])
                found[one.id].update(fits)
            wanted = (asked or {}).get(one.id, "")
            if wanted in one.by_id and not one.measurable(wanted):
                found[one.id].add(wanted)
        return found

    def count(self, rows: Iterable[MeasuredRow]) -> dict[str, dict[str, float]]:
        """The pool that rows make: each counts once in each dimension.

        It counts for the value asked for where it shows that or nothing, else in equal parts for
        the values that it shows.
        """
        pool = {one.id: dict.fromkeys(one.shares, 0.0) for one in self._dimensions}
        for row, asked in rows:
            for dimension, found in self.measure(row, asked).items():
                wanted = (asked or {}).get(dimension, "")
                counts = wanted in pool[dimension] and (wanted in found or not found)
                for value in {wanted} if counts else found:
                    pool[dimension][value] += 1 if counts else 1 / len(found)
        return pool


def mix(controls: "Controls", rows: Iterable[MeasuredRow]) -> list[dict[str, Any]]:
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
