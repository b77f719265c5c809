"""The base class of all errors that a user can correct.

The message says what is wrong, where, and what to do next. Dagster, the command line and the model
process show it without a traceback. Any other exception is a fault of this project and keeps its
traceback.
"""


class StatedError(Exception):
    """An error whose message explains it to the user. The message never holds a secret."""


def fault_words(error: Exception) -> str:
    """What a message says of an error that ended one of several pieces of work.

    For an error that is not stated, the caller puts the traceback into the log.
    """
    if isinstance(error, StatedError):
        return str(error)
    return f"{type(error).__name__}: {error} (the log has the traceback)"
