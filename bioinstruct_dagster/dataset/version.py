"""One version of the data set: the facts that identify it without opening it.

Belongs here: the facts by which training and evaluation tell versions apart. Does not: the version
in the store (models.current_dataset), or reading its rows (dataset.build).
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DatasetVersion:
    """What identifies a version, and what its rows say of their origin.

    Attributes:
        path: the folder.
        fingerprint: in the names of its shards.
        rehearsal: whether the rehearsal teacher made any row.
        origin: where the rows come from, in words; empty if it is not known.
        imported: whether any row was imported, so that nobody knows its subject.
    """

    path: Path
    fingerprint: str
    rehearsal: bool
    origin: str = ""
    imported: bool = False
