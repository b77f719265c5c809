"""One version of the data set: the facts that identify it without opening it.

Belongs here: the facts by which training and evaluation tell versions apart. Does not: the version
in the store (models.current_dataset), or reading its rows (dataset.build).
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DatasetVersion:
    """The folder, the fingerprint in its shards' names, and whether any row is rehearsal-made."""

    path: Path
    fingerprint: str
    rehearsal: bool
