"""Pauses Python's collector of cyclic garbage while a gate checks a batch of rows.

A check makes many short-lived objects and no cycles. The collector would go through them, and
through all word lists, again and again. Belongs here: this pause. Does not: any check.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collector() -> Iterator[None]:
    """Within this context, no cyclic garbage is collected, unless it was so before."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
