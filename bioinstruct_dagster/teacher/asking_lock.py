"""The asking lock: only one process at a time sends requests for a store.

Two processes would pay twice for the same requests, and neither could hold a cap of the project.
Belongs here: the lock. Does not: the requests that are sent under the lock (rounds, probe).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from bioinstruct_dagster.store.database import Store, StoreBusyError


@contextmanager
def asking_alone(store: Store) -> Iterator[None]:
    """Hold the store's asking lock. The kernel releases the lock if the process is killed.

    Raises:
        StoreError: the folder of the store can't be made.
        StoreBusyError: another process held the lock for longer than the store's deadline.
    """
    store.make_folder()
    lock = FileLock(store.path.with_name("asking.lock"))
    try:
        lock.acquire(timeout=store.timeout)
    except Timeout as error:
        raise StoreBusyError(
            f"Another run is sending requests for {store.path} (waited {store.timeout:.0f} s). "
            "Two runs at once would pay twice for the same requests. Wait until the other run "
            "ends, or raise BIOINSTRUCT_LOCK_TIMEOUT."
        ) from error
    try:
        yield
    finally:
        lock.release()
