"""Measuring: which values of the controls a row shows.

Belongs here: looking for the signs of all values at once, and counting the rows that show each
value. Does not: how a sign matches text (signs), how the counts compare with the targets (mix), or
which values are requested (drawing).
"""

from collections.abc import Iterable, Mapping, Sequence

from bioinstruct_dagster.generation.controls.dimensions import ControlDimension
from bioinstruct_dagster.signs import SignIndex

RequestedValues = Mapping[str, str]  # value by dimension
# A row and the values that were requested of it.
MeasuredRow = tuple[Mapping[str, str], RequestedValues | None]


class ControlMeasure:
    """Looks for the signs of one controls file."""

    def __init__(self, dimensions: Sequence[ControlDimension]) -> None:
        self._dimensions = dimensions
        signs: dict[tuple[str, ...], list[tuple[tuple[str, str], str]]] = {}
        for dimension in dimensions:
            own = [
                ((dimension.id, value.id), sign)
                for value in dimension.values
                for sign in value.signs
            ]
            if own:
                signs.setdefault(dimension.fields, []).extend(own)
        self._signs = {fields: SignIndex(own) for fields, own in signs.items()}

    def measure(
        self, row: Mapping[str, str], requested: RequestedValues | None
    ) -> dict[str, set[str]]:
        """The values that a row shows, by dimension; an empty set if it shows none.

        If a requested value cannot be measured, the row counts as showing it.
        """
        found: dict[str, set[str]] = {dimension.id: set() for dimension in self._dimensions}
        for fields, signs in self._signs.items():
            for dimension_id, value in signs.values_in("\n".join([row[name] for name in fields])):
                found[dimension_id].add(value)
        length = len(row["input"].split())
        for dimension in self._dimensions:
            if dimension.measure == "input_words":
                fits = (
                    v.id for v in dimension.values if v.words and v.words[0] <= length <= v.words[1]
                )
                found[dimension.id].update(fits)
            wanted = (requested or {}).get(dimension.id, "")
            if wanted in dimension.by_id and not dimension.is_measurable(wanted):
                found[dimension.id].add(wanted)
        return found

    def count(self, rows: Iterable[MeasuredRow]) -> dict[str, dict[str, float]]:
        """The number of rows by dimension and value. Each row counts once in each dimension.

        A row counts for its requested value if it shows this value or none. Otherwise it counts in
        equal parts for the values that it shows.
        """
        pool = {
            dimension.id: dict.fromkeys(dimension.shares, 0.0) for dimension in self._dimensions
        }
        for row, requested in rows:
            for dimension_id, found in self.measure(row, requested).items():
                wanted = (requested or {}).get(dimension_id, "")
                counts = wanted in pool[dimension_id] and (wanted in found or not found)
                for value in {wanted} if counts else found:
                    pool[dimension_id][value] += 1 if counts else 1 / len(found)
        return pool
