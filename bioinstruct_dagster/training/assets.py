"""Adapters as an asset with one partition per experiment.

Belongs here: the step, and the row in the store. Does not: training (training.train).
"""

import json
from datetime import datetime

import dagster as dg
from pydantic import Field

from bioinstruct_dagster import figures
from bioinstruct_dagster.models.current_dataset import current_dataset
from bioinstruct_dagster.models.experiments import ExperimentMatrix
from bioinstruct_dagster.models.gpu import GPU_POOL, GPU_TAGS
from bioinstruct_dagster.models.partitions import experiment_of, experiment_partitions
from bioinstruct_dagster.models.process.parent import ModelProcess
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.materialization import OWNERS, materialization, stating_errors
from bioinstruct_dagster.training.spec import training_spec
from bioinstruct_dagster.training.train import finished


class LoraAdapterConfig(dg.Config):
    """What one run may set."""

    retrain: bool = Field(
        default=False,
        description=(
            "Train again, even if there is an adapter with the same data, base model and recipe."
        ),
    )


def lora_adapter_asset(matrix: ExperimentMatrix) -> dg.AssetsDefinition:
    """The asset `lora_adapter` with the matrix's experiments as partitions."""

    @dg.asset(
        group_name="training",
        kinds={"pytorch", "huggingface"},
        owners=OWNERS,
        code_version="1",
        deps=["hf_dataset"],
        partitions_def=experiment_partitions(matrix),
        pool=GPU_POOL,
        op_tags=GPU_TAGS,
    )
    @stating_errors
    def lora_adapter(
        context: dg.AssetExecutionContext,
        config: LoraAdapterConfig,
        store: dg.ResourceParam[Store],
        settings: dg.ResourceParam[Settings],
        process: dg.ResourceParam[ModelProcess],
    ) -> dg.MaterializeResult[None]:
        """A LoRA adapter for one base model and one recipe, as safetensors.

        Open it with `PeftModel.from_pretrained`. Training uses peft and transformers in a separate
        process, on a GPU if there is one, and computes the loss on the response tokens only. The
        run reuses an existing adapter with the same data, base model, recipe and seed. The file
        `data/experiments.yaml` lists base models and recipes.
        """
        base_model, recipe = experiment_of(context)
        spec = training_spec(matrix, base_model, recipe, current_dataset(store, settings), settings)
        result = None if config.retrain else finished(spec)
        reused = result is not None
        if result is None:
            result = process.run(context, "bioinstruct_dagster.training", spec.to_json())
        else:
            context.log.info(
                "Same data, base model and recipe as %s: adapter reused", result["adapter_path"]
            )

        experiment = {"base_model": base_model, "recipe": recipe}
        row = {**experiment, **result}
        row["trained_at"] = datetime.fromisoformat(result["trained_at"])
        row.pop("base_path")
        for name in ("proof", "run_facts"):
            row[name] = json.dumps(result[name])
        store.replace({"lora_adapter": [row]}, part=experiment)
        return materialization(
            context,
            store,
            "lora_adapter",
            result["adapter_sha256"],
            rehearsal=result["rehearsal"],
            part=experiment,
            extra={
                "loss_curve": dg.MetadataValue.md(figures.curve("Training loss", result["losses"])),
                "first_loss": result["first_loss"],
                "last_loss": result["last_loss"],
                "train_rows": result["train_rows"],
                "train_tokens_per_second": result["train_tokens"] / result["train_seconds"],
                "device": result["device"],
                "reused": reused,
                "path": dg.MetadataValue.path(result["adapter_path"]),
            },
        )

    return lora_adapter
