"""The scores that findings rest on, one row for each experiment and measure.

A measure is a main metric of one task, an average over the tasks of a category, or the loss on one
category of the test split. Belongs here: the statement that reads them. Does not: what is made of
them (ranking, ablation, scaling).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bioinstruct_dagster.dataset.older_results import made_results, older_experiments
from bioinstruct_dagster.findings.comparisons.intervals import Interval, detectable, relative_change
from bioinstruct_dagster.models.experiments.names import partition_key
from bioinstruct_dagster.store.database import Store

AVERAGE, HELD_OUT = "average", "held_out"  # names of tasks; the second is the own test split
TASKS = "tasks"  # evaluation tasks, as opposed to the test split
LOWER_IS_BETTER = frozenset({"loss"})  # of the main metrics

# Base model, adapter and difference side by side, over all items.
SCORES = """
    with sides as (
        select base_model, recipe, task, metric, category,
            max(score) filter (where subject = 'base') as base_score,
            max(ci_low) filter (where subject = 'base') as base_low,
            max(ci_high) filter (where subject = 'base') as base_high,
            max(score) filter (where subject = 'adapter') as score,
            max(ci_low) filter (where subject = 'adapter') as ci_low,
            max(ci_high) filter (where subject = 'adapter') as ci_high,
            max(score) filter (where subject = 'difference') as difference,
            max(ci_low) filter (where subject = 'difference') as difference_low,
            max(ci_high) filter (where subject = 'difference') as difference_high,
            max(p_holm) filter (where subject = 'difference') as p_holm,
            max(detectable) filter (where subject = 'difference') as detectable,
            max(n) as n,
            max(clusters) as clusters,
            any_value(task_version) as task_version,
            any_value(items_fingerprint) as items_fingerprint,
            any_value(items_source) as items_source,
            any_value(prompt_version) as prompt_version,
            any_value(dataset_fingerprint) as dataset_fingerprint,
            any_value(adapter_sha256) as adapter_sha256,
            bool_or(rehearsal) as rehearsal
        from eval_scores
        where items = 'all' and (main or (task = 'average' and metric = 'main_metrics'))
        group by base_model, recipe, task, metric, category
    ),
    gains as (
        select base_model, recipe, category,
            score as relative_gain, ci_low as relative_low, ci_high as relative_high
        from eval_scores
        where task = 'average' and metric = 'relative_gain' and items = 'all'
    )
    select sides.*, relative_gain, relative_low, relative_high, adapter.train_rows
    from sides
    left join gains on sides.task = 'average'
        and gains.base_model = sides.base_model
        and gains.recipe = sides.recipe
        and gains.category = sides.category
    left join lora_adapter as adapter on adapter.base_model = sides.base_model
        and adapter.recipe = sides.recipe
        and adapter.adapter_sha256 = sides.adapter_sha256
    where sides.score is not null
    order by sides.base_model, sides.recipe, sides.task, sides.metric, sides.category
"""


def stored_scores(store: Store) -> list[dict[str, Any]]:
    """The rows of SCORES, with what they lack.

    These are `relative_gain` of single tasks, `detectable` of averages, `older` (why a score is not
    one on the present data set; None if it is one), and `lower_is_better`.
    """
    older = older_experiments(made_results(store), "eval_scores")
    rows = store.rows(SCORES)
    for row in rows:
        row["older"] = older.get(experiment_name(row))
        row["lower_is_better"] = row["metric"] in LOWER_IS_BETTER
        if row["difference"] is None:
            continue
        difference = interval_of(row, "difference")
        if row["detectable"] is None:
            row["detectable"] = detectable(difference)
        if row["task"] != AVERAGE:
            change = relative_change(interval_of(row, "base"), interval_of(row), difference)
            if change:
                row["relative_gain"], row["relative_low"], row["relative_high"] = change
    return rows


def with_repeated_items(
    rows: Iterable[Mapping[str, Any]], repeated: Mapping[tuple[str, str, str], int]
) -> list[dict[str, Any]]:
    """The rows with `items_trained_on`: how many items of the score training rows repeat.

    All findings, and all tables that show them, take the number from here.

    Args:
        rows: of one experiment (`recipe`), or of several seeds (`recipes`): then it is the most.
        repeated: from `evaluation.summaries.trained_on.items_trained_on`.
    """
    return [
        {
            **row,
            "items_trained_on": max(
                repeated.get(
                    (partition_key((row["base_model"], recipe)), row["task"], _part(row)), 0
                )
                for recipe in row.get("recipes") or [row["recipe"]]
            ),
        }
        for row in rows
    ]


def _part(row: Mapping[str, Any]) -> str:
    """Of an average, its category; the items of a task are counted as a whole."""
    return row["category"] if row["task"] == AVERAGE else ""


def experiment_name(row: Mapping[str, Any]) -> str:
    """The name of a row's experiment, such as `rehearsal-llama|all`."""
    return partition_key((row["base_model"], row["recipe"]))


def measure_key(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """What makes two rows scores of the same measure."""
    return row["task"], row["category"], row["metric"]


def interval_of(row: Mapping[str, Any], of: str = "") -> Interval:
    """A score of a row with its interval.

    Args:
        row: of `stored_scores`.
        of: `base`, `difference` or `relative`; empty for the adapter's score.
    """
    score = {"": "score", "base": "base_score", "relative": "relative_gain"}.get(of, of)
    ends = of or "ci"
    return Interval(row[score], row[f"{ends}_low"], row[f"{ends}_high"])


def measured_on(row: Mapping[str, Any]) -> str:
    """What a score was measured on: `tasks`, or `held_out`."""
    return HELD_OUT if row["task"] == HELD_OUT else TASKS


def improvement(row: Mapping[str, Any], name: str = "difference") -> float | None:
    """A difference or a relative gain with the sign that makes every gain positive."""
    value = row[name]
    if value is None:
        return None
    return -float(value) if row["lower_is_better"] else float(value)
