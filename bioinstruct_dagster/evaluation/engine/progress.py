"""What a user sees while a model is scored: the items that are done, and the time that is left.

Belongs here: the words and the pace of the lines. Does not: the scoring
(evaluation.evaluate).
"""

import time
from collections.abc import Callable

from bioinstruct_dagster.models.progress_lines import SECONDS_BETWEEN_LINES, duration

# Takes the number of answers that are finished, and the work that is done, in answers of the mean
# length: a token of a prompt or of an answer is one unit, because both cost about the same.
Tell = Callable[[int, float], None]

_LEAST_SHARE = 0.01  # of the work; before it, the time left is a guess


class ScoringProgress:
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
        self._name = name
        self._items = items
        self._work = work
        self._log = log
        self._clock = clock
        self._started = self._said = clock()

    def come_to(self, items: int, work: float) -> None:
        """Say how far the scoring has come, if the last line is ten seconds old.

        Args:
            items: the number of items that are scored.
            work: the part of the work that is done, which may lie between two items.
        """
        now = self._clock()
        if items == self._items:
            took = duration(now - self._started)
            self._log(f"{self._name}: {items} of {items} items scored in {took}")
        elif now - self._said >= SECONDS_BETWEEN_LINES:
            self._said = now
            line = f"{self._name}: {items} of {self._items} items scored"
            seconds = now - self._started
            if items and seconds:
                line += f", {items / seconds:.3g} items/s"
            if work >= _LEAST_SHARE * self._work:
                line += f", {duration(seconds / work * (self._work - work))} left"
            self._log(line)
