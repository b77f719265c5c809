"""The yield: how many kept rows a request brings, as the requests checked last show it."""

import math
from collections import deque

# Of the tasks asked for, assumed before anything was checked; rehearsals keep 0.77.
FIRST_YIELD = 0.75
PRIOR_REQUESTS = 5  # what the assumption weighs: enough to survive an unlucky first reply
LEAST_YIELD = 0.1  # of the tasks asked for; below it, more requests are not the remedy
FLOOR_REQUESTS = 40  # over so many requests in a row
RECENT = 100  # requests by which the yield is checked: it falls as the set grows
CAUTION = 3.0  # standard deviations


class YieldModel:
    """Kept rows per request, by the requests checked last."""

    def __init__(self, tasks_per_request: int) -> None:
        self._tasks = tasks_per_request
        self._recent: deque[int] = deque(maxlen=RECENT)
        self._alike = 0  # requests in a row that were asked as today's are

    def add(self, kept: int, *, of_today: bool = True) -> None:
        """One more request was checked; the floor is for those asked as today's are."""
        self._recent.append(kept)
        self._alike = self._alike + 1 if of_today else 0

    @property
    def mean(self) -> float:
        """Kept rows that a request is expected to bring."""
        prior = PRIOR_REQUESTS * FIRST_YIELD * self._tasks
        return (prior + sum(self._recent)) / (PRIOR_REQUESTS + len(self._recent))

    def most(self, requests: int) -> float:
        """Kept rows that so many requests are unlikely to exceed."""
        mean = self.mean
        squares = sum((kept - mean) ** 2 for kept in self._recent)
        deviation = math.sqrt(
            (self._tasks**2 / 4 * PRIOR_REQUESTS + squares) / (PRIOR_REQUESTS + len(self._recent))
        )
        # The mean itself is known only as well as it was observed: at first, hardly.
        chance = requests + requests**2 / (PRIOR_REQUESTS + len(self._recent))
        return min(
            float(requests * max(self._tasks, *self._recent, 0)),  # some write more than asked
            requests * mean + CAUTION * deviation * math.sqrt(chance),
        )

    def below_floor(self) -> float | None:
        """Kept rows per request over the last requests, where that is below the floor."""
        if self._alike < FLOOR_REQUESTS:
            return None
        last = list(self._recent)[-FLOOR_REQUESTS:]
        mean = sum(last) / FLOOR_REQUESTS
        return mean if mean < LEAST_YIELD * self._tasks else None
