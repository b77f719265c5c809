"""Asset checks of `eval_scores`: its tables, its items, what the adapter does, and on which data.

Belongs here: what the UI warns of. Does not: computing a score (evaluation.scoring).
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from bioinstruct_dagster.dataset.checks import older_results_check
from bioinstruct_dagster.dataset.older_results import OLDER_RESULT_CHECKS, made_results
from bioinstruct_dagster.figures.values import number_of
from bioinstruct_dagster.store.check_results import judged, not_judged
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.materialization import markdown_table
from bioinstruct_dagster.store.schema_checks import schema_check

eval_scores_schema = schema_check(
    "eval_scores",
    key=("base_model", "recipe", "task", "metric", "category", "subject", "items"),
)

# Names of `evaluation.metrics.texts`, which loading the definitions must not import.
LOSS, ROUGE_L = "loss", "rouge_l"
# Of whole tasks, and not of the categories of the test split.
DIFFERENCES = """
    select base_model, recipe, task, metric, main, subject, score, ci_low, ci_high, n
    from eval_scores
    where subject = 'difference' and items = 'all' and task <> 'average'
        and (task <> 'held_out' or category = 'all')
    order by base_model, recipe, task, metric
"""
# A metric may leave out items, such as texts that are too long for it, and never has more.
MISSING_PREDICTIONS = """
    with scored as (
        select base_model, recipe, task, subject, max(n) as n
        from eval_scores
        where items = 'all' and subject <> 'difference' and task <> 'average'
        group by all
    )
    select scored.*, count(item.item_id) as items
    from scored
    left join eval_predictions as item using (base_model, recipe, task, subject)
    group by all
    having count(item.item_id) < scored.n
"""
COMPARED = """
    select (select count(*) from eval_scores) as scores,
        (select count(*) from eval_predictions) as predictions
"""
NO_SCORES = "The store holds no scores. Materialize key:eval_scores first."
REPEATED = """
    select base_model, recipe, task, count(distinct item_id) filter (where contaminated) as items,
        count(distinct item_id) as scored
    from eval_predictions
    group by all
    having items > 0
    order by all
"""


@dg.asset_check(asset="eval_scores", blocking=True)
def every_score_has_its_items(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """For each score, at least as many predictions are stored as the score has items."""
    if not store.rows(COMPARED)[0]["scores"]:
        return not_judged(NO_SCORES)
    missing = store.rows(MISSING_PREDICTIONS)
    lines = [
        f"{_experiment(row)}, {row['task']}, {row['subject']}: the score counts {row['n']:,} "
        f"items, and {row['items']:,} predictions are stored."
        for row in missing
    ]
    if missing:
        lines.append("Materialize key:eval_scores for these partitions again.")
    return judged(
        not missing,
        {"missing": dg.MetadataValue.md(markdown_table(missing))},
        warns=False,
        description="\n".join(lines)
        or "All items of each score are in the table eval_predictions.",
    )


@dg.asset_check(asset="eval_scores")
def adapter_lowers_held_out_loss(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """The adapter lowers the held-out loss of the base model. Warns otherwise.

    The 95 % confidence interval of the difference (adapter minus base) must be below zero. Without
    a held-out loss or its interval, the check says that it did not judge.
    """
    losses = [
        row for row in store.rows(DIFFERENCES) if (row["task"], row["metric"]) == ("held_out", LOSS)
    ]
    if not losses:
        return not_judged(
            "No held-out loss was computed. The test split is empty, or BIOINSTRUCT_EVALUATE_TASKS "
            "leaves out held_out."
        )
    return _judged_by_interval(
        losses,
        [row for row in losses if _end(row, "ci_high") >= 0],
        f"{number_of(len(losses), 'adapter')}: each lowers the held-out loss beyond its interval.",
        "Such an adapter learned too little: train on more rows or for more updates (recipe), or "
        "evaluate on more held-out rows.",
    )


@dg.asset_check(asset="eval_scores")
def adapter_lowers_no_score(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """No adapter lowers ROUGE-L or a task's main metric. Warns if one does.

    A score counts as lowered if the 95 % confidence interval of the difference (adapter minus base)
    is below zero. A lower loss can come with worse answers, so this check looks at the answers.
    """
    scores = [
        row
        for row in store.rows(DIFFERENCES)
        if row["metric"] == ROUGE_L or (row["main"] and row["metric"] != LOSS)
    ]
    if not scores:
        return not_judged("No answers were scored. Materialize key:eval_scores with such a task.")
    return _judged_by_interval(
        scores,
        [row for row in scores if _end(row, "ci_high") < 0],
        f"{number_of(len(scores), 'score')}: none is worse than the base model's beyond its "
        "interval.",
        "The adapter is worse than its base model there. Read its answers in the table "
        "eval_predictions before you use it, and try a lower learning rate or fewer epochs.",
    )


def _end(row: Mapping[str, Any], name: str) -> float:
    """An end of the interval; not a number if it is not known, which is no fault by itself."""
    return float("nan") if row[name] is None else float(row[name])


def _judged_by_interval(
    differences: list[dict[str, Any]], faults: list[dict[str, Any]], found: str, advice: str
) -> dg.AssetCheckResult:
    """The result for differences of which some are faults, and some may have no interval.

    Args:
        differences: all of them.
        faults: those that the check warns of.
        found: a sentence for the case that there are none.
        advice: what to do about them.
    """
    from bioinstruct_dagster.evaluation.shown import interval  # with all that computes scores

    shown = {"differences": dg.MetadataValue.md(markdown_table(differences))}
    unknown = [row for row in differences if row["ci_high"] is None]
    without = f"no interval, because the items allow none: {', '.join(map(_name, unknown))}."
    if not faults and unknown:
        return not_judged(f"These differences have {without}", shown)
    lines = [f"{_name(row)}: {interval(row)} (n = {row['n']:,})." for row in faults]
    lines += [advice] if faults else [found]
    lines += [f"Not judged, {without}"] if unknown else []
    return judged(not faults, shown, description="\n".join(lines))


def _name(row: Mapping[str, Any]) -> str:
    return f"{_experiment(row)}, {row['task']}: {row['metric']}"


def _experiment(row: Mapping[str, Any]) -> str:
    return f"{row['base_model']}|{row['recipe']}"


@dg.asset_check(asset="eval_scores")
def no_scored_item_was_trained_on(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """No row that an adapter was trained on repeats an item that it is scored on. Warns otherwise.

    The scores without these items stand beside those with them, as `without_contaminated`.
    """
    if not store.rows(COMPARED)[0]["predictions"]:
        return not_judged(NO_SCORES)
    repeated = store.rows(REPEATED)
    lines = [
        f"{_experiment(row)}, {row['task']}: rows that the adapter was trained on repeat "
        f"{row['items']:,} of {row['scored']:,} scored items."
        for row in repeated
    ]
    if repeated:
        lines.append("Use the scores whose `items` is without_contaminated.")
    return judged(
        not repeated,
        {"repeated_items": dg.MetadataValue.md(markdown_table(repeated))},
        description="\n".join(lines)
        or "No row that an adapter was trained on repeats an item that it is scored on.",
    )


@dg.asset_check(asset="eval_scores", name=OLDER_RESULT_CHECKS["eval_scores"])
def scores_are_of_the_present_data_set(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Each score is of an adapter that was trained on the present data set. Warns otherwise.

    Older scores are kept, and the report marks them. When the data set is rebuilt, this check gets
    a new result.
    """
    return older_results_check(made_results(store), "eval_scores")
