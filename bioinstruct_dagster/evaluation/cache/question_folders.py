"""The folder of a run's questions, and the removal of those that killed runs have left.

Belongs here: folders and their locks. Does not: what is in them (evaluation.questions).
"""

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = ".lock"


@contextmanager
def questions_folder(parent: Path) -> Iterator[Path]:
    """The name of a new folder for questions, which is removed at the end.

    Its items may be data that must not lie about, so what a killed run has left is removed first. A
    run holds a lock beside its folder, which the kernel frees when the run dies.

    Args:
        parent: the folder of the questions of all runs.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for left in parent.glob(f"*{_LOCK}"):
        if (handle := _locked(left, os.O_RDWR)) is not None:
            shutil.rmtree(left.with_suffix(""), ignore_errors=True)
            _unlock(left, handle)
    folder = parent / uuid.uuid4().hex
    lock = folder.with_suffix(_LOCK)
    handle = _locked(lock, os.O_RDWR | os.O_CREAT)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _unlock(lock, handle)


def _locked(path: Path, flags: int) -> int | None:
    """The locked file as a number for the kernel; None if it can't be locked."""
    try:
        handle = os.open(path, flags | os.O_NOFOLLOW, 0o644)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held by a run, or on a drive without locks
        os.close(handle)
        return None
    return handle


def _unlock(path: Path, handle: int | None) -> None:
    path.unlink(missing_ok=True)
    if handle is not None:
        os.close(handle)
