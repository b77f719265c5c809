"""Jobs: one makes the data set and others run experiments, so no data set run uses a GPU.

Belongs here: which assets a job materializes. Does not: when a job runs (schedules, sensors), or
the steps' work (training.assets, evaluation.assets).
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from bioinstruct_dagster.evaluation.assets import score_adapters
from bioinstruct_dagster.models.experiments import ExperimentMatrix
from bioinstruct_dagster.models.experiments.names import partition_key
from bioinstruct_dagster.models.gpu import GPU_POOL, GPU_TAGS
from bioinstruct_dagster.models.outcomes import ExperimentsFailedError
from bioinstruct_dagster.models.partitions import ExperimentStep
from bioinstruct_dagster.models.process.parent import ModelProcess
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.materialization import stating_errors
from bioinstruct_dagster.training.assets import train_adapters

DATA_SET_SELECTION = dg.AssetSelection.assets("hf_dataset").upstream()
TRAINING_SELECTION = dg.AssetSelection.groups("training", "evaluation")

data_set_job = dg.define_asset_job(
    "data_set",
    selection=DATA_SET_SELECTION,
    description="Materialize all assets from the seed tasks to the Hugging Face data set.",
)

# For a machine with idle cores: each step runs in its own process.
data_set_multiprocess_job = dg.define_asset_job(
    "data_set_multiprocess",
    selection=DATA_SET_SELECTION,
    executor_def=dg.multiprocess_executor,
    description=(
        "Materialize all assets from the seed tasks to the Hugging Face data set, with each step "
        "in its own process."
    ),
)

# This job has the partitions of its assets. A backfill runs the whole experiment matrix.
experiment_job = dg.define_asset_job(
    "experiment",
    selection=TRAINING_SELECTION,
    description=(
        "Train the LoRA adapter of one base model and recipe, and score it. "
        "A backfill over all partitions runs the whole experiment matrix."
    ),
)


class StudyConfig(dg.Config):
    """Which experiments a study runs."""

    experiments: list[str] = Field(
        description=(
            "Names of experiments, or patterns with * and ?, such as rehearsal-llama|all or "
            "llama-2-*|all-1k-*. Those that any of them names are trained and scored."
        )
    )
    retrain: bool = Field(
        default=False,
        description=(
            "Train again, even if there is an adapter with the same data, base model and recipe."
        ),
    )


def study_job(matrix: ExperimentMatrix) -> dg.JobDefinition:
    """The job `study`: it trains and scores any set of experiments in one run.

    A backfill also makes one run, but only of partitions that form a range. So this job is no asset
    job: its step reports the materializations of both assets, each as soon as it is made.
    """

    @dg.op(pool=GPU_POOL, tags=GPU_TAGS, out=dg.Out(dg.Nothing))
    @stating_errors
    def train_and_score(
        context: dg.OpExecutionContext,
        config: StudyConfig,
        store: dg.ResourceParam[Store],
        settings: dg.ResourceParam[Settings],
        process: dg.ResourceParam[ModelProcess],
    ) -> Iterator[Any]:
        """Train the chosen experiments' adapters, then score each adapter that there is."""
        experiments = matrix.names_of(config.experiments)
        listed = ", ".join(map(partition_key, experiments))
        some = "1 experiment" if len(experiments) == 1 else f"{len(experiments)} experiments"
        context.log.info("%s: %s", some, listed)
        step = ExperimentStep(context, matrix, store, settings, process)
        trained = yield from train_adapters(step, experiments, retrain=config.retrain)
        scored = yield from score_adapters(step, trained.made)
        faults = []
        for outcomes in (trained, scored):
            try:
                outcomes.refuse_failures()
            except ExperimentsFailedError as error:
                faults.append(str(error))
        if faults:
            raise ExperimentsFailedError("\n".join(faults))
        yield dg.Output(None)

    @dg.job(
        name="study",
        description=(
            "Train and score any set of experiments in one run, which loads each base model once. "
            "Each adapter is materialized as it ends, and if one fails, the others go on."
        ),
    )
    def study() -> None:
        train_and_score()

    return study
