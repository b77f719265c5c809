"""Adapters as an asset with one partition per experiment.

Belongs here: the step, and the rows in the store. Does not: training (training.study).
"""

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field

from bioinstruct_dagster.dataset.checks import renewing_older_result_checks
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.figures.curves import loss_curve
from bioinstruct_dagster.figures.sheet import summary
from bioinstruct_dagster.models.adapters import stored_path
from bioinstruct_dagster.models.current_dataset import current_dataset
from bioinstruct_dagster.models.encoding import LeftOutRow
from bioinstruct_dagster.models.experiments import Experiment, ExperimentMatrix
from bioinstruct_dagster.models.experiments.names import experiment_columns
from bioinstruct_dagster.models.gpu import GPU_POOL, gpu_tags
from bioinstruct_dagster.models.outcomes import ExperimentOutcomes
from bioinstruct_dagster.models.partitions import (
    ExperimentStep,
    experiment_key,
    experiment_partitions,
    experiments_of,
    single_run,
)
from bioinstruct_dagster.models.process.parent import ModelProcess
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.materialization import (
    OWNERS,
    last_metadata,
    markdown_table,
    materialization,
    materialized_before,
    partition_materialization,
)
from bioinstruct_dagster.store.schema import column_notes
from bioinstruct_dagster.store.step_failures import StepConfig, stating_errors
from bioinstruct_dagster.training.card import proof_table, run_table
from bioinstruct_dagster.training.left_out import left_out_table
from bioinstruct_dagster.training.shown import VALIDATION_LOSS, training_sentence
from bioinstruct_dagster.training.spec import TrainingSpec, training_spec
from bioinstruct_dagster.training.study.spec import StudySpec

CODE_VERSION = "2"
_SHOWN_ROWS = 10  # of those that were left out or shortened


class LoraAdapterConfig(StepConfig):
    """What one run may set."""

    retrain: bool = Field(
        default=False,
        description=(
            "Train again, even if there is an adapter with the same data, base model and recipe."
        ),
    )


def lora_adapter_asset(matrix: ExperimentMatrix, where: str = "local") -> dg.AssetsDefinition:
    """The asset `lora_adapter` with the matrix's experiments as partitions.

    Args:
        matrix: the experiments.
        where: the setting BIOINSTRUCT_COMPUTE.
    """

    @dg.asset(
        group_name="training",
        kinds={"pytorch", "huggingface"},
        owners=OWNERS,
        code_version=CODE_VERSION,
        deps=["hf_dataset"],
        partitions_def=experiment_partitions(matrix),
        output_required=False,  # no output: all experiments were passed over
        pool=GPU_POOL,
        op_tags=gpu_tags(where),
        backfill_policy=single_run(),
    )
    @stating_errors
    def lora_adapter(
        context: dg.AssetExecutionContext,
        config: LoraAdapterConfig,
        store: dg.ResourceParam[Store],
        settings: dg.ResourceParam[Settings],
        process: dg.ResourceParam[ModelProcess],
    ) -> Iterator[Any]:
        """A LoRA adapter for one base model and one recipe, as safetensors. Open it with
        `PeftModel.from_pretrained`. An adapter of the same data, model and recipe is reused.
        """
        # Training has its own process, on a GPU if there is one. A run may train several
        # partitions: it loads each base model once, materializes each partition as it ends, and
        # goes on if one fails. A recipe that asks for more rows than the data set has is passed
        # over. A backfill of scattered partitions makes one run for each base model and block of
        # neighbouring recipes. The job `study` takes any set of experiments in one run.
        step = ExperimentStep(context, matrix, store, settings, process)
        with renewing_older_result_checks(context.instance, store):
            outcomes = yield from train_adapters(
                step, experiments_of(context, matrix), retrain=config.retrain
            )
        outcomes.refuse_failures()
        if outcomes.made:
            yield materialized_before()

    return lora_adapter


