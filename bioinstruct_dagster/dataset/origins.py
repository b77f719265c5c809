"""Where rows come from, as the rows themselves say: written by a teacher, replayed, or imported.

A row names its source (dataset.sources), and the mark `rehearsal` says whether its texts were
replayed by the rehearsal teacher. The server of a reply sets this mark, whatever name the teacher
had in the settings. Belongs here: counting origins, and saying them in words. Does not: the text of
a card (card), or the mark itself (teacher.completions).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bioinstruct_dagster.dataset.sources import ImportedSource, imported_source
from bioinstruct_dagster.settings import DEFAULT_MODELS

# The name in `labelled_by` of a label that the rehearsal teacher replayed.
REHEARSED_LABELLER = f"teacher:{DEFAULT_MODELS['rehearsal']}"


@dataclass(frozen=True)
class RowOrigins:
    """How many rows come from where.

    Attributes:
        generated: rows that a teacher wrote.
        replayed: rows that the rehearsal teacher replayed.
        imported: rows of each imported set, the largest set first.
        recorded_labels: rows of any origin whose category is a recorded label, which the rehearsal
            teacher replayed.
    """

    generated: int = 0
    replayed: int = 0
    imported: Mapping[ImportedSource, int] = field(default_factory=dict)
    recorded_labels: int = 0

    @property
    def from_import(self) -> int:
        """The number of imported rows."""
        return sum(self.imported.values())

    @property
    def total(self) -> int:
        """The number of rows."""
        return self.generated + self.replayed + self.from_import

    @property
    def only_imported(self) -> bool:
        """Whether there are rows, and all of them were imported."""
        return self.from_import == self.total > 0

    def parts(self) -> list[str]:
        """One phrase for each origin that has rows, with its number of rows."""
        found = []
        if self.generated:
            found.append(f"{self.generated:,} written by a teacher")
        if self.replayed:
            found.append(f"{self.replayed:,} replayed by the rehearsal teacher")
        found += [
            f"{rows:,} imported from {source.in_words()}" for source, rows in self.imported.items()
        ]
        return found

    def sentence(self) -> str:
        """All origins on one line, such as `60 rows: 40 written by a teacher, 20 imported …`."""
        parts = self.parts()
        mixed = "mixed, " if len(parts) > 1 else ""
        labels = ""
        if self.recorded_labels:
            labels = f"; the categories of {self.recorded_labels:,} are recorded labels"
        return f"{self.total:,} rows ({mixed}{', '.join(parts) or 'none'}){labels}"


def origins_of(rows: Iterable[Mapping[str, Any]]) -> RowOrigins:
    """Count the origins of rows.

    Args:
        rows: with `source` and `rehearsal`. If a row has `rows`, it stands for so many; if it has
            `labelled_by`, its label counts too.
    """
    counts = {"generated": 0, "replayed": 0}
    imported: dict[ImportedSource, int] = {}
    labels = 0
    for row in rows:
        count = row.get("rows", 1)
        source = imported_source(row["source"])
        if source is not None:
            imported[source] = imported.get(source, 0) + count
        else:
            counts["replayed" if row["rehearsal"] else "generated"] += count
        labels += count * (row.get("labelled_by") == REHEARSED_LABELLER)
    largest_first = sorted(imported.items(), key=lambda item: (-item[1], str(item[0])))
    return RowOrigins(**counts, imported=dict(largest_first), recorded_labels=labels)
