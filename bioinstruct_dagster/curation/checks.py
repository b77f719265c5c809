"""The asset checks of curation.

Belongs here: checks on the tables of kept and labelled rows. Does not: the gates, or how a table is
written (curation.curate_store).
"""

import json
from typing import Any

import dagster as dg

from bioinstruct_dagster.curation.contamination.gate import contamination_report
from bioinstruct_dagster.curation.contamination.limits import compared_items
from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.large_drops import LEAST_ROWS, drops_as_markdown, large_drops
from bioinstruct_dagster.curation.novelty.exact import normalised
from bioinstruct_dagster.curation.novelty.gate import stored_method
from bioinstruct_dagster.curation.novelty.rule import (
    MEASURES,
    members_of_measures,
    rouge_l_f1_of_texts,
)
from bioinstruct_dagster.eval_sets.items import load_items
from bioinstruct_dagster.generation.controls.file import read_controls
from bioinstruct_dagster.generation.controls.mix import mix
from bioinstruct_dagster.seeds.tasks import CATEGORIES
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.check_results import judged, not_judged
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.materialization import markdown_table
from bioinstruct_dagster.store.schema_checks import schema_check

SAMPLE_ROWS = 1_000  # rows compared all against all

deduplicated_instructions_schema = schema_check("deduplicated_instructions", key=("row_id",))
categorized_instructions_schema = schema_check("categorized_instructions", key=("row_id",))

# Limits of the check of the mix. It needs enough rows to be meaningful.
MOST_SHARE_DIFFERENCE = 0.10  # between a share asked for and the share of kept rows
LEAST_AGREEMENT = 0.5  # share of rows that show what their request asked for
LEAST_ROWS_FOR_MIX = 100

KEPT_WITH_CONTROLS = """
    select kept.instruction, kept.input, kept.output, raw.controls, raw.rehearsal
    from deduplicated_instructions as kept
    join raw_instructions as raw using (row_id)
    where raw.controls is not null
"""
LOST_ROWS = """
    select row_id from raw_instructions
    except
    (
        select row_id from deduplicated_instructions
        union all
        select row_id from rejected_instructions
    )
"""
ROWS_KEPT_AND_REJECTED = """
    select row_id from deduplicated_instructions
    intersect
    select row_id from rejected_instructions
"""
# A row gate checks every row. The novelty filter checks the rows that pass the row gates.
UNCHECKED_ROWS = """
    select raw.row_id, gates.gate
    from raw_instructions as raw
    cross join gates
    anti join verdicts on verdicts.row_id = raw.row_id and verdicts.gate = gates.gate
    where gates.by_row
    union all
    select row_id, 'novelty'
    from passing_instructions
    anti join (select row_id from verdicts where gate = 'novelty') as checked using (row_id)
"""
KEPT_TEXTS = "select instruction, input, output from deduplicated_instructions order by ordinal"
COUNTS = """
    select (select count(*) from raw_instructions) as raw,
        (select count(*) from deduplicated_instructions) as kept
"""
KEPT_SAMPLE = "select instruction, input from deduplicated_instructions order by row_id limit $n"
ROWS_WITHOUT_CATEGORY = """
    select row_id, category
    from categorized_instructions
    where category not in (select unnest($categories::varchar[]))
"""


