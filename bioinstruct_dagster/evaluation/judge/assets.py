"""Scores of a judge as an asset with one partition per experiment, downstream of `eval_scores`.

Belongs here: the step, and the rows in the store. Does not: asking the judge (judging), or the
scores (evaluation.judge.scores).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from bioinstruct_dagster.dataset.checks import renewing_older_result_checks
from bioinstruct_dagster.evaluation.judge.answers import AnsweredItem, TaskAnswers, answers_of
from bioinstruct_dagster.evaluation.judge.choice import (
    in_judge_s_names,
    is_asked,
    judge_settings,
    open_judge,
    why_not_asked,
)
from bioinstruct_dagster.evaluation.judge.human_scores import read_human_scores
from bioinstruct_dagster.evaluation.judge.judging import Judgement, drawn, judge
from bioinstruct_dagster.evaluation.judge.measured import JudgeStanding, standing_of
from bioinstruct_dagster.evaluation.judge.scores.facts import JudgeFacts
from bioinstruct_dagster.evaluation.judge.scores.first_sight import judge_summary
from bioinstruct_dagster.evaluation.judge.scores.given import SUBJECTS
from bioinstruct_dagster.evaluation.judge.scores.rows import score_rows, with_holm
from bioinstruct_dagster.evaluation.judge.text_tasks import TextTasks
from bioinstruct_dagster.models.experiments import Experiment, ExperimentMatrix
from bioinstruct_dagster.models.experiments.names import experiment_columns, partition_key
from bioinstruct_dagster.models.partitions import (
    experiment_key,
    experiment_partitions,
    experiments_of,
    single_run,
)
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

CODE_VERSION = "1"
# Whether a model also wrote the rows that adapters are trained on. The rehearsal server, which may
# be asked by the name of another model, is none.
WROTE_TRAINING_DATA = """
    select count(*) > 0 as wrote
    from completions
    where purpose = 'generation'
        and (model_answered = $model or (model_asked = $model and not rehearsal))
"""
SHOWN_COLUMNS = ("task", "metric", "subject", "estimate", "score", "ci_low", "ci_high", "n")
VERSIONED_COLUMNS = (*SHOWN_COLUMNS, "judge_model", "rubric", "judge_state")

_Drawn = Sequence[tuple[TaskAnswers, list[AnsweredItem]]]


def judged_answers_asset(matrix: ExperimentMatrix) -> dg.AssetsDefinition:
    """The asset `judged_answers` with the matrix's experiments as partitions."""

    @dg.asset(
        group_name="evaluation",
        kinds={"openai", "duckdb"},
        owners=OWNERS,
        code_version=CODE_VERSION,
        deps=["eval_scores"],
        partitions_def=experiment_partitions(matrix),
        output_required=False,  # no output: the judge is off, or a batch is open
        backfill_policy=single_run(),
    )
    @stating_errors
    def judged_answers(
        context: dg.AssetExecutionContext,
        store: dg.ResourceParam[Store],
        settings: dg.ResourceParam[Settings],
    ) -> Iterator[Any]:
        """Grades of a language model for the answers of base model and adapter in free text, with
        intervals. Each says whether human scores have shown that the judge is useful.
        """
        # The judge counts the facts of each answer that the reference and the source support, and
        # compares the adapter's answer with the base model's in both orders. It sees neither a
        # name nor the order in which models were run. docs/evaluation.md says more.
        with renewing_older_result_checks(context.instance, store):
            yield from _made(context, matrix, experiments_of(context, matrix), store, settings)

    return judged_answers


def _made(
    context: dg.AssetExecutionContext,
    matrix: ExperimentMatrix,
    experiments: Sequence[Experiment],
    store: Store,
    settings: Settings,
) -> Iterator[Any]:
    """Ask the judge, and store the scores of each experiment. Yields their events."""
    if not is_asked(settings):
        context.log.info(why_not_asked(settings))
        return
    asked = judge_settings(settings).teacher
    standing = standing_of(store, asked.name, asked.model)
    if settings.judge.mode == "proven" and standing.state != "proven":
        context.log.warning(
            "BIOINSTRUCT_JUDGE is proven, so this judge was not asked. %s", standing.note
        )
        return
    found = _answers(context, experiments, store, settings)
    if not found:
        return
    judgement = _judged(context, store, settings, found)
    if judgement.tally.pending:
        context.log.info(
            "%s requests are with the Batch API. Materialize key:judged_answers again when "
            "they are done.",
            judgement.tally.pending,
        )
        return
    scores = _rows(matrix, store, settings, found=found, judgement=judgement, standing=standing)
    for one, rows in scores.items():
        yield _stored(context, store, one, rows)
    if scores:
        yield materialized_before()


