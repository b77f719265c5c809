"""The asset `data_worth`: was the last refresh worth it?

Belongs here: the step. Does not: the plan and the rows (findings.worth.trial), or the words on its
page (findings.worth.shown).
"""

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from bioinstruct_dagster.models.current_dataset import current_dataset, train_rows
from bioinstruct_dagster.models.experiments import Experiment, ExperimentMatrix
from bioinstruct_dagster.models.experiments.names import partition_key
from bioinstruct_dagster.models.gpu import GPU_POOL, gpu_tags
from bioinstruct_dagster.models.outcomes import ExperimentOutcomes
from bioinstruct_dagster.models.partitions import ExperimentStep
from bioinstruct_dagster.models.process.parent import ModelProcess
from bioinstruct_dagster.seeds.tasks import CATEGORIES
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of_rows
from bioinstruct_dagster.store.materialization import OWNERS, markdown_table, materialization
from bioinstruct_dagster.store.step_failures import StepConfig, stating_errors

if TYPE_CHECKING:  # loading the definitions stays light
    from bioinstruct_dagster.evaluation.planning import BasePlan
    from bioinstruct_dagster.findings.worth.trial import Trial

TABLE = "data_worth"
STEP = "compare_arms"
DESCRIPTION = """
Was the last refresh worth it? Better, tied or worse, by the held-out loss.

For each of three seeds, two adapters are trained on equally many tokens: one on rows that were
there before the refresh, and one in which rows of the refresh stand in the place of others. Both
begin with the same weights. The losses of held-out rows are compared row by row. A refresh is
worse, or better, if the whole 95 % interval of the difference is on one side of zero. The check
`refresh_did_no_harm` warns of a worse one, and blocks nothing.

Start the job `data_worth` to make this asset. A run that selects other assets too leaves it out.
""".strip()
NOT_ALONE = (
    "data_worth trains two adapters for each seed, so it is made only if a run selects nothing "
    "else. Start the job data_worth, or materialize key:data_worth alone."
)


class DataWorthConfig(StepConfig):
    """What a run may choose."""

    experiment: str = Field(
        "",
        description=(
            "The base model and recipe that are trained, such as llama-2-7b|all-1k (default: the "
            "first base model of the experiment file with its smallest recipe of all categories)."
        ),
    )
    refresh: str = Field(
        "",
        description=(
            "The run whose rows are tested: its id, or the first digits of it (default: the last "
            "run that added rows)."
        ),
    )
    since: str = Field(
        "",
        description=(
            "A date or time, such as 2026-11-30. All rows whose reply came then or later are "
            "tested together, in place of those of one run."
        ),
    )
    seeds: int = Field(
        3, ge=2, le=20, description="How many pairs of adapters are trained; 3 by default."
    )


def data_worth_asset(matrix: ExperimentMatrix, where: str = "local") -> dg.AssetsDefinition:
    """The asset `data_worth`.

    Args:
        matrix: the experiments.
        where: the setting BIOINSTRUCT_COMPUTE.
    """

    # A job and a step must not have the same name, so the step of data_worth has another.
    @dg.multi_asset(
        name=STEP,
        specs=[
            dg.AssetSpec(
                TABLE,
                deps=["hf_dataset"],
                description=DESCRIPTION,
                group_name="findings",
                kinds={"pytorch", "duckdb"},
                owners=OWNERS,
                code_version="1",
                skippable=True,  # no output: the run selects other assets too
            )
        ],
        pool=GPU_POOL,
        op_tags=gpu_tags(where),
    )
    @stating_errors
    def compare_arms(
        context: dg.AssetExecutionContext,
        config: DataWorthConfig,
        store: dg.ResourceParam[Store],
        settings: dg.ResourceParam[Settings],
        process: dg.ResourceParam[ModelProcess],
    ) -> Iterator[dg.MaterializeResult[None]]:
        selected = context.job_def.asset_layer.selected_asset_keys
        if selected != {dg.AssetKey(TABLE)}:
            context.log.info(NOT_ALONE)
            return
        step = ExperimentStep(context, matrix, store, settings, process)
        yield _made(step, config)

    return compare_arms


