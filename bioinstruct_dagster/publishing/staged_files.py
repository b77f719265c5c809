"""The files of a publication as they will be in the repository.

A file is taken from the disk as it is, or its content is made for the publication, so that the
folder on the disk stays unchanged. Belongs here: such files, and their listing. Does not: which
files a data set (dataset_files) or an adapter (adapter_files) has, or sending them (hub.push).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_UNITS = ("B", "kB", "MB", "GB")
_STEP = 1000


@dataclass(frozen=True)
class StagedFile:
    """A file of a publication.

    Attributes:
        path: in the repository.
        content: a file on the disk, or the bytes that are made for the publication.
    """

    path: str
    content: Path | bytes

    @property
    def size(self) -> int:
        """The number of bytes."""
        return self.content.stat().st_size if isinstance(self.content, Path) else len(self.content)


def listing(files: Iterable[StagedFile]) -> list[dict[str, Any]]:
    """A row for each file: its path, its size, and whether its content was filled in."""
    return [
        {
            "file": one.path,
            "size": size_in_words(one.size),
            "content": "as in the folder" if isinstance(one.content, Path) else "filled in",
        }
        for one in files
    ]


def total_size(files: Iterable[StagedFile]) -> int:
    """The number of bytes of all files."""
    return sum(one.size for one in files)


def size_in_words(size: float) -> str:
    """A number of bytes in a unit that a person reads, such as `1.2 MB`."""
    for unit in _UNITS[:-1]:
        if size < _STEP:
            return f"{size:,.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= _STEP
    return f"{size:,.1f} {_UNITS[-1]}"
