"""Steering: the controls of each request, from what the kept rows before it lack.

A request's controls depend on its number and on the rows kept from requests that are at least a
fixed number of requests older. So equal replies give equal requests, in whatever order they arrive.

Belongs here: counts of requested values and of kept rows. Does not: the draw itself (drawing).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from bioinstruct_dagster.generation.controls.file import Controls

BLOCK_REQUESTS = 32  # this many requests are drawn against one count of the pool
_FIRST_KEPT_SHARE = 0.8  # of the requested tasks; assumed until requests have been checked

CountByValue = dict[str, dict[str, float]]


class ControlSteering:
    """Draws the controls of requests, and counts requested values and kept rows by number.

    Args:
        controls: the controls file.
        run_seed: the run seed of the series.
        tasks_per_request: rows that a reply should hold.
        concurrency: requests in flight. A draw counts no kept rows of the latest
            2 * `concurrency` requests.
    """

    def __init__(
        self, controls: Controls, run_seed: int, tasks_per_request: int, concurrency: int
    ) -> None:
        self.controls = controls
        self._run_seed = run_seed
        self._tasks = tasks_per_request
        self._lag = -(-2 * concurrency // BLOCK_REQUESTS) * BLOCK_REQUESTS
        self._kept_counts: CountByValue = _empty_counts()
        self._requested_counts: CountByValue = _empty_counts()
        self._checked_requests = 0
        self._kept_rows = 0
        # By number of a block's first request: the kept rows and requested values before it.
        self._kept_before: dict[int, tuple[CountByValue, float]] = {
            0: (_empty_counts(), _FIRST_KEPT_SHARE)
        }
        self._requested_before: dict[int, CountByValue] = {0: _empty_counts()}

    def draw(self, number: int) -> list[dict[str, str]]:
        """The values to request of each task of this request."""
        return self.controls.draw_all(self._run_seed, number, self._tasks, self._pool(number))

    def has_values(self, controls: Sequence[Mapping[str, str]]) -> bool:
        """Whether the controls file still has all of these values."""
        shares = {dimension.id: dimension.shares for dimension in self.controls.dimensions}
        return all(
            task.keys() == shares.keys() and all(v in shares[d] for d, v in task.items())
            for task in controls
        )

    def note_requested(self, number: int, controls: Sequence[Mapping[str, str]]) -> None:
        """Count the controls of this request. Call it in the order of numbers."""
        if number % BLOCK_REQUESTS == 0:
            self._requested_before[number] = _copy_of(self._requested_counts)
        for task in controls:
            for dimension, value in task.items():
                self._requested_counts[dimension][value] += 1

    def note_kept(
        self,
        number: int,
        kept: Sequence[tuple[Mapping[str, str], Mapping[str, str] | None]],
    ) -> None:
        """Count the kept rows of this request, each with its controls, in the order of numbers."""
        for dimension, counts in self.controls.count(kept).items():
            for value, count in counts.items():
                self._kept_counts[dimension][value] += count
        self._checked_requests += 1
        self._kept_rows += len(kept)
        if (number + 1) % BLOCK_REQUESTS == 0:
            share = self._kept_rows / (self._checked_requests * self._tasks)
            self._kept_before[number + 1] = (_copy_of(self._kept_counts), share)

    def _pool(self, number: int) -> CountByValue:
        """Rows kept from older requests, plus the rows expected of the requests since then."""
        start = max(0, number // BLOCK_REQUESTS * BLOCK_REQUESTS - self._lag)
        while start not in self._kept_before or start not in self._requested_before:
            start -= BLOCK_REQUESTS  # a late reply delays the count, so use an older block
        kept, share = self._kept_before[start]
        since = self._requested_before[start]
        pool = _copy_of(kept)
        for dimension, values in self._requested_counts.items():
            for value, count in values.items():
                pool[dimension][value] += share * (count - since[dimension].get(value, 0.0))
        return pool


def _empty_counts() -> CountByValue:
    return defaultdict(lambda: defaultdict(float))


def _copy_of(counts: CountByValue) -> CountByValue:
    copy = _empty_counts()
    for dimension, values in counts.items():
        copy[dimension].update(values)
    return copy