def _made(step: ExperimentStep, config: DataWorthConfig) -> dg.MaterializeResult[None]:
    from bioinstruct_dagster.findings.worth import shown
    from bioinstruct_dagster.findings.worth.refresh import refresh_of
    from bioinstruct_dagster.findings.worth.trial import (
        planned_trial,
        scoring_plan,
        smallest_experiment,
        worth_rows,
    )

    store, settings, matrix = step.store, step.settings, step.matrix
    refresh = refresh_of(store, config.refresh, config.since)
    experiment = (
        matrix.names_of([config.experiment])[0]
        if config.experiment
        else smallest_experiment(matrix, train_rows(store, CATEGORIES))
    )
    dataset = current_dataset(store, settings)
    trial = planned_trial(matrix, experiment, refresh, dataset, settings, config.seeds)
    step.context.log.info(shown.plan_line(trial))
    results = _trained(step, trial)
    plan = scoring_plan(trial, results, matrix, settings)
    _answered(step, plan)
    rows = worth_rows(trial, plan, results, store, settings)
    store.replace({TABLE: rows})
    step.context.log.info(shown.sentence(rows[0]))
    return materialization(
        step.context,
        store,
        TABLE,
        sha256_of_rows(rows, ("items", "difference", "dataset_fingerprint")),
        preview=False,
        extra={
            "summary": dg.MetadataValue.md(shown.summary(rows)),
            "verdict": rows[0]["verdict"],
            "about": dg.MetadataValue.md(shown.about(rows[0])),
            "difference (nats a token)": round(rows[0]["difference"], 4),
            "comparisons": dg.MetadataValue.md(markdown_table(shown.table(rows))),
        },
    )


def _trained(step: ExperimentStep, trial: "Trial") -> Mapping[str, Mapping[str, Any]]:
    """The results of all adapters; those that are there are used again."""
    from bioinstruct_dagster.training.study.spec import StudySpec

    models = step.settings.models
    study = StudySpec(
        tuple(trial.specs.values()),
        workers=models.training_workers,
        ranks=models.training_ranks,
    )
    outcomes = ExperimentOutcomes("trained")
    results: dict[str, Mapping[str, Any]] = {}
    waiting: dict[str, Experiment] = trial.names()
    module = "bioinstruct_dagster.training"
    with closing(step.made_by(module, study.to_json(), waiting, outcomes)) as made:
        for one, message in made:
            results[partition_key(one)] = message["result"]
            outcomes.made.append(one)
    outcomes.refuse_failures()
    return results


def _answered(step: ExperimentStep, plan: "BasePlan") -> None:
    """Ask for the losses that the store lacks. Results of single rows are kept as they come."""
    from bioinstruct_dagster.evaluation.assets import MODULE
    from bioinstruct_dagster.evaluation.cache.question_folders import questions_folder
    from bioinstruct_dagster.evaluation.cache.stored import take
    from bioinstruct_dagster.evaluation.planning import QUESTIONS
    from bioinstruct_dagster.evaluation.questions import write_questions
    from bioinstruct_dagster.evaluation.spec import EvaluationSpec

    plan.look_up(step.store)
    waiting = {partition_key(one.experiment): one.experiment for one in plan.lacking()}
    if not waiting:
        return

    def keep(message: Mapping[str, Any]) -> None:
        if message["kind"] == "items":
            take(step.store, Path(message["path"]))

    outcomes = ExperimentOutcomes("scored")
    with questions_folder(step.settings.store.data_dir / QUESTIONS) as folder:
        write_questions(plan.questions, folder / "0")
        spec = EvaluationSpec((plan.spec(folder / "0", step.settings),))
        with closing(step.made_by(MODULE, spec.to_json(), waiting, outcomes, keep)) as made:
            outcomes.made += [one for one, _ in made]
    outcomes.refuse_failures()
