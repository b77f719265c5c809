"""How many requests a goal still needs, and how many may be in flight without exceeding it.

Belongs here: conclusions from the yield so far (series.yields) for one goal. Does not: which
requests are sent, or checking their rows (goal).
"""

import math
from collections import deque

from bioinstruct_dagster.generation.series.yields import FLOOR_REQUESTS, LEAST_YIELD, YieldModel
from bioinstruct_dagster.teacher.output_limits import CutReply, CutWatch

OVERSHOOT_SHARE = 0.05  # requests in flight may exceed the goal by this share of it
# Failures are the reason for a low yield if they are at least this share of the requests.
LEAST_FAILED_SHARE = 0.5


class LookAhead:
    """What a goal still needs, estimated from the yield of the requests that were checked.

    Args:
        goal: number of rows to keep.
        tasks_per_request: new tasks that each request asks for.
    """

    def __init__(self, goal: int, tasks_per_request: int) -> None:
        self._goal = goal
        self._tasks = tasks_per_request
        self._yield = YieldModel(tasks_per_request)
        self._cuts = CutWatch()
        # Kept rows of the latest requests; None for a request that failed in this round.
        self._latest: deque[int | None] = deque(maxlen=FLOOR_REQUESTS)

    def learn(self, kept_rows: int, *, is_current: bool, cut: CutReply | None = None) -> None:
        """Add the number of rows that one request brought.

        Args:
            kept_rows: rows of the request that the gates kept.
            is_current: whether the request has the present seeds and controls.
            cut: how its reply was cut off by its limit; None if it was not.
        """
        self._cuts.add(cut if is_current else None)
        self._yield.add(kept_rows, is_current=is_current)
        if is_current:
            self._latest.append(kept_rows)
        else:
            self._latest.clear()

    def learn_failed(self) -> None:
        """Add a request that the round gave up, such as one that the server refused.

        It brings no rows, so it counts towards the end of the round. The estimate of the yield
        leaves it out, because the next round sends it again.
        """
        self._latest.append(None)

    def requests_needed(self, kept: int) -> int:
        """How many requests will probably bring the missing rows."""
        return math.ceil((self._goal - kept) / max(self._yield.mean, 1e-9))

    def has_room(self, kept: int, unchecked: int) -> bool:
        """Whether one more request may be sent while `unchecked` requests are not checked yet."""
        if not unchecked:
            return True
        expected = kept + unchecked * self._yield.mean
        most = kept + self._yield.upper_bound(unchecked + 1)
        return expected < self._goal and most <= self._goal * (1 + OVERSHOOT_SHARE)

    def failure_reason(self, kept: int) -> str | None:
        """Why the round ends because too many requests fail; None if it goes on."""
        failed = sum(rows is None for rows in self._latest)
        brought = sum(rows or 0 for rows in self._latest)
        if failed < LEAST_FAILED_SHARE * FLOOR_REQUESTS or len(self._latest) < FLOOR_REQUESTS:
            return None
        if brought >= LEAST_YIELD * self._tasks * FLOOR_REQUESTS:
            return None
        return (
            f"Of the last {FLOOR_REQUESTS} requests, the teacher refused or failed {failed}, and "
            f"the others brought {brought} kept rows: less than {LEAST_YIELD:.0%} of the requested "
            f"tasks. {kept} of {self._goal} rows are kept. The refusals and failures are the "
            "reason. Remove their cause, then run again: the failed requests are sent again."
        )

    def low_yield_reason(self, kept: int) -> str | None:
        """Why more requests are not worth their price; None if they are."""
        if cut := self._cuts.reason():
            return cut
        low = self._yield.below_floor()
        if low is None:
            return None
        return (
            f"The yield fell to {low:.2f} kept rows per request over the last "
            f"{FLOOR_REQUESTS} requests, below {LEAST_YIELD:.0%} of the requested tasks; "
            f"{kept} of {self._goal} rows are kept. More requests of this kind would mostly "
            "repeat rows that the set already has. To go on, add seeds, widen data/controls.yaml, "
            "use another teacher or run seed, or lower the goal."
        )
