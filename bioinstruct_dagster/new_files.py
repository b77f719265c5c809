"""Files that appear as a whole or not at all, whatever kills the process that writes them.

Belongs here: the way from an unfinished file to its name. Does not: folders (new_folders), or what
is in the file.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Write a file under another name, and give it its name when all of it is there.

    A file of this name is replaced. After an error the unfinished file is removed; a killed process
    leaves it, hidden, beside the finished one.

    Args:
        path: the file to make. Folders above it are made too.

    Yields:
        The path to write to, on the same disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        yield fresh
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
