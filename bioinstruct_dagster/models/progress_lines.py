"""The pace and the words that the progress lines of training and evaluation share.

Belongs here: how often a line comes, and a duration in words. Does not: what a line says
(training.progress, evaluation.engine.progress).
"""

import math

SECONDS_BETWEEN_LINES = 10.0


def duration(seconds: float) -> str:
    """A duration in words of two units at most, rounded up to a whole second."""
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
