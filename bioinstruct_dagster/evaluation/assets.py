"""Scores as an asset with one partition per experiment.

Belongs here: the step, and what the UI shows of it. Does not: what is asked (evaluation.planning),
asking it (evaluation.evaluate), or the scores (evaluation.scored).
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg

from bioinstruct_dagster.dataset.checks import renewing_older_result_checks
from bioinstruct_dagster.errors import StatedError
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
)
from bioinstruct_dagster.store.step_failures import stating_errors

# Loading the definitions stays light: what a step needs is imported where the step runs.
if TYPE_CHECKING:
    from bioinstruct_dagster.evaluation.planning import BasePlan, StoredAdapter
    from bioinstruct_dagster.evaluation.scored import ScoredExperiment, Scorer
    from bioinstruct_dagster.evaluation.selection import ChosenTasks

CODE_VERSION = "2"
MODULE = "bioinstruct_dagster.evaluation"
SCORE_COLUMNS = (
    "task", "metric", "category", "subject", "items", "score", "ci_low", "ci_high", "n", "p_holm",
)  # fmt: skip
ADAPTER = """
    select adapter_path, adapter_sha256, base_fingerprint, dataset_fingerprint, prompt_version,
        rehearsal
    from lora_adapter
    where base_model = $base_model and recipe = $recipe
"""


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
        """Scores of the base model, of the adapter, and their difference, on each task whose items
        are at hand and on the test split. Each has a 95 % confidence interval.
        """
        # Each difference is paired by item and has a p-value, corrected over the tasks. Scores
        # without the items that training rows repeat stand beside. A run may score several
        # partitions: it loads each base model once, asks nothing whose result is stored, and goes
        # on if one fails. docs/evaluation.md says more.
        step = ExperimentStep(context, matrix, store, settings, process)
        with renewing_older_result_checks(context.instance, store):
            outcomes = yield from score_adapters(step, experiments_of(context, matrix))
        outcomes.refuse_failures()
        if outcomes.made:
            yield materialized_before()

    return eval_scores


def score_adapters(
    step: ExperimentStep, experiments: Sequence[Experiment]
) -> Generator[dg.AssetMaterialization, None, ExperimentOutcomes]:
    """Score the experiments' adapters, and store each one's scores as soon as they are complete.

    One model process answers what the store lacks. None is started if it lacks nothing.

    Yields:
        The materialization of each partition of `eval_scores`.

    Returns:
        How each experiment ended. A failure is part of the account.
    """
    from bioinstruct_dagster.evaluation.scored import Scorer, SetRows

    outcomes = ExperimentOutcomes("scored")
    rows = SetRows(current_dataset(step.store, step.settings))
    adapters: list[StoredAdapter] = []
    for one in step.of_reached_sizes(experiments, outcomes):
        try:
            adapters.append(_adapter(step, one, rows.dataset.fingerprint))
        except StatedError as error:
            step.failed(one, str(error), outcomes)
    if not adapters:
        return outcomes
    scorer = Scorer(step.store, step.settings, rows)
    plans = _plans(step, adapters, rows.test)
    waiting = {
        partition_key(adapter.experiment): (plan, adapter)
        for plan in plans
        for adapter in plan.lacking()
    }
    for plan in plans:
        for adapter in plan.adapters:
            if partition_key(adapter.experiment) not in waiting:
                yield from _scored(step, scorer, plan, adapter, outcomes)
    if waiting:
        yield from _asked(step, scorer, waiting, outcomes)
    _score_families(step, adapters, plans, outcomes)
    return outcomes


def _score_families(
    step: ExperimentStep,
    adapters: Sequence["StoredAdapter"],
    plans: Sequence["BasePlan"],
    outcomes: ExperimentOutcomes,
) -> None:
    """Score the families of seeds that have a new member, over all members that are answered."""
    from bioinstruct_dagster.evaluation.planning import BasePlan
    from bioinstruct_dagster.evaluation.summaries.seeds import (
        FEWEST_SEEDS,
        family_of,
        score_over_seeds,
    )

    known = {one.experiment: one for one in adapters}
    chosen = {one.experiment: plan.chosen for plan in plans for one in plan.adapters}
    seen: set[Experiment] = set()
    for one in outcomes.made:
        family = family_of(step.matrix, one)
        if len(family) < FEWEST_SEEDS or family[0] in seen:
            continue
        seen.add(family[0])
        dataset = known[one].row["dataset_fingerprint"]
        members = [known.get(each) or _other(step, each, dataset) for each in family]
        group = [each for each in members if each and each.group == known[one].group]
        if len(group) < FEWEST_SEEDS:
            continue
        plan = BasePlan.of(group, chosen[one], step.settings)
        plan.look_up(step.store)
        lacking = {each.content for each in plan.lacking()}
        plan.adapters = [each for each in group if each.content not in lacking]
        if len(plan.adapters) >= FEWEST_SEEDS:
            score_over_seeds(step.store, plan, family[0][1], dataset)


def _other(step: ExperimentStep, one: Experiment, dataset: str) -> "StoredAdapter | None":
    """The adapter of an experiment that this run does not score; None if it can't be used."""
    try:
        return _adapter(step, one, dataset)
    except StatedError:
        return None


