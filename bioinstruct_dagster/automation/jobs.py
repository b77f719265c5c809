"""Jobs: one makes the data set and others run experiments, so no data set run uses a GPU.

Belongs here: which assets a job materializes. Does not: when a job runs (schedules, sensors), or
the steps' work (training.assets, evaluation.assets).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, cast

import dagster as dg
from pydantic import Field

from bioinstruct_dagster.automation import executors
from bioinstruct_dagster.dataset.checks import renewing_older_result_checks
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.evaluation.assets import score_adapters
from bioinstruct_dagster.figures.values import number_of
from bioinstruct_dagster.findings.assets import findings_of
from bioinstruct_dagster.models.experiments import Experiment, ExperimentMatrix
from bioinstruct_dagster.models.experiments.names import partition_key
from bioinstruct_dagster.models.gpu import GPU_POOL, gpu_tags
from bioinstruct_dagster.models.outcomes import ExperimentOutcomes, ExperimentsFailedError
from bioinstruct_dagster.models.partitions import ExperimentStep
from bioinstruct_dagster.models.process.parent import ModelProcess
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.step_failures import StepConfig, stating_errors
from bioinstruct_dagster.training.assets import train_adapters

DATA_SET_SELECTION = dg.AssetSelection.assets("dataset_figures").upstream()
_JUDGED_BY_STUDY = {"lora_adapter", "eval_scores"}
# The jobs that train or score.
TRAINING_JOBS = {"data_worth", "experiment", "study"}
TRAINING_SELECTION = dg.AssetSelection.groups(
    "training", "evaluation", "findings"
) - dg.AssetSelection.assets("data_worth")

data_set_job = dg.define_asset_job(
    "data_set",
    selection=DATA_SET_SELECTION,
    description="Materialize all assets from the seed tasks to the Hugging Face data set.",
)

# For a machine with idle cores: each step runs in its own process.
data_set_multiprocess_job = dg.define_asset_job(
    "data_set_multiprocess",
    selection=DATA_SET_SELECTION,
    executor_def=executors.multiprocess,
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
        "Train the LoRA adapter of one base model and recipe, score it, and make the findings "
        "anew: leaderboard, ablation of categories, and data scaling. "
        "A backfill over all partitions runs the whole experiment matrix."
    ),
)


# It trains twice as many adapters as it has seeds, so no schedule and no sensor starts it.
data_worth_job = dg.define_asset_job(
    "data_worth",
    selection=dg.AssetSelection.assets("data_worth"),
    description=(
        "Was the last refresh worth it? Train the smallest recipe with and without the rows that "
        "it added, on equally many tokens under three seeds, and compare the held-out loss. "
        "Nothing starts this job but you. Its verdict is a warning at most, and blocks nothing."
    ),
)

# It makes nothing, so it also judges again what was made by runs without checks.
checks_job = dg.define_asset_job(
    "checks",
    selection=dg.AssetSelection.all_asset_checks(),
    description=(
        "Run all checks on what is there. It makes no asset, asks no teacher and costs nothing. "
        "Run it to see the present verdicts on the pages of the assets. Publishing runs the "
        "blocking checks itself."
    ),
)


class StudyConfig(StepConfig):
    """Which experiments a study runs."""

    experiments: list[str] = Field(
        default=[],
        description=(
            "The experiments to train and score. An entry is a name, such as rehearsal-llama|all, "
            "or a pattern: * stands for any characters, ? for one. The pattern llama-2-*|all-10* "
            "also takes all-100-s2, because its name begins with all-10. To choose exactly, write "
            'the names one by one: ["llama-2-7b|all-10k", "llama-2-7b|all-10k-s2"]. The page of '
            "the asset lora_adapter lists all names. The run first trains all adapters and then "
            "scores them. If you cancel it, the adapters that are trained are kept, and the next "
            "run scores them without training them again."
        ),
    )
    retrain: bool = Field(
        default=False,
        description=(
            "Train again, even if there is an adapter with the same data, base model and recipe."
        ),
    )
    train: bool = Field(
        default=True,
        description=(
            "Whether adapters are trained. If not, the run scores the adapters that are there."
        ),
    )
    score: bool = Field(
        default=True, description="Whether adapters are scored. If not, the run only trains."
    )


def study_job(
    matrix: ExperimentMatrix,
    where: str = "local",
    checks: Sequence[dg.AssetChecksDefinition] = (),
) -> dg.JobDefinition:
    """The job `study`: it trains and scores any set of experiments in one run.

    A backfill also makes one run, but only of partitions that form a range. So this job is no asset
    job: its step reports the materializations of both assets, each as soon as it is made.

    Args:
        matrix: the experiments.
        where: the setting BIOINSTRUCT_COMPUTE.
        checks: of the project. Those of adapters and scores judge at the end of the step.
    """

    @dg.op(pool=GPU_POOL, tags=gpu_tags(where), out=dg.Out(dg.Nothing))
    @stating_errors
    def train_and_score(
        context: dg.OpExecutionContext,
        config: StudyConfig,
        store: dg.ResourceParam[Store],
        settings: dg.ResourceParam[Settings],
        process: dg.ResourceParam[ModelProcess],
    ) -> Iterator[Any]:
        """Train all chosen experiments, score each adapter that could be trained, and make the
        findings over all scores: leaderboard, ablation of categories, and data scaling.

        If you cancel the run, the trained adapters are kept. The next run scores them without
        training them again.
        """
        experiments = _chosen(config, matrix)
        listed = ", ".join(map(partition_key, experiments))
        context.log.info("%s: %s", number_of(len(experiments), "experiment"), listed)
        step = ExperimentStep(context, matrix, store, settings, process)
        with renewing_older_result_checks(context.instance, store):
            ended = []
            if config.train:
                trained = yield from train_adapters(step, experiments, retrain=config.retrain)
                experiments = trained.made
                ended.append(trained)
            if config.score:
                ended.append((yield from score_adapters(step, experiments)))
        faults = _faults(ended)
        for one in judged_by(checks, _JUDGED_BY_STUDY, store, settings):
            yield one
            if stops(one):
                faults.append(f"The check {one.check_name} failed. {one.description or ''}")
        if config.score:
            try:  # also over the experiments that went well, if others failed
                yield from findings_of(context, store, settings, matrix)
            except StatedError as error:
                faults.append(str(error))
        if faults:
            raise ExperimentsFailedError("\n".join(faults))
        yield dg.Output(None)

    @dg.job(
        name="study",
        description=(
            "Train and score any set of experiments in one run, which loads each base model once. "
            "The run trains all adapters first, and then scores those that could be trained. Each "
            "adapter is materialized as it ends. If one fails, the others are trained and scored. "
            "At the end it makes the leaderboard, the ablation of categories and the data scaling "
            "anew. "
            "If you cancel the run, the trained adapters are kept, and the next run scores them."
        ),
    )
    def study() -> None:
        train_and_score()

    return study


def stops(result: dg.AssetCheckEvaluation) -> bool:
    """Whether a check's result fails the step, as Dagster decides it: a warning does not."""
    fails = not result.passed and result.severity == dg.AssetCheckSeverity.ERROR
    return fails and bool(result.blocking)