@dg.asset_check(asset="deduplicated_instructions", blocking=True)
def every_raw_row_is_accounted_for(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Each raw row is either kept or rejected with a reason, and each gate has checked its rows."""
    lost, twice = store.rows(LOST_ROWS), store.rows(ROWS_KEPT_AND_REJECTED)
    unchecked = store.rows(UNCHECKED_ROWS)
    return judged(
        not lost and not twice and not unchecked,
        {
            "lost": len(lost),
            "kept_and_rejected": len(twice),
            "not_looked_at": len(unchecked),
        },
        warns=False,
    )


@dg.asset_check(asset="deduplicated_instructions", blocking=True)
def kept_rows_differ(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """No kept row repeats another by the rule of novelty, in a sample of up to 1,000 rows.

    By the rule `rouge`, no two instructions of the same measure have an F1 above the threshold. By
    the rule `exact`, no two rows have the same instruction and input. By the rule `off`, nothing is
    compared, and the check says that it did not judge.
    """
    method = stored_method(store)
    if method is None or method.name == "off":
        return not_judged(
            "The novelty gate compared no rows (rule off). BIOINSTRUCT_NOVELTY chooses the rule.",
            {"compared": 0, "rule": "off"},
        )
    rows = store.rows(KEPT_SAMPLE, {"n": SAMPLE_ROWS})
    facts = {"compared": len(rows), "rule": method.name}
    if len(rows) < 2:  # noqa: PLR2004  # a pair
        return not_judged("There are fewer than two kept rows.", facts)
    kept = store.rows(COUNTS)[0]["kept"]
    sample = f"{len(rows):,} of {kept:,} kept rows were compared." if kept > len(rows) else None
    if method.name == "exact":
        tasks = {(normalised(row["instruction"]), normalised(row["input"])) for row in rows}
        repeats = len(rows) - len(tasks)
        facts |= {"repeats": repeats}
        return judged(not repeats, facts, warns=False, description=sample)
    instructions = [row["instruction"] for row in rows]
    highest = 0.0
    for measure, members in zip(MEASURES, members_of_measures(instructions), strict=True):
        texts = [instructions[i] for i in members]
        scores = rouge_l_f1_of_texts(texts, texts, measure)
        for i in range(len(texts)):
            scores[i, i] = 0.0
        highest = max(highest, float(scores.max()) if texts else 0.0)
    return judged(
        not highest > method.threshold,
        facts | {"highest_rouge_l_f1": highest},
        warns=False,
        description=sample,
    )


@dg.asset_check(asset="deduplicated_instructions")
def gates_keep_half_of_the_rows(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """No gate rejects more than half of the set, and neither do all gates together.

    Warns otherwise, and shows the rule, five of its rows, and the setting that changes it. With
    fewer than 20 rows, the check says that it did not judge.
    """
    raw = store.rows(COUNTS)[0]["raw"]
    if raw < LEAST_ROWS:
        return not_judged(f"There are {raw} raw rows, and the check needs {LEAST_ROWS}.")
    drops = large_drops(store)
    shown = {"examples": dg.MetadataValue.md(drops_as_markdown(drops, markdown_table))}
    return judged(not drops, shown if drops else {}, description="\n".join(map(str, drops)))


@dg.asset_check(asset="deduplicated_instructions", blocking=True)
def kept_rows_are_no_evaluation_items(
    store: dg.ResourceParam[Store], settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """No kept row repeats an item of an evaluation set whose file is present.

    The check compares all kept rows again and does not rely on stored verdicts. It only warns if
    the setting `BIOINSTRUCT_CONTAMINATION` is `flag`. If no set is at hand, it says that it did not
    judge.
    """
    kept = [RowTexts.of(row) for row in store.rows(KEPT_TEXTS)]
    found = contamination_report(kept, compared_items(settings))
    facts = {
        "rows": found.rows,
        "items": found.items,
        "rows_that_repeat_one": dg.MetadataValue.json(found.leaks_by_task),
        "sets_not_at_hand": dg.MetadataValue.json(list(found.missing)),
    }
    if not found.items or not found.rows:
        why = (
            f"No file of an evaluation set is in {settings.eval_sets.folder} (BIOINSTRUCT_EVAL_DIR)"
            if not found.items
            else "There are no kept rows"
        )
        return not_judged(f"{why}, so nothing was compared.", facts)
    without = ", ".join(found.missing)
    return judged(
        found.passed,
        facts,
        warns=settings.curation.contamination != "reject",
        description=f"Not judged for sets without files: {without}." if without else None,
    )


@dg.asset_check(asset="deduplicated_instructions")
def evaluation_sets_are_at_hand(
    store: dg.ResourceParam[Store], settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """The files of all evaluation sets in the catalogue are present. Warns if some are missing.

    Kept rows are not compared with a set whose files are missing. Put the files into the folder
    `BIOINSTRUCT_EVAL_DIR`, under the names in `data/evaluation_tasks`.
    """
    items = load_items(settings.eval_sets.tasks, settings.eval_sets.folder)
    missing = ", ".join(items.missing)
    return judged(
        not items.missing,
        {
            "items_by_set": dg.MetadataValue.json(dict(items.counts)),
            "sets_not_at_hand": dg.MetadataValue.json(list(items.missing)),
            "folder": dg.MetadataValue.path(settings.eval_sets.folder),
        },
        description=(
            f"{len(items.missing)} of {len(items.counts)} evaluation sets have no files: {missing}."
            f" Whether one of the {store.rows(COUNTS)[0]['kept']:,} kept rows repeats their items "
            "is not known. Put the files into the folder that BIOINSTRUCT_EVAL_DIR names."
        )
        if missing
        else None,
    )


@dg.asset_check(asset="categorized_instructions", blocking=True)
def every_row_has_a_category(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Each row has one of the four categories, and every kept row has a label."""
    unlabelled = store.rows(ROWS_WITHOUT_CATEGORY, {"categories": list(CATEGORIES)})
    counts = store.rows(
        "select (select count(*) from deduplicated_instructions) as kept, count(*) as labelled "
        "from categorized_instructions"
    )[0]
    return judged(
        not unlabelled and counts["kept"] == counts["labelled"],
        {**counts, "wrong": dg.MetadataValue.md(markdown_table(unlabelled[:5]))},
        warns=False,
    )


@dg.asset_check(asset="deduplicated_instructions")
def kept_rows_are_what_was_asked_for(
    store: dg.ResourceParam[Store], settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """The kept rows follow the controls. Warns otherwise.

    The share of each control value differs from the requested share by at most 10 percentage
    points, and at least half of the rows show the value that their request asked for. The check
    covers the dimensions that can be measured on a row, such as the length of the input, and needs
    100 rows. Recorded replies of a rehearsal follow no controls, so their rows are left out. If too
    few rows are left, the check says that it did not judge.
    """
    if settings.generation.controls is None:
        return not_judged("No controls are set (BIOINSTRUCT_CONTROLS).", {"rows_with_controls": 0})
    found = store.rows(KEPT_WITH_CONTROLS)
    rows = [row for row in found if not row["rehearsal"]]
    controls = read_controls(settings.generation.controls)
    shown = mix(controls, [(row, json.loads(row["controls"])) for row in found])
    facts: dict[str, Any] = {
        "rows_with_controls": len(found),
        "rows_of_a_rehearsal": len(found) - len(rows),
        "mix": dg.MetadataValue.md(markdown_table(shown)),
    }
    if len(rows) < LEAST_ROWS_FOR_MIX:
        replayed = f", and {len(found) - len(rows):,} more of a rehearsal, which follow none"
        return not_judged(
            f"{len(rows):,} kept rows were written to controls"
            f"{replayed if len(found) > len(rows) else ''}. The check needs {LEAST_ROWS_FOR_MIX}.",
            facts,
        )
    shares = shown
    if len(rows) < len(found):
        shares = mix(controls, [(row, json.loads(row["controls"])) for row in rows])
    measured = [m for m in shares if m["dimension_agreement"] is not None]
    if not measured:
        return not_judged("No control that was asked for can be measured on a row.", facts)
    difference = max(abs(m["achieved"] - m["asked"]) for m in measured)
    agreement = min(m["dimension_agreement"] for m in measured)
    return judged(
        difference <= MOST_SHARE_DIFFERENCE and agreement >= LEAST_AGREEMENT,
        facts | {"furthest_apart": difference, "least_agreement": agreement},
    )
