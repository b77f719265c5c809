"""Checks on the curated rows."""

import json

import dagster as dg

from bioinstruct_dagster.curation.contamination.gate import check_clean
from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.novelty.rule import THRESHOLD, rouge_l_f1_of_texts
from bioinstruct_dagster.eval_sets.items import load_items
from bioinstruct_dagster.generation.controls.file import read_controls
from bioinstruct_dagster.generation.controls.mix import mix
from bioinstruct_dagster.seeds.tasks import CATEGORIES
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.materialization import markdown_table
from bioinstruct_dagster.store.schema_checks import schema_check

SAMPLE = 1_000  # rows compared all against all; the rule itself is tested exhaustively

deduplicated_instructions_schema = schema_check("deduplicated_instructions", key=("row_id",))
categorized_instructions_schema = schema_check("categorized_instructions", key=("row_id",))

# Points of share between what was asked for and what the kept rows show, at most; the share of
# rows that show what was asked of them, at least. Both where there are rows enough to tell.
MOST_APART = 0.10
LEAST_AGREEMENT = 0.5
ROWS_TO_JUDGE = 100

KEPT_WITH_CONTROLS = """
    select kept.instruction, kept.input, kept.output, raw.controls, raw.rehearsal
    from deduplicated_instructions as kept
    join raw_instructions as raw using (row_id)
    where raw.controls is not null
"""
UNACCOUNTED = """
    select row_id from raw_instructions
    except
    (
        select row_id from deduplicated_instructions
        union all
        select row_id from rejected_instructions
    )
"""
KEPT_AND_REJECTED = """
    select row_id from deduplicated_instructions
    intersect
    select row_id from rejected_instructions
"""
# The gates that check a row by itself check every row; novelty checks those that they let pass.
UNSEEN = """
    select raw.row_id, gates.gate
    from raw_instructions as raw
    cross join gates
    anti join verdicts as said on said.row_id = raw.row_id and said.gate = gates.gate
    where gates.by_row
    union all
    select row_id, 'novelty'
    from passing_instructions
    anti join (select row_id from verdicts where gate = 'novelty') as said using (row_id)
"""
KEPT_TEXTS = "select instruction, input, output from deduplicated_instructions order by ordinal"
ANY_REHEARSAL = """
    select coalesce(bool_or(rehearsal), false) as rehearsal from deduplicated_instructions
"""
KEPT_SAMPLE = "select instruction from deduplicated_instructions order by row_id limit $n"
UNLABELLED = """
    select row_id, category
    from categorized_instructions
    where category not in (select unnest($categories::varchar[]))
"""


