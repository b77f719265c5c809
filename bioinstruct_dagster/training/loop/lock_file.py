"""A lock file that is gone when nobody holds or awaits it.

Belongs here: the lock that keeps two runs from training the same adapter. Does not: what is done
under it (training.train).
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held_alone(path: Path, on_wait: Callable[[], None]) -> Iterator[bool]:
    """Hold the lock. The file is removed at the end, and the kernel frees it if this process dies.

    The holder removes the file while it still holds the lock. A process that waited for it then
    locks a file without a name, which keeps nobody out. So whoever gets a lock compares its file
    with the file of that name, and tries again if they differ.

    Args:
        path: the file; its folder is made.
        on_wait: called once if another process holds the lock.

    Yields:
        Whether another process held it meanwhile.
    """
    handle, waited = _locked(path, on_wait)
    try:
        yield waited
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)  # frees the lock


def _locked(path: Path, on_wait: Callable[[], None]) -> tuple[int, bool]:
    waited = False
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)  # closed in processes it starts
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not waited:
                    on_wait()
                waited = True
                fcntl.flock(handle, fcntl.LOCK_EX)
            if _has_name(handle, path):
                return handle, waited
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _has_name(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
