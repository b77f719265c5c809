"""Scores as an asset with one partition per experiment.

Belongs here: the step, and the rows in the store. Does not: scoring (evaluation.evaluate).
"""

from datetime import UTC, datetime

import dagster as dg

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.evaluation.engine.predict import TASK
from bioinstruct_dagster.evaluation.evaluate import EvaluationSpec
from bioinstruct_dagster.models.current_dataset import current_dataset
from bioinstruct_dagster.models.experiments import ExperimentMatrix
from bioinstruct_dagster.models.gpu import GPU_POOL, GPU_TAGS
from bioinstruct_dagster.models.partitions import experiment_of, experiment_partitions
from bioinstruct_dagster.models.process.parent import ModelProcess
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of_rows
from bioinstruct_dagster.store.materialization import (
    OWNERS,
    markdown_table,
    materialization,
    stating_errors,
)

ADAPTER = """
    select adapter_path, adapter_sha256, dataset_fingerprint, prompt_version, rehearsal
    from lora_adapter
    where base_model = $base_model and recipe = $recipe
"""
SCORE_COLUMNS = ("metric", "category", "subject", "score", "ci_low", "ci_high", "n")


def eval_scores_asset(matrix: ExperimentMatrix) -> dg.AssetsDefinition:
    """The asset `eval_scores` with the matrix's experiments as partitions."""

    @dg.asset(
        group_name="evaluation",
        kinds={"pytorch", "duckdb"},
        owners=OWNERS,
        code_version="1",
        deps=["hf_dataset", "lora_adapter"],
        partitions_def=experiment_partitions(matrix),
        pool=GPU_POOL,
        op_tags=GPU_TAGS,
    )
    @stating_errors
    def eval_scores(
        context: dg.AssetExecutionContext,
        store: dg.ResourceParam[Store],
        settings: dg.ResourceParam[Settings],
        process: dg.ResourceParam[ModelProcess],
    ) -> dg.MaterializeResult[None]:
        """Scores of the base model, of the adapter, and their difference on the test split.

        The metrics are the loss on the held-out outputs and the ROUGE-L F1 of greedily decoded
        answers. Each score has a bootstrap 95 % confidence interval, the number of items, the
        prompt version and the fingerprint of the data set. Differences are paired by item. The
        table `eval_predictions` holds the prediction for each item.
        """
        base_model, recipe = experiment_of(context)
        experiment = {"base_model": base_model, "recipe": recipe}
        found = store.rows(ADAPTER, experiment)
        if not found:
            raise StatedError(
                f"There is no adapter for {base_model}|{recipe}. Materialize key:lora_adapter with "
                f"--partition '{base_model}|{recipe}' first."
            )
        adapter = found[0]
        dataset = current_dataset(store, settings)
        if dataset.fingerprint != adapter["dataset_fingerprint"]:
            raise StatedError(
                f"The adapter for {base_model}|{recipe} was trained on another version of the data "
                "set, so the test split may hold rows that it was trained on. Materialize "
                f"key:lora_adapter with --partition '{base_model}|{recipe}' first."
            )
        spec = EvaluationSpec(
            base=matrix.base_models[base_model],
            adapter_path=adapter["adapter_path"],
            dataset_path=str(dataset.path),
            dataset_fingerprint=dataset.fingerprint,
            models_dir=str(settings.store.data_dir / "models"),
            seed=settings.runs.seed,
        )
        result = process.run(context, "bioinstruct_dagster.evaluation", spec.to_json())
        provenance = {
            "task": TASK,
            "prompt_version": adapter["prompt_version"],
            "dataset_fingerprint": spec.dataset_fingerprint,
            "base_fingerprint": result["base_fingerprint"],
            "rehearsal": adapter["rehearsal"],
            "scored_at": datetime.now(UTC),
        }
        scores = [
            {
                **experiment,
                **provenance,
                **score,
                "adapter_sha256": None if score["subject"] == "base" else adapter["adapter_sha256"],
            }
            for score in result["scores"]
        ]
        predictions = [
            {**experiment, **item, "rehearsal": adapter["rehearsal"]}
            for item in result["predictions"]
        ]
        store.replace({"eval_scores": scores, "eval_predictions": predictions}, part=experiment)
        overall = {
            f"{s['metric']}_{s['subject']}": s["score"]
            for s in result["scores"]
            if s["category"] == "all"
        }
        shown = [
            {
                name: f"{s[name]:.4f}" if isinstance(s[name], float) else s[name]
                for name in SCORE_COLUMNS
            }
            for s in result["scores"]
        ]
        return materialization(
            context,
            store,
            "eval_scores",
            sha256_of_rows(scores, SCORE_COLUMNS),
            rehearsal=adapter["rehearsal"],
            part=experiment,
            extra={"scores": dg.MetadataValue.md(markdown_table(shown)), **overall},
        )

    return eval_scores
