"""Asset checks of `judged_answers`: the table's schema, and whether the judge has been proven."""

import dagster as dg

from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.materialization import markdown_table
from bioinstruct_dagster.store.schema_checks import schema_check

judge_scores_schema = schema_check(
    "judge_scores",
    key=("base_model", "recipe", "task", "metric", "category", "subject", "items", "estimate"),
    asset="judged_answers",
)

UNPROVEN = """
    select judge_model, rubric, judge_state, any_value(judge_note) as note, count(*) as scores
    from judge_scores
    where judge_state <> 'proven'
    group by all
    order by all
"""


@dg.asset_check(asset="judged_answers")
def judge_is_proven(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Every score rests on a judge that human scores have shown to be useful. Warns otherwise.

    A judge is useful if its rank correlation with people is above that of text lengths and above
    that of the composite, which needs no judge.
    """
    unproven = store.rows(UNPROVEN)
    return dg.AssetCheckResult(
        passed=not unproven,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"unproven": dg.MetadataValue.md(markdown_table(unproven))},
    )
