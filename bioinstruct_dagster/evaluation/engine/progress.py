"""What a user sees while a model is scored: the items that are done, and the time that is left.

Belongs here: what scoring counts as work. Does not: the words and the pace of the lines
(bioinstruct_dagster.progress), or the scoring (evaluation.evaluate).
"""

import time
from collections.abc import Callable

from bioinstruct_dagster.progress import Progress

# Takes the number of answers that are finished, and the work that is done, in answers of the mean
# length: a token of a prompt or of an answer is one unit, because both cost about the same.
Tell = Callable[[int, float], None]


class ScoringProgress(Progress):
    """Reports the scoring by one engine, at most once every ten seconds and once at its end."""

    def __init__(
        self,
        name: str,
        items: int,
        work: float,
        log: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin to count the time.

        Args:
            name: what is scored, with which each line begins.
            items: the number of all items.
            work: how much work they are, in a unit of the caller.
            log: takes one line.
            clock: gives the time in seconds.
        """
        super().__init__(
            name, items, "items", "scored", log, work=work, always_ends=True, clock=clock
        )
