"""Asset checks of `judged_answers`: the table's schema, a proven judge, and the right data set."""

import dagster as dg

from bioinstruct_dagster.dataset.checks import older_results_check
from bioinstruct_dagster.dataset.older_results import OLDER_RESULT_CHECKS, made_results
from bioinstruct_dagster.store.check_results import judged, not_judged
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
    if not store.rows("select 1 from judge_scores limit 1"):
        return not_judged("No judge has scored an answer.")
    unproven = store.rows(UNPROVEN)
    lines = [
        f"{row['judge_model']}: {row['scores']:,} scores rest on a judge that is "
        f"{str(row['judge_state']).replace('_', ' ')} by human scores, with the rubric "
        f"{row['rubric']}."
        for row in unproven
    ]
    if unproven:
        lines.append(
            "Score some of its answers by hand, name the file in BIOINSTRUCT_JUDGE_HUMAN_SCORES, "
            "and measure the judge: see docs/evaluation.md."
        )
    return judged(
        not unproven,
        {"unproven": dg.MetadataValue.md(markdown_table(unproven))},
        description="\n".join(lines) or "Human scores have shown that each judge is useful.",
    )


@dg.asset_check(asset="judged_answers", name=OLDER_RESULT_CHECKS["judged_answers"])
def judge_scores_are_of_the_present_data_set(
    store: dg.ResourceParam[Store],
) -> dg.AssetCheckResult:
    """Each score is of an adapter that was trained on the present data set. Warns otherwise.

    When the data set is rebuilt, this check gets a new result.
    """
    return older_results_check(made_results(store), "judged_answers")
