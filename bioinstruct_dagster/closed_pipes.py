"""Commands whose reader closes the pipe early, such as `head`, end without a trace.

Belongs here: the end of a command on a closed pipe. Does not: a command's own errors (errors).
"""

import functools
import os
import sys
from collections.abc import Callable
from typing import ParamSpec

P = ParamSpec("P")

# The status that a shell gives for a program that SIGPIPE ends (13), as it ends other tools.
STATUS = 128 + 13


def quiet_on_closed_pipe(main: Callable[P, int]) -> Callable[P, int]:
    """A command's function that returns STATUS if nobody reads its output any more.

    SIGPIPE itself stays ignored, because a closed connection to a server also causes it.
    """

    @functools.wraps(main)
    def quiet(*args: P.args, **kwargs: P.kwargs) -> int:
        try:
            status = main(*args, **kwargs)
            sys.stdout.flush()  # a short output meets the closed pipe only here
        except BrokenPipeError:
            # Python flushes again when it ends, and would print an error then.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)
            return STATUS
        return status

    return quiet
