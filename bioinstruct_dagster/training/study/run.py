"""Training a study: every experiment of a specification, by one worker or by one for each GPU.

Belongs here: how many workers there are, and the report of each experiment as it ends. Does not:
the workers' processes (training.study.workers), or one experiment (training.study.trainer).
"""

import os
from collections.abc import Callable
from typing import Any

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
    if spec.ranks > 1 and not is_rank():
        train_with_ranks(spec, log, report)
        return
    queue = StudyQueue(spec.experiments)
    devices = [None] if is_rank() else worker_devices(spec.workers)[: len(spec.experiments)]
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


def _silent(_: str) -> None:
    """Say nothing."""


def worker_devices(workers: int) -> list[str | None]:
    """The device of each worker: an entry of CUDA_VISIBLE_DEVICES, or None for a CPU.

    Args:
        workers: the number of workers; 0 for one for each GPU, and for one if there is no GPU.
    """
    import torch

    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = torch.cuda.device_count()  # asks the driver, and uses no memory of a GPU
    names = visible.split(",") if visible else [str(number) for number in range(count)]
    gpus = [name.strip() for name in names][:count]
    if not gpus:
        return [None] * max(1, workers)
    return [gpus[number % len(gpus)] for number in range(workers or len(gpus))]