def judged_by(
    checks: Iterable[dg.AssetChecksDefinition],
    assets: Collection[str],
    store: Store,
    settings: Settings,
) -> Iterator[dg.AssetCheckEvaluation]:
    """The results of the checks of some assets, for a step of a job that has no assets.

    Args:
        checks: of the project.
        assets: whose checks judge.
        store: that the checks read.
        settings: likewise.
    """
    resources: dict[str, Any] = {"store": store, "settings": settings}
    for check in checks:
        for spec in check.check_specs:
            if spec.asset_key.to_user_string() not in assets:
                continue
            needed = {
                name: resources[name] for name in check.required_resource_keys & set(resources)
            }
            result = cast("dg.AssetCheckResult", check(**needed))
            yield dg.AssetCheckEvaluation(
                asset_key=spec.asset_key,
                check_name=spec.name,
                passed=result.passed,
                severity=result.severity,
                description=result.description,
                metadata=result.metadata,
                blocking=spec.blocking,
            )


def _chosen(config: StudyConfig, matrix: ExperimentMatrix) -> list[Experiment]:
    """The experiments that a study's config names.

    Raises:
        StatedError: it names none, or switches everything off.
    """
    if not config.train and not config.score:
        raise StatedError(
            "The run's config switches off both `train` and `score`. Leave one of them out."
        )
    if not config.experiments:
        raise StatedError(
            "The list `experiments` in the run's config is empty. Write at least one name or "
            'pattern, such as ["rehearsal-llama|all"].'
        )
    return matrix.names_of(config.experiments)


def _faults(ended: Iterable[ExperimentOutcomes]) -> list[str]:
    """What went wrong in a study's training and scoring, in words."""
    faults = []
    for outcomes in ended:
        try:
            outcomes.refuse_failures()
        except ExperimentsFailedError as error:
            faults.append(str(error))
    return faults
