"""Asset checks of the findings: their tables, and whether they rest on the present scores.

Belongs here: what the UI warns of. Does not: making a finding (made).
"""

import dagster as dg

from bioinstruct_dagster.store.check_results import judged, not_judged
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.materialization import markdown_table
from bioinstruct_dagster.store.schema_checks import schema_check

leaderboard_schema = schema_check(
    "leaderboard",
    key=("base_model", "recipe", "task", "category", "metric"),
)
_OF_A_FAMILY = ("base_model", "variant", "trained_on", "task", "category", "metric", "n",
                "items_fingerprint", "prompt_version", "dataset_fingerprint")  # fmt: skip
category_ablation_schema = schema_check("category_ablation", key=_OF_A_FAMILY)
data_scaling_schema = schema_check("data_scaling", key=(*_OF_A_FAMILY, "rows_asked"))

OLDER_ROWS = """
    select base_model, recipe, any_value(older) as older
    from leaderboard
    where older is not null
    group by all
    order by all
"""


@dg.asset_check(asset="leaderboard")
def findings_are_of_the_present_scores(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Every ranked score is the last one of its experiment, on the present data set. Warns
    otherwise.
    """
    if not store.rows("select 1 from leaderboard limit 1"):
        return not_judged("The leaderboard has no row. Materialize key:eval_scores first.")
    from bioinstruct_dagster.findings.made import later_scores

    later, older = later_scores(store), store.rows(OLDER_ROWS)
    lines = [
        f"{row['base_model']}|{row['recipe']}: the score is {row['older']}. Train and score it "
        "again, or read its rows apart."
        for row in older
    ]
    if later:
        lines.append(
            f"{len(later):,} experiments were scored after the leaderboard was made. Materialize "
            "key:leaderboard, key:category_ablation and key:data_scaling again."
        )
    return judged(
        not later and not older,
        {
            "scored_later": dg.MetadataValue.md(markdown_table(later)),
            "of_older_data": dg.MetadataValue.md(markdown_table(older)),
        },
        description="\n".join(lines),
    )
