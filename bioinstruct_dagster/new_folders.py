"""Folders that appear as a whole or not at all, whatever kills the process that writes them.

Belongs here: the way from an unfinished folder to its name, and the mode of its files. Does not:
what is in the folder, or secrets, which stay their user's.
"""

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def new_folder(folder: Path, *, replace: bool = True) -> Iterator[Path]:
    """Write a folder under another name, and give it its name when all of it is there.

    An unfinished folder is hidden and stands beside the finished one, on the same disk. After an
    error it is removed; a killed process leaves it.

    Args:
        folder: the folder to make. Folders above it are made too.
        replace: whether a folder of this name is replaced.

    Yields:
        The empty folder to write to.

    Raises:
        OSError: without `replace`, a folder of this name is there, and holds something.
    """
    fresh = _beside(folder)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        share_as_new_files(fresh)
        if replace and folder.exists():
            # A folder can't be replaced in one step. Between the renames a reader finds none.
            old = _beside(folder)
            folder.rename(old)
            fresh.rename(folder)
            shutil.rmtree(old, ignore_errors=True)
        else:
            fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def remove_unfinished(folder: Path) -> None:
    """Remove what processes that were killed while they wrote this folder have left."""
    for path in folder.parent.glob(f".{folder.name}.*"):
        shutil.rmtree(path, ignore_errors=True)


def _beside(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")


def share_as_new_files(folder: Path) -> None:
    """Give each file in a folder the mode that a new file there gets by the user's umask.

    safetensors writes weights through a temporary file, whose mode is 0600. Others of a group, or a
    server under another account, could not read them. Links are left as they are.
    """
    with tempfile.TemporaryDirectory(dir=folder) as inside:
        probe = Path(inside) / "probe"
        probe.touch()  # the umask itself can't be read without changing it for all threads
        mode = probe.stat().st_mode & 0o777
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(mode)
