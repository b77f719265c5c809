"""Asset checks of `raw_instructions`.

Belongs here: lineage, readable replies, and whether the last round reached its goal. Does not:
checks of single rows (curation), or the mix of kept rows (curation.checks).
"""

from typing import Any

import dagster as dg

from bioinstruct_dagster.figures.values import number_of, percent
from bioinstruct_dagster.store.check_results import judged, not_judged
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.materialization import markdown_table
from bioinstruct_dagster.store.schema_checks import schema_check

# Below this share, look at the prompt, the token limit or the model.
LEAST_READABLE_SHARE = 0.8

raw_instructions_schema = schema_check("raw_instructions", key=("row_id",))

ROWS_WITHOUT_COMPLETION = """
    select raw.row_id, raw.completion_id
    from raw_instructions as raw
    anti join completions using (completion_id)
    where raw.source = 'completion'
"""

REPLIES_BY_OUTCOME = """
    select outcome, count(*) as replies, any_value(detail) as example
    from completion_outcomes
    group by outcome
    order by replies desc
"""

ROWS_BY_SOURCE = """
    select count(*) as rows, count(*) filter (where source = 'completion') as generated
    from raw_instructions
"""
LAST_ROUND = """
    select stopped, failed
    from teacher_rounds
    where purpose = 'generation'
    order by finished_at desc
    limit 1
"""
# What to do if most unreadable replies have this outcome.
_ADVICE = {
    "truncated": "Raise the limit of output tokens, or ask for fewer tasks in a request "
    "(BIOINSTRUCT_TASKS_PER_REQUEST).",
    "refused": "The teacher refuses the task: look at its words in the table completions, and at "
    "the seed tasks.",
}
_OTHER_ADVICE = (
    "Look at their text in the table completions, and try another reply format or another model."
)
NO_ROWS = "The store holds no generated row. Materialize key:raw_instructions first."
ALL_IMPORTED = "All rows were imported, and no reply of a teacher stands behind them."


@dg.asset_check(asset="raw_instructions", blocking=True)
def every_row_has_its_completion(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Each generated row names a stored completion, so its origin and its cost can be traced.

    An imported row needs none. If all rows were imported, the check says that it did not judge.
    """
    orphans = store.rows(ROWS_WITHOUT_COMPLETION)
    counts = store.rows(ROWS_BY_SOURCE)[0]
    if not counts["generated"]:
        return not_judged(ALL_IMPORTED if counts["rows"] else NO_ROWS)
    return judged(
        not orphans,
        {
            "generated_rows": counts["generated"],
            "imported_rows": counts["rows"] - counts["generated"],
            "orphans": len(orphans),
            "examples": dg.MetadataValue.md(markdown_table(orphans[:5])),
        },
        warns=False,
        description=(
            f"{len(orphans):,} of {counts['generated']:,} generated rows name a reply that the "
            f"store does not hold, such as row {orphans[0]['row_id']}. Their cost and origin are "
            "lost. Restore the store from a backup, or materialize key:raw_instructions again."
        )
        if orphans
        else f"All {counts['generated']:,} generated rows name a stored reply.",
    )


@dg.asset_check(asset="raw_instructions")
def most_replies_can_be_read(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """At least four of five replies could be parsed into tasks. Warns if fewer.

    An unreadable reply costs money and gives no rows. Check the prompt, the token limit and the
    model. Without replies, the check says that it did not judge.
    """
    outcomes = store.rows(REPLIES_BY_OUTCOME)
    replies = sum(row["replies"] for row in outcomes)
    parsed = sum(row["replies"] for row in outcomes if row["outcome"] == "parsed")
    if not replies:
        return not_judged(ALL_IMPORTED if store.rows(ROWS_BY_SOURCE)[0]["rows"] else NO_ROWS)
    found = f"{parsed:,} of {replies:,} replies could be read ({percent(parsed / replies)})."
    lost = [row for row in outcomes if row["outcome"] != "parsed"]
    passed = parsed / replies >= LEAST_READABLE_SHARE
    return judged(
        passed,
        {
            "readable_share": round(parsed / replies, 4),
            "outcomes": dg.MetadataValue.md(markdown_table(outcomes)),
        },
        description=found
        if passed
        else f"{found} Most others: {lost[0]['outcome'].replace('_', ' ')} ({lost[0]['replies']:,})"
        f". {_ADVICE.get(lost[0]['outcome'], _OTHER_ADVICE)}",
    )


@dg.asset_check(asset="raw_instructions")
def the_last_round_reached_its_goal(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """The last generation round reached its goal, and no request failed. Warns otherwise.

    A round stops before its goal at a spending cap, or if too few of the new rows pass the gates.
    The next run sends failed requests again. If the rows were imported, no round made them, and the
    check says that it did not judge.
    """
    rounds = store.rows(LAST_ROUND)
    counts = store.rows(ROWS_BY_SOURCE)[0]
    if counts["rows"] and not counts["generated"]:
        return not_judged(ALL_IMPORTED)
    if not rounds:
        return not_judged(NO_ROWS)
    last: dict[str, Any] = rounds[0]
    said = [last["stopped"]] if last["stopped"] else []
    if last["failed"]:
        said.append(
            f"{number_of(last['failed'], 'request')} failed. Materialize key:raw_instructions "
            "again, which sends them again."
        )
    return judged(
        not said,
        {"requests_failed": last["failed"]},
        description=" ".join(said) or "The last round reached its goal, and no request failed.",
    )
