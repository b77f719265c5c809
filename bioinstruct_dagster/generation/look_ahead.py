"""How many requests a goal still needs, and how many may be under way without overshooting it.

Belongs here: what follows from the yield so far (series.yields) for a goal. Does not: which
requests these are, or checking their rows (goal).
"""

import math

from bioinstruct_dagster.generation.series.yields import FLOOR_REQUESTS, LEAST_YIELD, YieldModel

OVERSHOOT = 0.05  # of the goal: the rows that requests under way may bring beyond it


class LookAhead:
    """Expectations on the way to a goal, by the yield of the requests that were checked.

    Args:
        goal: rows to be kept.
        tasks_per_request: new tasks asked for in each request.
    """

    def __init__(self, goal: int, tasks_per_request: int) -> None:
        self._goal = goal
        self._yield = YieldModel(tasks_per_request)

    def learn(self, kept_rows: int, *, of_today: bool) -> None:
        """Take in how many rows of one request were kept; `of_today`: it was asked in this run."""
        self._yield.add(kept_rows, of_today=of_today)

    def requests_needed(self, kept: int) -> int:
        """The requests that probably bring the rows which are still missing."""
        return math.ceil((self._goal - kept) / max(self._yield.mean, 1e-9))

    def has_room(self, kept: int, unchecked: int) -> bool:
        """Whether one more request may be under way beside so many that are not checked yet."""
        if not unchecked:
            return True
        expected = kept + unchecked * self._yield.mean
        most = kept + self._yield.most(unchecked + 1)
        return expected < self._goal and most <= self._goal * (1 + OVERSHOOT)

    def too_low(self, kept: int) -> str | None:
        """Why more requests are not worth their price; None while they are."""
        low = self._yield.below_floor()
        if low is None:
            return None
        return (
            f"The yield fell to {low:.2f} kept rows per request over the last "
            f"{FLOOR_REQUESTS} requests, below {LEAST_YIELD:.0%} of the tasks asked for; "
            f"{kept} of {self._goal} rows are kept. More requests of this kind would mostly "
            "repeat the rows that there are: add seeds, widen data/controls.yaml, use another "
            "teacher or run seed, or lower the goal."
        )