def _adapter(step: ExperimentStep, one: Experiment, dataset: str) -> "StoredAdapter":
    """The experiment's adapter, with its folder and its files as they are now.

    Raises:
        AdapterPlaceError: it is not in the data folder.
        EvaluationError: its folder lacks a file.
        AdapterFaultError: its files are not those of training, or its recipe is another one now.
        StatedError: there is none, or it was trained on another version of the data set.
    """
    from bioinstruct_dagster.evaluation.planning import StoredAdapter
    from bioinstruct_dagster.evaluation.spec import refuse_incomplete
    from bioinstruct_dagster.evaluation.tasks.keys import adapter_content
    from bioinstruct_dagster.models.adapter_proof import check_trained

    name = partition_key(one)
    found = step.store.rows(ADAPTER, experiment_columns(one))
    if not found:
        raise StatedError(
            f"There is no adapter for {name}. Materialize key:lora_adapter with "
            f"--partition '{name}' first."
        )
    row = found[0]
    if dataset != row["dataset_fingerprint"]:
        raise StatedError(
            f"The adapter for {name} was trained on another version of the data set, so the test "
            "split may hold rows that it was trained on. Materialize key:lora_adapter with "
            f"--partition '{name}' first."
        )
    folder = stored_folder(row["adapter_path"], step.settings.store.data_dir)
    refuse_incomplete(folder)
    recipe = step.matrix.recipe(*one)
    check_trained(
        folder, row["base_fingerprint"], recipe=recipe, adapter_sha256=row["adapter_sha256"]
    )
    base = step.matrix.base_models[one[0]]
    return StoredAdapter(one, base, recipe, folder, adapter_content(folder), row)


def _plans(
    step: ExperimentStep,
    adapters: Sequence["StoredAdapter"],
    test_rows: Sequence[Mapping[str, Any]],
) -> list["BasePlan"]:
    """What each base model and its adapters are asked; results of killed runs are stored first.

    Raises:
        EvaluationError: no task has items.
    """
    from bioinstruct_dagster.evaluation.cache.stored import take_all
    from bioinstruct_dagster.evaluation.planning import PARTS, BasePlan, by_base
    from bioinstruct_dagster.evaluation.selection import chosen_tasks

    taken = take_all(step.store, step.settings.store.data_dir / PARTS)
    if taken:
        step.context.log.info("%d results that an earlier run had left are in the store", taken)
    tasks: dict[bool, ChosenTasks] = {}
    plans = []
    for group in by_base(adapters):
        rehearsal = group[0].base.rehearsal
        if rehearsal not in tasks:
            tasks[rehearsal] = chosen_tasks(step.settings, test_rows, rehearsal=rehearsal)
            _tell_of(step, tasks[rehearsal])
        plan = BasePlan.of(group, tasks[rehearsal], step.settings)
        plan.look_up(step.store)
        counts = plan.counts()
        step.context.log.info(
            "%s: adapters: %d, tasks: %d; results stored: %d, missing: %d",
            group[0].experiment[0], len(group), len(plan.chosen.tasks), *counts,
        )  # fmt: skip
        plans.append(plan)
    return plans


def _tell_of(step: ExperimentStep, chosen: "ChosenTasks") -> None:
    for note in chosen.notes:
        step.context.log.info(note)
    for name, reason in chosen.missing.items():
        step.context.log.warning("%s: not scored. %s", name, reason)
    if not chosen.tasks:
        from bioinstruct_dagster.evaluation.spec import EvaluationError

        listed = "; ".join(f"{name}: {reason}" for name, reason in chosen.missing.items())
        raise EvaluationError(f"There is nothing to score: no task has items. {listed}.")


