"""Steering: which controls a request gets, from what the kept rows before it lack.

A request's controls are a function of its number and of the rows kept from the requests a fixed
distance before it, so that the same replies give the same requests, whatever came first. Belongs
here: that bookkeeping. Does not: the draw itself (drawing).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from bioinstruct_dagster.generation.controls.file import Controls

BLOCK = 32  # requests that are drawn against one count of the pool
_FIRST_KEPT_SHARE = 0.8  # of the tasks asked for, while nothing has been checked

CountByValue = dict[str, dict[str, float]]


class ControlSteering:
    """Counts of what was asked and of what was kept, by request number.

    Args:
        controls: what may be asked.
        run_seed: of the series.
        tasks_per_request: rows a reply should hold.
        concurrency: requests in flight; the pool that a draw sees ends so far before it.
    """

    def __init__(
        self, controls: Controls, run_seed: int, tasks_per_request: int, concurrency: int
    ) -> None:
        self.controls = controls
        self._run_seed = run_seed
        self._tasks = tasks_per_request
        self._lag = -(-2 * concurrency // BLOCK) * BLOCK
        self._kept: CountByValue = _empty()
        self._asked: CountByValue = _empty()
        self._checked = 0
        self._rows = 0
        # By number of the first request of a block: what was kept, and asked, before it.
        self._kept_before: dict[int, tuple[CountByValue, float]] = {
            0: (_empty(), _FIRST_KEPT_SHARE)
        }
        self._asked_before: dict[int, CountByValue] = {0: _empty()}

    def draw(self, number: int) -> list[dict[str, str]]:
        """What to ask of each task of this request."""
        return self.controls.draw_all(self._run_seed, number, self._tasks, self._pool(number))

    def knows(self, controls: Sequence[Mapping[str, str]]) -> bool:
        """Whether the controls file still has all of these values."""
        shares = {dimension.id: dimension.shares for dimension in self.controls.dimensions}
        return all(
            task.keys() == shares.keys() and all(v in shares[d] for d, v in task.items())
            for task in controls
        )

    def asked(self, number: int, controls: Sequence[Mapping[str, str]]) -> None:
        """The request of this number asks for this; numbers come in order."""
        if number % BLOCK == 0:
            self._asked_before[number] = _copy(self._asked)
        for task in controls:
            for dimension, value in task.items():
                self._asked[dimension][value] += 1

    def checked(
        self,
        number: int,
        kept: Sequence[tuple[Mapping[str, str], Mapping[str, str] | None]],
    ) -> None:
        """These rows of this request were kept, each with what was asked of it; in order."""
        for dimension, counts in self.controls.count(kept).items():
            for value, count in counts.items():
                self._kept[dimension][value] += count
        self._checked += 1
        self._rows += len(kept)
        if (number + 1) % BLOCK == 0:
            share = self._rows / (self._checked * self._tasks)
            self._kept_before[number + 1] = (_copy(self._kept), share)

    def _pool(self, number: int) -> CountByValue:
        """Rows kept before a fixed distance, and those expected of the requests since."""
        start = max(0, number // BLOCK * BLOCK - self._lag)
        while start not in self._kept_before or start not in self._asked_before:
            start -= BLOCK  # a straggler holds the count up; what is known will do
        kept, share = self._kept_before[start]
        since = self._asked_before[start]
        pool = _copy(kept)
        for dimension, values in self._asked.items():
            for value, count in values.items():
                pool[dimension][value] += share * (count - since[dimension].get(value, 0.0))
        return pool


def _empty() -> CountByValue:
    return defaultdict(lambda: defaultdict(float))


def _copy(counts: CountByValue) -> CountByValue:
    copy = _empty()
    for dimension, values in counts.items():
        copy[dimension].update(values)
    return copy
