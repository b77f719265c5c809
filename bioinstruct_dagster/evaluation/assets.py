"""Scores as an asset with one partition per experiment.

Belongs here: the step, and the rows in the store. Does not: scoring (evaluation.evaluate).
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from bioinstruct_dagster.dataset.version import DatasetVersion
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.evaluation.engine.predict import TASK
from bioinstruct_dagster.evaluation.evaluate import EvaluationSpec
from bioinstruct_dagster.evaluation.evaluate_study import EvaluationStudySpec
from bioinstruct_dagster.models.adapters import stored_folder
from bioinstruct_dagster.models.current_dataset import current_dataset
from bioinstruct_dagster.models.experiments import Experiment, ExperimentMatrix
from bioinstruct_dagster.models.experiments.names import experiment_columns, partition_key
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
from bioinstruct_dagster.store.fingerprints import sha256_of_rows
from bioinstruct_dagster.store.materialization import (
    OWNERS,
    markdown_table,
    materialization,
    materialized_before,
    partition_materialization,
    stating_errors,
)

CODE_VERSION = "1"
ADAPTER = """
    select adapter_path, adapter_sha256, dataset_fingerprint, prompt_version, rehearsal
    from lora_adapter
    where base_model = $base_model and recipe = $recipe
"""
SCORE_COLUMNS = ("metric", "category", "subject", "score", "ci_low", "ci_high", "n")


def eval_scores_asset(matrix: ExperimentMatrix, where: str = "local") -> dg.AssetsDefinition:
    """The asset `eval_scores` with the matrix's experiments as partitions.

    Args:
        matrix: the experiments.
        where: the setting BIOINSTRUCT_COMPUTE.
    """

    @dg.asset(
        group_name="evaluation",
        kinds={"pytorch", "duckdb"},
        owners=OWNERS,
        code_version=CODE_VERSION,
        deps=["hf_dataset", "lora_adapter"],
        partitions_def=experiment_partitions(matrix),
        output_required=False,  # no output: all experiments were passed over
        pool=GPU_POOL,
        op_tags=gpu_tags(where),
        backfill_policy=single_run(),
    )
    @stating_errors
    def eval_scores(
        context: dg.AssetExecutionContext,
        store: dg.ResourceParam[Store],
        settings: dg.ResourceParam[Settings],
        process: dg.ResourceParam[ModelProcess],
    ) -> Iterator[Any]:
        """Scores of the base model, of the adapter, and their difference on the test split.

        The metrics are the loss on the held-out outputs and the ROUGE-L F1 of greedily decoded
        answers. Each score has a bootstrap 95 % confidence interval, the number of items, the
        prompt version and the fingerprint of the data set. Differences are paired by item. The
        table `eval_predictions` holds the prediction for each item. A run may score several
        partitions: it loads each base model once, and goes on if one fails.
        """
        step = ExperimentStep(context, matrix, store, settings, process)
        outcomes = yield from score_adapters(step, experiments_of(context))
        outcomes.refuse_failures()
        if outcomes.made:
            yield materialized_before()

    return eval_scores


def score_adapters(
    step: ExperimentStep, experiments: Sequence[Experiment]
) -> Generator[dg.AssetMaterialization, None, ExperimentOutcomes]:
    """Score the experiments' adapters in one model process, and store each one's scores at once.

    Yields:
        The materialization of each partition of `eval_scores`.

    Returns:
        How each experiment ended. A failure is part of the account.
    """
    outcomes = ExperimentOutcomes("scored")
    dataset = current_dataset(step.store, step.settings)
    adapters: dict[Experiment, dict[str, Any]] = {}
    for one in step.of_reached_sizes(experiments, outcomes):
        try:
            adapters[one] = _adapter(step, one, dataset)
        except StatedError as error:
            step.failed(one, str(error), outcomes)
    if not adapters:
        return outcomes
    specs = {
        partition_key(one): EvaluationSpec(
            base=step.matrix.base_models[one[0]],
            adapter_path=adapter["adapter_path"],
            dataset_path=str(dataset.path),
            dataset_fingerprint=dataset.fingerprint,
            models_dir=str(step.settings.store.data_dir / "models"),
            seed=step.settings.runs.seed,
            recipe=step.matrix.recipe(*one),
            adapter_sha256=adapter["adapter_sha256"],
        )
        for one, adapter in adapters.items()
    }
    module = "bioinstruct_dagster.evaluation"
    study = EvaluationStudySpec(specs).to_json()
    waiting = {partition_key(one): one for one in adapters}
    with (
        step.told_if_cancelled(lambda: outcomes.cancelled(adapters, {})),
        closing(step.made_by(module, study, waiting, outcomes)) as made,
    ):
        for one, message in made:
            shown = _store(step, one, adapters[one], dataset, message["result"])
            outcomes.made.append(one)
            yield partition_materialization(
                step.context,
                "eval_scores",
                experiment_key(*one),
                shown,
                code_version=CODE_VERSION,
                upstream={"hf_dataset": None, "lora_adapter": experiment_key(*one)},
            )
    return outcomes


def _adapter(step: ExperimentStep, one: Experiment, dataset: DatasetVersion) -> dict[str, Any]:
    """The row of the experiment's adapter, with its folder as it is now.

    Raises:
        AdapterPlaceError: it is not in the data folder.
        StatedError: there is none, or it was trained on another version of the data set.
    """
    name = partition_key(one)
    found = step.store.rows(ADAPTER, experiment_columns(one))
    if not found:
        raise StatedError(
            f"There is no adapter for {name}. Materialize key:lora_adapter with "
            f"--partition '{name}' first."
        )
    if dataset.fingerprint != found[0]["dataset_fingerprint"]:
        raise StatedError(
            f"The adapter for {name} was trained on another version of the data set, so the test "
            "split may hold rows that it was trained on. Materialize key:lora_adapter with "
            f"--partition '{name}' first."
        )
    folder = stored_folder(found[0]["adapter_path"], step.settings.store.data_dir)
    return found[0] | {"adapter_path": str(folder)}


def _store(
    step: ExperimentStep,
    one: Experiment,
    adapter: Mapping[str, Any],
    dataset: DatasetVersion,
    result: Mapping[str, Any],
) -> dg.MaterializeResult[None]:
    """Store the scores and predictions of an experiment. Returns what the UI shows of them."""
    experiment = experiment_columns(one)
    provenance = {
        "task": TASK,
        "prompt_version": adapter["prompt_version"],
        "dataset_fingerprint": dataset.fingerprint,
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
        {**experiment, **item, "rehearsal": adapter["rehearsal"]} for item in result["predictions"]
    ]
    step.store.replace({"eval_scores": scores, "eval_predictions": predictions}, part=experiment)
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
        step.context,
        step.store,
        "eval_scores",
        sha256_of_rows(scores, SCORE_COLUMNS),
        rehearsal=adapter["rehearsal"],
        part=experiment,
        extra={"scores": dg.MetadataValue.md(markdown_table(shown)), **overall},
    )
