"""The yield: how many kept rows a request brings, estimated from the latest checked requests.

Belongs here: mean, upper bound and floor of the yield. Does not: what they mean for a goal
(look_ahead).
"""

import math
from collections import deque

# The assumed share of requested tasks that are kept, before any is checked. Rehearsals keep 0.77.
FIRST_YIELD = 0.75
PRIOR_REQUESTS = 5  # weight of the assumption: one unlucky first reply must not outweigh it
# If a smaller share of the requested tasks is kept over FLOOR_REQUESTS requests in a row, the round
# ends: more requests would not help.
LEAST_YIELD = 0.1
FLOOR_REQUESTS = 40
RECENT_REQUESTS = 100  # the estimate uses only these, because the yield falls as the set grows
CAUTION_DEVIATIONS = 3.0  # the upper bound is this many standard deviations above the mean


class YieldModel:
    """Kept rows per request, estimated from the latest checked requests."""

    def __init__(self, tasks_per_request: int) -> None:
        self._tasks = tasks_per_request
        self._recent: deque[int] = deque(maxlen=RECENT_REQUESTS)
        self._current_in_a_row = 0  # latest requests that all have the present seeds and controls

    def add(self, kept: int, *, is_current: bool = True) -> None:
        """Add one checked request. Only current requests count for the floor.

        Args:
            kept: rows of the request that the gates kept.
            is_current: whether the request has the present seeds and controls.
        """
        self._recent.append(kept)
        self._current_in_a_row = self._current_in_a_row + 1 if is_current else 0

    @property
    def mean(self) -> float:
        """The expected number of kept rows of a request."""
        prior = PRIOR_REQUESTS * FIRST_YIELD * self._tasks
        return (prior + sum(self._recent)) / (PRIOR_REQUESTS + len(self._recent))

    def upper_bound(self, requests: int) -> float:
        """The number of kept rows that this many requests are unlikely to exceed."""
        mean = self.mean
        squares = sum((kept - mean) ** 2 for kept in self._recent)
        deviation = math.sqrt(
            (self._tasks**2 / 4 * PRIOR_REQUESTS + squares) / (PRIOR_REQUESTS + len(self._recent))
        )
        # The second term covers the error of the mean, which is large after a few requests.
        chance = requests + requests**2 / (PRIOR_REQUESTS + len(self._recent))
        return min(
            # Some teachers write more tasks than requested.
            float(requests * max(self._tasks, *self._recent, 0)),
            requests * mean + CAUTION_DEVIATIONS * deviation * math.sqrt(chance),
        )

    def below_floor(self) -> float | None:
        """Kept rows per request over the latest requests if that is below the floor, else None."""
        if self._current_in_a_row < FLOOR_REQUESTS:
            return None
        last = list(self._recent)[-FLOOR_REQUESTS:]
        mean = sum(last) / FLOOR_REQUESTS
        return mean if mean < LEAST_YIELD * self._tasks else None
