"""A full disk, in words: the folder, the bytes that are needed, and what to do.

Belongs here: telling this error from others. Does not: what is written
(training.loop.checkpoints, training.saving).
"""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bioinstruct_dagster.errors import StatedError

_FULL = (errno.ENOSPC, errno.EDQUOT)
# safetensors gives the system's error as a text.
_SIGNS = ("no space left on device", "disk quota exceeded", "(os error 28)", "(os error 122)")


class DiskFullError(StatedError):
    """A disk has no room. The message says where, how much is needed, and what to do."""


@contextmanager
def stating_full_disk(what: str, folder: Path, needed: int) -> Iterator[None]:
    """Raise a stated error if the disk is full in the block.

    Args:
        what: what the block writes, as the beginning of a sentence.
        folder: where it writes.
        needed: the bytes of what it writes.

    Raises:
        DiskFullError: there is no room.
    """
    try:
        yield
    except Exception as error:
        if not _is_full(error):
            raise
        raise DiskFullError(
            f"{what} can't be written to {folder}: the disk is full, or your quota is reached. It "
            f"needs {_mebibytes(needed)}, and {_free(folder)}. Free space there, or set "
            "BIOINSTRUCT_DATA_DIR to a folder on another disk, with a copy of the data folder. "
            "Then run the step again: it goes on from the last whole checkpoint, if there is one."
        ) from error


def _is_full(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    return any(sign in str(error).lower() for sign in _SIGNS)


def _free(folder: Path) -> str:
    there = next((one for one in (folder, *folder.parents) if one.is_dir()), Path("/"))
    try:
        return f"{_mebibytes(shutil.disk_usage(there).free)} of the disk is free"
    except OSError:
        return "how much is free is unknown"


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:,.1f} MiB"
