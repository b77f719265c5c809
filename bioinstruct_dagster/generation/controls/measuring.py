"""Measuring: which values of the controls a row shows.

Belongs here: looking for the signs of all values at once, and counting the rows that show each
value. Does not: what a sign means (signs), how the counts compare with the targets (mix), what is
asked for (drawing), or which rows are kept.
"""

from collections.abc import Iterable, Mapping, Sequence

from bioinstruct_dagster.generation.controls.dimensions import ControlDimension
from bioinstruct_dagster.signs import SignIndex

RequestedValues = Mapping[str, str]  # value by dimension
MeasuredRow = tuple[Mapping[str, str], RequestedValues | None]  # a row and what was asked of it


class ControlMeasure:
    """Looks for the signs of one controls file."""

    def __init__(self, dimensions: Sequence[ControlDimension]) -> None:
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
            for dimension, value in signs.values_in("\n".join([row[name] for name in fields])):
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
