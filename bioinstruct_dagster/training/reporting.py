"""The progress of one training run, with all its parts: counted operations, speed, and trackers.

Belongs here: putting the parts together for a specification. Does not: the parts
(training.progress, training.throughput, training.trackers).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.encoding import Example
from bioinstruct_dagster.training.progress import TrainingProgress
from bioinstruct_dagster.training.spec import TrainingSpec
from bioinstruct_dagster.training.throughput import SpeedLimit, flops_per_token, measured_limit
from bioinstruct_dagster.training.trackers import open_sinks


def open_progress(
    spec: TrainingSpec,
    base: LoadedBaseModel,
    model: Any,
    examples: Sequence[Example],
    *,
    folder: Path,
    log: Callable[[str], None],
    ranks: int = 1,
    memory_before: int = 0,
) -> TrainingProgress:
    """The progress of training a specification. Close it also if training fails.

    Args:
        spec: what is trained.
        base: its base model.
        model: the base model with the adapter.
        examples: the rows that are trained on.
        folder: the adapter's folder, in which the folder `tensorboard` is made.
        log: receives each line.
        ranks: processes that train together, each on a device of its own.
        memory_before: bytes that the process held after its imports; 0 on a GPU.
    """
    parameters = {
        **spec.recipe.model_dump(mode="json"),
        "base_model": spec.base.source,
        "base_fingerprint": base.fingerprint,
        "dataset_fingerprint": spec.dataset_fingerprint,
        "run_seed": spec.seed,
        "rows_trained_on": len(examples),
        "rehearsal": spec.rehearsal,
    }
    sinks = open_sinks(
        spec.experiment,
        log,
        tensorboard=folder / "tensorboard",
        tracker=spec.tracker,
        folder=Path(spec.adapters_dir).parent,
        parameters=parameters,
    )
    return TrainingProgress(
        spec.experiment,
        log,
        flops_per_token=flops_per_token(model, examples),
        limit=_limit(base, ranks),
        sinks=sinks,
        memory_before=memory_before,
    )


def _limit(base: LoadedBaseModel, ranks: int) -> SpeedLimit | None:
    """The speed of the matrix products of all ranks, in the type in which the model computes.

    None on a CPU: other processes share its cores, and its clock follows their load. A speed that
    was measured in half a second is then no limit: shares of 114 % and 199 % of it were seen.
    """
    if base.device == "cpu":
        return None
    dtype = str(base.model.dtype).removeprefix("torch.")
    one = measured_limit(base.device, dtype)
    if ranks == 1:
        return one
    return replace(
        one,
        name=f"the measured matmul speed of {ranks} devices",
        flops_per_second=one.flops_per_second * ranks,
        data_sheet=one.data_sheet and one.data_sheet * ranks,
    )
