"""Several workers of a study, each a process with its own GPU.

Belongs here: starting the processes, giving them experiments, and what happens if one dies. Does
not: the work in such a process (training.study.worker), or the order of work (training.study.
queue).
"""

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from bioinstruct_dagster.training.spec import TrainingSpec
from bioinstruct_dagster.training.study.queue import StudyQueue

_MODULE = "bioinstruct_dagster.training.study.worker"
# An experiment whose worker died is tried once more, because the cause may have been a neighbour
# that took the memory. One that kills two workers would kill the next one too.
_MOST_DEATHS = 2


def train_with_workers(
    queue: StudyQueue,
    devices: Sequence[str | None],
    log: Callable[[str], None],
    report: Callable[[dict[str, Any]], None],
    *,
    retrain: bool = False,
) -> None:
    """Train the queue's experiments, with one worker for each device.

    Returns when each experiment was reported once. If a worker dies, another one takes its
    experiment. If that one dies too, the experiment is reported as failed.
    """
    team = _Team(queue, devices, log, report, retrain=retrain)
    # The threads only wait for their workers.
    with ThreadPoolExecutor(len(devices)) as threads:
        futures = [threads.submit(team.work, number) for number in range(len(devices))]
        try:
            for future in as_completed(futures):
                future.result()  # raises what the thread raised
        finally:
            team.stop()


class _Team:
    """The workers, and what they share."""

    def __init__(
        self,
        queue: StudyQueue,
        devices: Sequence[str | None],
        log: Callable[[str], None],
        report: Callable[[dict[str, Any]], None],
        *,
        retrain: bool,
    ) -> None:
        self._queue = queue
        self._devices = devices
        self._log = log
        self._report = report
        self._retrain = retrain
        self._one_at_a_time = threading.Lock()
        self._deaths: Counter[str] = Counter()
        self._processes: dict[int, subprocess.Popen[str]] = {}
        self._stopped = False

    def work(self, number: int) -> None:
        """Let worker `number` train experiments until the queue is empty."""
        previous: TrainingSpec | None = None
        while spec := self._queue.take(previous):
            process = self._process(number)
            outcome = self._trained_by(process, spec)
            if self._stopped:
                return
            if outcome is None:
                previous = None
                self._after_death(number, process, spec)
                continue
            previous = spec
            with self._one_at_a_time:
                self._report(outcome)
            self._queue.done()
        idle = self._processes.get(number)
        if idle is not None and idle.stdin:
            idle.stdin.close()  # the worker ends
            idle.wait()

    def stop(self) -> None:
        """End all workers, those that are busy too."""
        self._stopped = True
        self._queue.close()
        for process in self._processes.values():
            if process.poll() is None:
                process.kill()

    def _process(self, number: int) -> "subprocess.Popen[str]":
        process = self._processes.get(number)
        if process is None or process.poll() is not None:
            process = subprocess.Popen(  # noqa: S603  # this project's own module
                [sys.executable, "-m", _MODULE],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=self._environment(number),
            )
            self._processes[number] = process
        return process

    def _environment(self, number: int) -> dict[str, str]:
        environment = dict(os.environ)
        device = self._devices[number]
        if device is not None:
            environment["CUDA_VISIBLE_DEVICES"] = device
        # Without this, each worker would use all cores, and they would wait for each other.
        share = max(1, (os.cpu_count() or 1) // len(self._devices))
        environment.setdefault("OMP_NUM_THREADS", str(share))
        return environment

    def _trained_by(
        self, process: "subprocess.Popen[str]", spec: TrainingSpec
    ) -> dict[str, Any] | None:
        """The outcome that the worker reports; None if it died before."""
        order = {"spec": json.loads(spec.to_json()), "retrain": self._retrain}
        if process.stdin is None or process.stdout is None:
            raise AssertionError("the worker was started with pipes")
        try:
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            return None
        for line in process.stdout:
            if not line.endswith("\n"):
                break  # the worker died while it wrote this line
            message: dict[str, Any] = json.loads(line)
            if message["kind"] != "log":
                return message
            with self._one_at_a_time:
                self._log(message["line"])
        return None

    def _after_death(
        self, number: int, process: "subprocess.Popen[str]", spec: TrainingSpec
    ) -> None:
        self._deaths[spec.experiment] += 1
        status = process.wait()
        cause = f"signal {-status}" if status < 0 else f"exit status {status}"
        line = f"{spec.experiment}: worker {number} died ({cause})"
        if self._deaths[spec.experiment] < _MOST_DEATHS:
            with self._one_at_a_time:
                self._log(f"{line}; a new worker trains this experiment")
            self._queue.give_back(spec)
            return
        error = (
            f"{line} and so did another worker. If the log shows no other reason, the machine ran "
            "out of memory: set BIOINSTRUCT_TRAINING_WORKERS to a lower number, or lower "
            "max_length or lora_rank of the recipe in the experiment file "
            "(BIOINSTRUCT_EXPERIMENTS)."
        )
        with self._one_at_a_time:
            self._report({"kind": "failed", "experiment": spec.experiment, "error": error})
        self._queue.done()
