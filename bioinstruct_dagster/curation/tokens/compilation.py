"""Compiling the loops of curation to machine code, once per machine; the threads that run them.

Belongs here: how a function becomes a kernel, and how many threads run it. Does not: any kernel
(the modules whose names end in _kernels; import them inside functions only, since numba takes a
second to load).
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

_STAGE = Path(__file__).parents[1]
_MOST_THREADS = 8
COMPILING = (
    "Compiling the loops that compare rows. This takes up to a minute, once per installation."
)

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function as machine code that runs without the interpreter's lock.

    numba keeps the machine code beside the module, or in the user's cache if that folder is
    read-only. If neither can be written, each process compiles anew, which takes a few seconds.
    """
    import numba

    try:
        kernel: Any = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # numba has found no folder for its cache
        kernel = numba.njit(nogil=True)(function)
    else:
        # numba compiles a function anew if its own file has changed. But the machine code includes
        # kernels of other modules, so a change in any of these files must count too.
        file = kernel._cache._cache_file  # noqa: SLF001
        folder = Path(function.__code__.co_filename).parent
        file._source_stamp = (file._source_stamp, _digest(folder))  # noqa: SLF001
    return cast("Function", kernel)


def inner(function: Function) -> Function:
    """The function as machine code for other kernels alone, which is faster to compile.

    Python cannot call it.
    """
    import numba

    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    kernel: Any = numba.njit(nogil=True, **options)(function)
    return cast("Function", kernel)


@contextmanager
def telling_of_compilation(log: Callable[[str], None]) -> Iterator[None]:
    """Within this context, log one line before the first function is compiled.

    If all machine code is in numba's cache, nothing is logged.
    """
    from numba.core import event

    told = False

    class Teller(event.Listener):
        def on_start(self, _event: event.Event) -> None:
            nonlocal told
            if not told:
                told = True
                log(COMPILING)

        def on_end(self, _event: event.Event) -> None:
            """Nothing to say."""

    with event.install_listener("numba:compile", Teller()):
        yield


def default_threads() -> int:
    """Number of threads: one per processor, up to the number at which memory limits the speed."""
    return min(os.cpu_count() or 1, _MOST_THREADS)


@cache
def _digest(folder: Path) -> str:
    """Hash of the source of all kernels in a folder, and of the kernels of curation."""
    sources = sorted({*folder.glob("*_kernels.py"), *_STAGE.rglob("*_kernels.py")})
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()
