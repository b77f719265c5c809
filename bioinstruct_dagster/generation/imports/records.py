"""What every format gives: records, each with its place in the file.

Belongs here: the form in which readers hand over their rows. Does not: reading (csv_rows,
json_rows, parquet_rows), or mapping columns (columns).
"""

from collections.abc import Iterable
from typing import Any, NamedTuple


class Record(NamedTuple):
    """One row of the source.

    Attributes:
        place: where it stands, such as `line 3`.
        fields: its values by column; a value of another type if the row is no object.
    """

    place: str
    fields: Any


class SourceRecords(NamedTuple):
    """The rows of a source.

    Attributes:
        records: in the order of the source; they may be read while they are used.
        notes: what was read in an unusual way, for the user to check.
    """

    records: Iterable[Record]
    notes: list[str]
