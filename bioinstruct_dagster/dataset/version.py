"""One version of the data set: what names it without opening it.

Belongs here: the three facts by which training and evaluation tell versions apart. Does not: the
store's view of them (models.current_dataset), or reading the rows (dataset.build).
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class DatasetVersion:
    """The folder, the fingerprint that its shards carry, and whether any row is rehearsal-made."""

    path: Path
    fingerprint: str
    rehearsal: bool
