"""The asking lock: one process at a time asks the teacher for one store.

Two processes would pay twice for the same requests, and neither could hold a cap of the project.
Belongs here: the lock. Does not: what is asked under it (rounds, probe).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from bioinstruct_dagster.store.database import Store, StoreBusyError


@contextmanager
def asking_alone(store: Store) -> Iterator[None]:
    """Hold the store's asking lock, which the kernel releases however its holder dies.

    Raises:
        StoreBusyError: another process held it for longer than the store's deadline.
    """
    store.path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(store.path.with_name("asking.lock"))
    try:
        lock.acquire(timeout=store.timeout)
    except Timeout as error:
        raise StoreBusyError(
            f"Another run is asking the teacher for {store.path} (waited {store.timeout:.0f} s). "
            "Two at once would pay twice for the same requests. Wait for it to finish, or raise "
            "BIOINSTRUCT_LOCK_TIMEOUT."
        ) from error
    try:
        yield
    finally:
        lock.release()