def _asked(
    step: ExperimentStep,
    scorer: "Scorer",
    waiting: Mapping[str, tuple["BasePlan", "StoredAdapter"]],
    outcomes: ExperimentOutcomes,
) -> Generator[dg.AssetMaterialization]:
    """Ask what the store lacks in the model process, and score each adapter when it is answered."""
    from bioinstruct_dagster.evaluation.cache.question_folders import questions_folder
    from bioinstruct_dagster.evaluation.planning import QUESTIONS
    from bioinstruct_dagster.evaluation.questions import write_questions
    from bioinstruct_dagster.evaluation.spec import EvaluationSpec

    plans = {id(plan): plan for plan, _ in waiting.values()}.values()
    experiments = {name: adapter.experiment for name, (_, adapter) in waiting.items()}
    with questions_folder(step.settings.store.data_dir / QUESTIONS) as folder:
        bases = []
        for number, plan in enumerate(plans):
            write_questions(plan.questions, folder / str(number))
            bases.append(plan.spec(folder / str(number), step.settings))
        with (
            step.told_if_cancelled(lambda: _cancelled(outcomes, experiments.values())),
            closing(
                step.made_by(
                    MODULE,
                    EvaluationSpec(tuple(bases)).to_json(),
                    experiments,
                    outcomes,
                    lambda message: _take(step.store, message),
                )
            ) as made,
        ):
            for one, _ in made:
                plan, adapter = waiting[partition_key(one)]
                yield from _scored(step, scorer, plan, adapter, outcomes)


def _cancelled(outcomes: ExperimentOutcomes, experiments: Any) -> str:
    told = outcomes.cancelled(experiments, {})
    return f"{told} Answers that are stored are not asked for again."


def _take(store: Store, message: Mapping[str, Any]) -> None:
    from bioinstruct_dagster.evaluation.cache.stored import take

    if message["kind"] == "items":
        take(store, Path(message["path"]))


def _scored(
    step: ExperimentStep,
    scorer: "Scorer",
    plan: "BasePlan",
    adapter: "StoredAdapter",
    outcomes: ExperimentOutcomes,
) -> Generator[dg.AssetMaterialization]:
    """Store the scores of an adapter whose questions are all answered."""
    from bioinstruct_dagster.evaluation.exchange.files import share_scores

    one = adapter.experiment
    try:
        scored = scorer.score(plan, adapter)
    except StatedError as error:
        step.failed(one, str(error), outcomes)
        return
    if fault := share_scores(plan, adapter, scored.scores, step.settings.store.data_dir):
        step.context.log.warning(fault)
    outcomes.made.append(one)
    yield partition_materialization(
        step.context,
        "eval_scores",
        experiment_key(*one),
        _shown(step, plan, adapter, scored),
        code_version=CODE_VERSION,
        upstream={"hf_dataset": None, "lora_adapter": experiment_key(*one)},
    )


def _shown(
    step: ExperimentStep, plan: "BasePlan", adapter: "StoredAdapter", scored: "ScoredExperiment"
) -> dg.MaterializeResult[None]:
    """What the UI shows of an experiment's scores."""
    from bioinstruct_dagster.evaluation import shown
    from bioinstruct_dagster.evaluation.ranking.leaderboard import leaderboard
    from bioinstruct_dagster.evaluation.summaries.first_sight import (
        forest_plot,
        plotted_scores,
        scores_summary,
    )

    plot = forest_plot(scored.scores)
    tables = {
        "scores": shown.score_table(scored.scores),
        "leaderboard": leaderboard(step.store),
        "tasks": shown.task_table(plan.chosen, scored.repeated),
        "beside the paper": shown.paper_table(scored.scores),
        "classes": shown.class_table(scored.class_counts),
        "other metrics": shown.other_table(scored.scores),
        "without repeated items": shown.clean_table(scored.scores),
        "categories": shown.category_table(scored.scores),
    }
    return materialization(
        step.context,
        step.store,
        "eval_scores",
        sha256_of_rows(scored.scores, SCORE_COLUMNS),
        part=experiment_columns(adapter.experiment),
        preview=False,
        extra={
            "summary": dg.MetadataValue.md(scores_summary(scored.scores)),
            **({"forest": dg.MetadataValue.md(plot)} if plot else {}),
            **{
                name: dg.MetadataValue.md(markdown_table(rows))
                for name, rows in tables.items()
                if rows
            },
            **plotted_scores(scored.scores),
            "data set": adapter.row["dataset_fingerprint"],
            "tasks computed": len(scored.computed),
            "tasks unchanged": len(plan.chosen.tasks) - len(scored.computed),
            "repeated items": sum(
                len({hit.item_id for hit in hits}) for hits in scored.repeated.values()
            ),
        },
    )