@dg.asset_check(asset="deduplicated_instructions", blocking=True)
def every_raw_row_is_accounted_for(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Each raw row is either kept or rejected with a reason, and each gate has checked its rows."""
    lost, twice = store.rows(UNACCOUNTED), store.rows(KEPT_AND_REJECTED)
    unseen = store.rows(UNSEEN)
    return dg.AssetCheckResult(
        passed=not lost and not twice and not unseen,
        metadata={
            "lost": len(lost),
            "kept_and_rejected": len(twice),
            "not_looked_at": len(unseen),
        },
    )


@dg.asset_check(asset="deduplicated_instructions", blocking=True)
def kept_rows_differ(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """No two kept instructions have a ROUGE-L F1 above 0.7, in a sample of up to 1,000 rows."""
    texts = [row["instruction"] for row in store.rows(KEPT_SAMPLE, {"n": SAMPLE})]
    scores = rouge_l_f1_of_texts(texts, texts)
    for i in range(len(texts)):
        scores[i, i] = 0.0
    highest = float(scores.max()) if texts else 0.0
    return dg.AssetCheckResult(
        passed=not highest > THRESHOLD,
        metadata={"compared": len(texts), "highest_rouge_l_f1": highest},
    )


@dg.asset_check(asset="deduplicated_instructions", blocking=True)
def kept_rows_are_no_evaluation_items(
    store: dg.ResourceParam[Store], settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """No kept row repeats an item of an evaluation set whose file is present.

    The check compares all kept rows again and does not rely on stored verdicts. It only warns if
    the setting `BIOINSTRUCT_CONTAMINATION` is `flag`.
    """
    kept = [RowTexts.of(row) for row in store.rows(KEPT_TEXTS)]
    found = check_clean(kept, load_items(settings.eval_sets.tasks, settings.eval_sets.folder))
    rejecting = settings.curation.contamination == "reject"
    return dg.AssetCheckResult(
        passed=found.passed,
        severity=dg.AssetCheckSeverity.ERROR if rejecting else dg.AssetCheckSeverity.WARN,
        metadata={
            "rows": found.rows,
            "items": found.items,
            "rows_that_repeat_one": dg.MetadataValue.json(found.leaks_by_task),
            "sets_not_at_hand": dg.MetadataValue.json(list(found.missing)),
        },
    )


@dg.asset_check(asset="deduplicated_instructions")
def evaluation_sets_are_at_hand(
    store: dg.ResourceParam[Store], settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """The files of all evaluation sets in the catalogue are present. Warns if some are missing.

    Kept rows are not compared with a set whose files are missing. Put the files into the folder
    `BIOINSTRUCT_EVAL_DIR`, under the names in `data/evaluation_tasks.yaml`. In a rehearsal the
    check shows the missing sets and passes, because a rehearsal's scores mean nothing.
    """
    items = load_items(settings.eval_sets.tasks, settings.eval_sets.folder)
    rehearsal = store.rows(ANY_REHEARSAL)[0]["rehearsal"]
    return dg.AssetCheckResult(
        passed=not items.missing or rehearsal,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "items_by_set": dg.MetadataValue.json(dict(items.counts)),
            "sets_not_at_hand": dg.MetadataValue.json(list(items.missing)),
            "folder": dg.MetadataValue.path(settings.eval_sets.folder),
            "checked": not rehearsal,
        },
    )


@dg.asset_check(asset="categorized_instructions", blocking=True)
def every_row_has_a_category(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Each row has one of the four categories, and every kept row has a label."""
    wrong = store.rows(UNLABELLED, {"categories": list(CATEGORIES)})
    counts = store.rows(
        "select (select count(*) from deduplicated_instructions) as kept, count(*) as labelled "
        "from categorized_instructions"
    )[0]
    return dg.AssetCheckResult(
        passed=not wrong and counts["kept"] == counts["labelled"],
        metadata={**counts, "wrong": dg.MetadataValue.md(markdown_table(wrong[:5]))},
    )


@dg.asset_check(asset="deduplicated_instructions")
def kept_rows_are_what_was_asked_for(
    store: dg.ResourceParam[Store], settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """The kept rows follow the controls. Warns otherwise.

    The share of each control value differs from the requested share by at most 10 percentage
    points, and at least half of the rows show the value that their request asked for. The check
    covers the dimensions that can be measured on a row, such as the length of the input, and needs
    100 rows. In a rehearsal it shows the mix and passes, because recorded replies follow no
    controls.
    """
    rows = store.rows(KEPT_WITH_CONTROLS) if settings.generation.controls else []
    if not rows or settings.generation.controls is None:
        return dg.AssetCheckResult(passed=True, metadata={"rows_with_controls": 0})
    controls = read_controls(settings.generation.controls)
    found = mix(controls, [(row, json.loads(row["controls"])) for row in rows])
    measured = [m for m in found if m["dimension_agreement"] is not None]
    apart = max((abs(m["achieved"] - m["asked"]) for m in measured), default=0.0)
    agreement = min((m["dimension_agreement"] for m in measured), default=1.0)
    rehearsal = any(row["rehearsal"] for row in rows)
    checked = len(rows) >= ROWS_TO_JUDGE and not rehearsal
    return dg.AssetCheckResult(
        passed=not checked or (apart <= MOST_APART and agreement >= LEAST_AGREEMENT),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "rows_with_controls": len(rows),
            "furthest_apart": apart,
            "least_agreement": agreement,
            "checked": checked,
            "mix": dg.MetadataValue.md(markdown_table(found)),
        },
    )