def _answers(
    context: dg.AssetExecutionContext,
    experiments: Sequence[Experiment],
    store: Store,
    settings: Settings,
) -> _Drawn:
    """The answers of the run's experiments, with the items that are drawn of each task."""
    tasks = TextTasks(settings)
    found: list[tuple[TaskAnswers, list[AnsweredItem]]] = []
    for one in experiments:
        answers = answers_of(store, one, tasks.names, tasks.items, context.log.warning)
        if not answers:
            context.log.warning(
                "%s: passed over. It has no scored answers in free text. Materialize "
                "key:eval_scores for it, with a text task among its tasks.",
                partition_key(one),
            )
        most, seed = settings.judge.items, settings.runs.seed
        found += [(each, drawn(each.items, most, seed)) for each in answers]
    return found


def _judged(
    context: dg.AssetExecutionContext, store: Store, settings: Settings, found: _Drawn
) -> Judgement:
    """Ask about the answers of all experiments in one round."""
    items = [item for _, drawn_items in found for item in drawn_items]
    texts = [item.text(subject) for item in items for subject in SUBJECTS]
    pairs = [item.pair for item in items] if settings.judge.pairs == "on" else []
    with open_judge(settings, store, context.log.info, run_id=context.run.run_id) as session:
        judgement = judge(session, texts, pairs, seed=settings.runs.seed)
    for message in judgement.tally.errors:
        context.log.warning("A request failed; the next run will send it again: %s", message)
    if judgement.tally.stopped:
        context.log.warning(
            "The judge did not grade every answer. The scores rest on those that it graded, a "
            "random sample: %s",
            in_judge_s_names(settings, judgement.tally.stopped),
        )
    return judgement


def _rows(
    matrix: ExperimentMatrix,
    store: Store,
    settings: Settings,
    *,
    found: _Drawn,
    judgement: Judgement,
    standing: JudgeStanding,
) -> Mapping[Experiment, list[dict[str, Any]]]:
    """The rows of `judge_scores` by experiment."""
    model = judge_settings(settings).teacher.model
    wrote = bool(store.rows(WROTE_TRAINING_DATA, {"model": model})[0]["wrote"])
    path = settings.judge.human_scores
    people = {score.text: score for score in read_human_scores(path)} if path else {}
    by_experiment: dict[Experiment, list[dict[str, Any]]] = {}
    for answers, items in found:
        source = matrix.base_models[answers.experiment[0]].source
        rows = score_rows(
            answers,
            items,
            judgement,
            JudgeFacts(model, standing, source, wrote_training_data=wrote),
            people=people,
            with_pairs=settings.judge.pairs == "on",
            seed=settings.runs.seed,
        )
        by_experiment.setdefault(answers.experiment, []).extend(rows)
    return {one: with_holm(rows) for one, rows in by_experiment.items() if rows}


def _stored(
    context: dg.AssetExecutionContext,
    store: Store,
    one: Experiment,
    rows: Sequence[dict[str, Any]],
) -> dg.AssetMaterialization:
    """Store the scores of an experiment. Returns its event, with what the UI shows of them."""
    part = experiment_columns(one)
    store.replace({"judge_scores": rows}, part=part)
    shown = [
        {
            name: f"{row[name]:.3f}" if isinstance(row[name], float) else row[name]
            for name in SHOWN_COLUMNS
        }
        for row in rows
    ]
    facts = {
        name.replace("_", " "): rows[0][name]
        for name in ("judge_model", "judge_state", "judge_note", "rubric")
    }
    result = materialization(
        context,
        store,
        "judge_scores",
        sha256_of_rows(rows, VERSIONED_COLUMNS),
        part=part,
        preview=False,
        extra={
            "summary": dg.MetadataValue.md(judge_summary(rows)),
            **facts,
            "scores": dg.MetadataValue.md(markdown_table(shown)),
        },
    )
    return partition_materialization(
        context,
        "judged_answers",
        experiment_key(*one),
        result,
        code_version=CODE_VERSION,
        upstream={"eval_scores": experiment_key(*one)},
    )