def train_adapters(
    step: ExperimentStep, experiments: Sequence[Experiment], *, retrain: bool
) -> Generator[dg.AssetMaterialization, None, ExperimentOutcomes]:
    """Train the experiments in one model process, and store each adapter as it ends.

    Yields:
        The materialization of each partition of `lora_adapter`.

    Returns:
        How each experiment ended. A failure is part of the account.
    """
    outcomes = ExperimentOutcomes("trained")
    dataset = current_dataset(step.store, step.settings)
    specs = {
        one: training_spec(step.matrix, *one, dataset, step.settings)
        for one in step.of_reached_sizes(experiments, outcomes)
    }

    def stored(one: Experiment, result: dict[str, Any], *, reused: bool) -> dg.AssetMaterialization:
        _store(step, one, result)
        outcomes.made.append(one)
        return partition_materialization(
            step.context,
            "lora_adapter",
            experiment_key(*one),
            _shown(step, one, result, reused=reused),
            code_version=CODE_VERSION,
            upstream={"hf_dataset": None},
        )

    from bioinstruct_dagster.training.train import last_update  # all of training comes with it

    waiting: dict[str, Experiment] = {}
    for one, spec in specs.items():
        result = None if retrain else _finished(spec)
        if result is None:
            waiting[spec.experiment] = one
            continue
        step.context.log.info(
            "%s: same data, base model and recipe as %s: adapter reused",
            spec.experiment,
            result["adapter_path"],
        )
        yield stored(one, result, reused=True)
    if waiting:
        study = StudySpec(
            tuple(specs[one] for one in waiting.values()),
            retrain,
            step.settings.models.training_workers,
            step.settings.models.training_ranks,
        )
        module = "bioinstruct_dagster.training"

        def left() -> str:
            begun = {one: last_update(specs[one]) for one in waiting.values()}
            known = {one: update for one, update in begun.items() if update is not None}
            return outcomes.cancelled(waiting.values(), known)

        with (
            step.told_if_cancelled(left),
            closing(step.made_by(module, study.to_json(), waiting, outcomes)) as made,
        ):
            for one, message in made:
                yield stored(one, message["result"], reused=message["reused"])
    return outcomes


def _finished(spec: TrainingSpec) -> dict[str, Any] | None:
    from bioinstruct_dagster.training.train import finished

    try:
        return finished(spec)
    except StatedError:
        return None  # the model process says what is wrong with the base model


def _store(step: ExperimentStep, one: Experiment, result: dict[str, Any]) -> None:
    experiment = experiment_columns(one)
    row = experiment | {name: result[name] for name in column_notes("lora_adapter") & result.keys()}
    row["adapter_path"] = stored_path(Path(result["adapter_path"]), step.settings.store.data_dir)
    row["trained_at"] = datetime.fromisoformat(result["trained_at"])
    row["validation_losses"] = [
        {"update_number": update, "loss": loss} for update, loss in result["validation_losses"]
    ]
    for name in ("proof", "run_facts"):
        row[name] = json.dumps(result[name])
    left_out = left_out_table(
        *one, [LeftOutRow(**row) for row in result["left_out"]], rehearsal=result["rehearsal"]
    )
    step.store.replace({"lora_adapter": [row], "rows_left_out": left_out}, part=experiment)


def _shown(
    step: ExperimentStep, one: Experiment, result: dict[str, Any], *, reused: bool
) -> dg.MaterializeResult[None]:
    """What the UI shows of an adapter."""
    validation = result["validation_losses"]
    curve = loss_curve(result["losses"], validation, result["steps"])
    lowest = min((float(loss) for _, loss in validation), default=None)
    before = last_metadata(step.context, "lora_adapter", experiment_key(*one))
    left_out = {
        "first rows left out": dg.MetadataValue.md(markdown_table(result["left_out"][:_SHOWN_ROWS]))
    }
    card = Path(result["adapter_path"], "README.md")
    cards = {"card": dg.MetadataValue.md(card.read_text("utf-8"))} if card.is_file() else {}
    found = result["run_facts"].get("useful_tokens_per_second")
    speed = {"useful tokens a second": round(found, 1)} if found else {}
    return materialization(
        step.context,
        step.store,
        "lora_adapter",
        result["adapter_sha256"],
        part=experiment_columns(one),
        preview=False,
        extra={
            "summary": dg.MetadataValue.md(
                summary(training_sentence(result, before.get(VALIDATION_LOSS)), curve)
            ),
            **({} if lowest is None else {VALIDATION_LOSS: round(lowest, 4)}),
            "first loss": round(result["first_loss"], 4),
            "last loss": round(result["last_loss"], 4),
            "path": dg.MetadataValue.path(result["adapter_path"]),
            "reused": reused,
            "data set": result["dataset_fingerprint"],
            "train rows": result["train_rows"],
            "rows left out": result["rows_left_out"],
            "rows shortened": result["rows_shortened"],
            **(left_out if result["left_out"] else {}),
            "device": result["device"],
            **speed,
            "run": dg.MetadataValue.md(markdown_table(run_table(result))),
            "proof": dg.MetadataValue.md(markdown_table(proof_table(result))),
            **cards,
        },
    )
