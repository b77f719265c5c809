"""Training a study: every experiment of a specification, by one worker or by one for each GPU.

Belongs here: how many workers there are, and the report of each experiment as it ends. Does not:
the workers' processes (training.study.workers), or one experiment (training.study.trainer).
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bioinstruct_dagster.models.process.turns import turn, visible_gpus
from bioinstruct_dagster.training.loop.ranks import joined_ranks
from bioinstruct_dagster.training.study.queue import StudyQueue
from bioinstruct_dagster.training.study.ranked import train_with_ranks
from bioinstruct_dagster.training.study.spec import StudySpec
from bioinstruct_dagster.training.study.trainer import StudyTrainer
from bioinstruct_dagster.training.study.workers import train_with_workers

Log = Callable[[str], None]
Report = Callable[[dict[str, Any]], None]


def train_study(spec: StudySpec, log: Log, report: Report) -> None:
    """Train all experiments, and go on with the rest if one fails.

    A base model is loaded once, and a row is encoded once for each base model and `max_length`. An
    intact adapter with the same data, base model and recipe is reused. What else the study trains
    does not change an adapter.

    Args:
        spec: the experiments.
        log: takes one line.
        report: takes a message about each experiment when it ends; see `StudyTrainer.outcome`.
    """
    if not spec.experiments:
        return
    if is_rank():  # the process that started the ranks has their turn
        _train(spec, [None], log, report)
        return
    devices = worker_devices(spec.workers)[: len(spec.experiments)]
    # A single worker uses the first GPU, and ranks the first ones.
    gpus = visible_gpus()[: spec.ranks] if spec.ranks > 1 else [one for one in devices if one]
    with turn(_described(spec), sorted(set(gpus)), Path(spec.experiments[0].models_dir), log):
        if spec.ranks > 1:
            train_with_ranks(spec, log, report)
        else:
            _train(spec, devices, log, report)


def _train(spec: StudySpec, devices: list[str | None], log: Log, report: Report) -> None:
    queue = StudyQueue(spec.experiments)
    if len(devices) > 1:
        train_with_workers(queue, devices, log, report, retrain=spec.retrain)
        return
    with joined_ranks() as ranks:
        trainer = StudyTrainer(log if ranks.first else _silent)
        previous = None
        while experiment := queue.take(previous):
            report(trainer.outcome(experiment, retrain=spec.retrain))
            queue.done()
            previous = experiment


def is_rank() -> bool:
    """Whether torchrun has started this process as one of several ranks."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1 and "RANK" in os.environ


def _described(spec: StudySpec) -> str:
    first, *more = (one.experiment for one in spec.experiments)
    return f"trains {first}{f' and {len(more)} more' if more else ''}"


def _silent(_: str) -> None:
    """Say nothing."""


def worker_devices(workers: int) -> list[str | None]:
    """The device of each worker: an entry of CUDA_VISIBLE_DEVICES, or None for a CPU.

    Args:
        workers: the number of workers; 0 for one for each GPU, and for one if there is no GPU.
    """
    gpus = visible_gpus()
    if not gpus:
        return [None] * max(1, workers)
    return [gpus[number % len(gpus)] for number in range(workers or len(gpus))]
