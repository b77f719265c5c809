"""The base of all errors that are a user's to mend: what is wrong, where, and what to do.

Dagster, the command line and the model process show such a message without a traceback; any other
exception is a fault of ours and keeps its traceback.
"""


class StatedError(Exception):
    """An error that its message explains. Never holds a secret."""
