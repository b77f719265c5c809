"""Compiling the loops of this stage to machine code, once per machine; threads to run them.

Belongs here: how a function becomes a kernel, how many threads run it. Does not: any kernel (the
modules named *_kernels, which are imported inside functions only: numba takes a second to load).
"""

import hashlib
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

_STAGE = Path(__file__).parents[1]
_MOST_THREADS = 8

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function as machine code that runs without the interpreter's lock.

    The code is kept beside the module, or in the user's cache where that folder is read-only. Where
    neither can be written it is compiled anew in each process, which costs a few seconds.
    """
    import numba

    try:
        kernel: Any = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # numba finds no folder for its cache
        kernel = numba.njit(nogil=True)(function)
    else:
        # numba compiles anew what has changed in the function's own file. The machine code holds
        # that of other modules' kernels too, so a change in any of them must count.
        file = kernel._cache._cache_file  # noqa: SLF001
        folder = Path(function.__code__.co_filename).parent
        file._source_stamp = (file._source_stamp, _digest(folder))  # noqa: SLF001
    return cast("Function", kernel)


def inner(function: Function) -> Function:
    """The function as machine code that other kernels call; Python can't, which saves compiling."""
    import numba

    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    kernel: Any = numba.njit(nogil=True, **options)(function)
    return cast("Function", kernel)


def default_threads() -> int:
    """One per processor; past some, memory is what they wait for."""
    return min(os.cpu_count() or 1, _MOST_THREADS)


@cache
def _digest(folder: Path) -> str:
    """Of the source of all kernels in a folder, and of those of this stage, which they may call."""
    sources = sorted({*folder.glob("*_kernels.py"), *_STAGE.rglob("*_kernels.py")})
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()
