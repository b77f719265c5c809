"""The queue of a study: which experiment a worker trains next.

A worker keeps its base model as long as the queue holds experiments of it. Belongs here: the order
of experiments, and which of them are still under way. Does not: training them (training.study.
trainer), or the workers' processes (training.study.workers).
"""

import threading
from collections import deque
from collections.abc import Sequence

from bioinstruct_dagster.training.spec import TrainingSpec
from bioinstruct_dagster.training.study.spec import base_group


class StudyQueue:
    """The experiments that no worker has taken yet, by base model. Threads may share it."""

    def __init__(self, experiments: Sequence[TrainingSpec]) -> None:
        self._waiting: dict[str, deque[TrainingSpec]] = {}
        self._holders: dict[str, int] = {}  # workers that have a group's base model in memory
        self._under_way = 0
        self._closed = False
        self._changed = threading.Condition()
        for spec in experiments:
            self._waiting.setdefault(base_group(spec), deque()).append(spec)

    def take(self, previous: TrainingSpec | None = None) -> TrainingSpec | None:
        """The next experiment for a worker; None if the study is over.

        It waits while the queue is empty but other workers are busy, because a worker that dies
        gives its experiment back.

        Args:
            previous: what the worker trained last. Its base model is still in memory.
        """
        with self._changed:
            while not any(self._waiting.values()):
                if not self._under_way or self._closed:
                    return None
                self._changed.wait()
            if self._closed:
                return None
            group = self._choose(base_group(previous) if previous else None)
            self._under_way += 1
            return self._waiting[group].popleft()

    def done(self) -> None:
        """An experiment that was taken is over, however it ended."""
        with self._changed:
            self._under_way -= 1
            self._changed.notify_all()

    def give_back(self, spec: TrainingSpec) -> None:
        """Another worker must train this experiment, because its worker died."""
        with self._changed:
            self._under_way -= 1
            self._waiting[base_group(spec)].appendleft(spec)
            self._changed.notify_all()

    def close(self) -> None:
        """No worker gets another experiment. Those that wait for one are told so."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _choose(self, held: str | None) -> str:
        if held is not None and self._waiting[held]:
            return held
        if held is not None:
            self._holders[held] = self._holders.get(held, 1) - 1
        waiting = [group for group, specs in self._waiting.items() if specs]
        # First a base model that no worker holds. Otherwise the one with most work for each worker.
        group = max(
            waiting, key=lambda one: len(self._waiting[one]) / (0.01 + self._holders.get(one, 0))
        )
        self._holders[group] = self._holders.get(group, 0) + 1
        return group
