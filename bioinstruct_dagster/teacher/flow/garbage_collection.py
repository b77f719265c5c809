"""Python's garbage collector while a round is sent: it looks less often.

Thousands of requests in flight are many objects, and few of them are garbage in cycles. At its
usual rhythm, the collector takes a fifth of a round's CPU. Does not belong here: the round itself
(sending).
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_OBJECTS_BETWEEN_COLLECTIONS = 50_000


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let the collector look less often, and never at objects that existed before."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
