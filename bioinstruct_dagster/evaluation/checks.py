"""Asset checks of `eval_scores`: its tables, its items, and what the adapter does."""

import dagster as dg

from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.materialization import markdown_table
from bioinstruct_dagster.store.schema_checks import schema_check

eval_scores_schema = schema_check(
    "eval_scores",
    key=("base_model", "recipe", "task", "metric", "category", "subject", "items"),
)

LOSS_DIFFERENCES = """
    select base_model, recipe, score, ci_low, ci_high, n
    from eval_scores
    where task = 'held_out' and metric = 'loss' and category = 'all' and subject = 'difference'
        and items = 'all'
    order by base_model, recipe
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
REPEATED = """
    select base_model, recipe, task, count(distinct item_id) as items
    from eval_predictions
    where contaminated
    group by all
    order by all
"""


@dg.asset_check(asset="eval_scores", blocking=True)
def every_score_has_its_items(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """For each score, at least as many predictions are stored as the score has items."""
    missing = store.rows(MISSING_PREDICTIONS)
    return dg.AssetCheckResult(
        passed=not missing, metadata={"missing": dg.MetadataValue.md(markdown_table(missing))}
    )


@dg.asset_check(asset="eval_scores")
def adapter_lowers_held_out_loss(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """The adapter lowers the held-out loss of the base model. Warns otherwise.

    The 95 % confidence interval of the difference (adapter minus base) must be below zero.
    """
    differences = store.rows(LOSS_DIFFERENCES)
    return dg.AssetCheckResult(
        passed=all(row["ci_high"] is not None and row["ci_high"] < 0 for row in differences),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"differences": dg.MetadataValue.md(markdown_table(differences))},
    )


@dg.asset_check(asset="eval_scores")
def no_scored_item_was_trained_on(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """No row that an adapter was trained on repeats an item that it is scored on. Warns otherwise.

    The scores without these items stand beside those with them, as `without_contaminated`.
    """
    repeated = store.rows(REPEATED)
    return dg.AssetCheckResult(
        passed=not repeated,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"repeated_items": dg.MetadataValue.md(markdown_table(repeated))},
    )
