"""What stops a round, in words: the errors that end it, and the caps that it reaches.

Each message says what is kept and how to go on. None holds a key, or what a server says of one.
"""

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.generation.budget import Amount, Cap
from bioinstruct_dagster.generation.retries import FATAL_CODES, NO_CREDIT, NOT_FOUND, RefusedError


class TeacherError(StatedError):
    """The teacher can't be used as set; the message says what to change. Never holds a key."""


def unwritable(error: OSError) -> TeacherError:
    """The disk takes no more replies."""
    return TeacherError(
        f"Replies can't be written to disk ({error}), so nothing more was asked. Free some space, "
        "then run again: what was stored is not paid for again."
    )


def reached(cap: Cap, most: Amount) -> str:
    """A cap leaves no room for the next request."""
    return (
        f"{cap.setting} is reached: {cap.shown(cap.spent)} of {cap.shown(cap.limit)} are spent, "
        f"and the next request may take up to {cap.shown(most.in_unit(cap.unit))}. What was asked "
        "so far is kept. Raise it and run again to go on: nothing stored is paid for again."
    )


def long_wait(error: RefusedError) -> str:
    """The server asks for a wait that a run should not sit out."""
    return (
        f"The teacher asks to wait for {error.retry_after or 0.0:,.0f} seconds (HTTP "
        f"{error.status}), as servers do when a limit per day is used up. What was asked so far is "
        "kept. Run again after that time to go on: nothing stored is paid for again."
    )


def unsendable_key() -> TeacherError:
    """No request can carry the key."""
    return TeacherError(
        "OPENAI_API_KEY holds a character that no request can carry (a line break, a space, or one "
        "that is not ASCII). Copy the key anew, without what surrounds it."
    )


def fatal_advice(error: RefusedError, model: str) -> str:
    """No request can succeed as things are."""
    # The server's message is left out: OpenAI's 401 repeats part of the key.
    if error.code in FATAL_CODES or error.status == NO_CREDIT:
        return (
            f"The teacher refuses further requests: {error.code or f'HTTP {error.status}'}. "
            "Add credit or raise the limit, then run again. Completions stored so far are kept."
        )
    if error.status == NOT_FOUND:
        return f"The teacher has no model {model!r} at this address. Set BIOINSTRUCT_TEACHER_MODEL."
    return (
        f"The teacher rejects the key (HTTP {error.status}). "
        f"Check OPENAI_API_KEY and that it may use {model!r}. Completions stored so far are kept."
    )
