"""Asset checks of `eval_scores`: the table's schema, its predictions, and the adapter's effect."""

import dagster as dg

from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.materialization import markdown_table
from bioinstruct_dagster.store.schema_checks import schema_check

eval_scores_schema = schema_check(
    "eval_scores", key=("base_model", "recipe", "task", "metric", "category", "subject")
)

LOSS_DIFFERENCES = """
    select base_model, recipe, score, ci_low, ci_high, n
    from eval_scores
    where metric = 'loss' and category = 'all' and subject = 'difference'
    order by base_model, recipe
"""
MISSING_PREDICTIONS = """
    select score.base_model, score.recipe, score.subject, score.n, count(item.row_id) as items
    from eval_scores as score
    left join eval_predictions as item using (base_model, recipe, task, subject)
    where score.category = 'all' and score.metric = 'loss' and score.subject <> 'difference'
    group by all
    having count(item.row_id) <> score.n
"""


@dg.asset_check(asset="eval_scores", blocking=True)
def every_score_has_its_items(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """For each score, the number of stored predictions equals the score's number of items."""
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
        passed=all(row["ci_high"] < 0 for row in differences),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"differences": dg.MetadataValue.md(markdown_table(differences))},
    )
