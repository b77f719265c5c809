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
from bioinstruct_dagster.curation.rechecks import (
    kinds_in_words,
    most_similar_pair,
    rows_with_identifiers,
)
from bioinstruct_dagster.eval_sets.items import load_items
from bioinstruct_dagster.figures.values import number_of, percent
from bioinstruct_dagster.generation.controls.file import read_controls
from bioinstruct_dagster.generation.controls.mix import mix
from bioinstruct_dagster.seeds.tasks import CATEGORIES, LEAST_SHARE, MOST_SHARE, uneven_shares
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
KEPT_SAMPLE = """
    select row_id, instruction, input, output
    from deduplicated_instructions
    order by row_id
    limit $n
"""
CURATE_AGAIN = "Materialize key:deduplicated_instructions again, which checks them."
ROWS_BY_CATEGORY = """
    select category, count(*) as rows from categorized_instructions group by category order by all
"""
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
    counts = store.rows(COUNTS)[0]
    said = [
        f"{number_of(len(rows), 'row')} {fault}, such as {rows[0]['row_id']}."
        for rows, fault in (
            (lost, "neither kept nor rejected"),
            (twice, "both kept and rejected"),
            (unchecked, "not checked by a gate"),
        )
        if rows
    ]
    if said:
        said.append("Materialize key:deduplicated_instructions again.")
    return judged(
        not lost and not twice and not unchecked,
        {
            "lost": len(lost),
            "kept_and_rejected": len(twice),
            "not_looked_at": len(unchecked),
        },
        warns=False,
        description=" ".join(said)
        or f"All {counts['raw']:,} raw rows are accounted for: {counts['kept']:,} are kept, and "
        f"{counts['raw'] - counts['kept']:,} are rejected with a reason.",
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
    sample = f"{len(rows):,} of {kept:,} kept rows were compared."
    if method.name == "exact":
        tasks = {(normalised(row["instruction"]), normalised(row["input"])) for row in rows}
        repeats = len(rows) - len(tasks)
        facts |= {"repeats": repeats}
        told = f"{repeats:,} repeat another. {CURATE_AGAIN}" if repeats else "None repeats another."
        return judged(not repeats, facts, warns=False, description=f"{sample} {told}")
    pair = most_similar_pair(rows)
    if pair is None:
        return not_judged("No two kept rows can be compared, because of their scripts.", facts)
    return judged(
        not pair.score > method.threshold,
        facts | {"highest_rouge_l_f1": round(pair.score, 4)},
        warns=False,
        description=f"{sample} The most similar pair has a ROUGE-L F1 of {pair.score:.3f}, and the "
        f"threshold is {method.threshold:g}. "
        + (
            f"It is {pair.first} and {pair.second}. {CURATE_AGAIN}"
            if pair.score > method.threshold
            else ""
        ),
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
    return judged(
        not drops,
        shown if drops else {},
        description="\n".join(map(str, drops))
        or f"No gate rejected more than half of the {raw:,} raw rows.",
    )


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
    repeated = ", ".join(f"{task}: {n:,}" for task, n in found.leaks_by_task.items() if n)
    said = f"{found.rows:,} kept rows were compared with {found.items:,} items."
    if found.passed:
        said += " None repeats an item."
    else:
        said += (
            f" Rows that repeat an item, by set: {repeated}. They would spoil the scores on it. "
            "Materialize key:deduplicated_instructions again, with BIOINSTRUCT_CONTAMINATION=reject"
            "."
        )
    return judged(
        found.passed,
        facts,
        warns=settings.curation.contamination != "reject",
        description=f"{said} Not judged for sets without files: {without}." if without else said,
    )


@dg.asset_check(asset="deduplicated_instructions", blocking=True)
def kept_rows_hold_no_identifiers(
    store: dg.ResourceParam[Store], settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """A new scan of up to 1,000 kept rows finds no identifier of a person.

    The check does not rely on stored verdicts. It only warns if `BIOINSTRUCT_PRIVACY` is `flag`. If
    the privacy gate is off, it says that it did not judge.
    """
    action = settings.curation.privacy
    if action == "off":
        return not_judged("The privacy gate is off. BIOINSTRUCT_PRIVACY=reject turns it on.")
    rows = store.rows(KEPT_SAMPLE, {"n": SAMPLE_ROWS})
    if not rows:
        return not_judged("There are no kept rows.")
    found = rows_with_identifiers(rows)
    scanned = f"{len(rows):,} of {store.rows(COUNTS)[0]['kept']:,} kept rows were scanned again."
    if not found:
        said = f"{scanned} None holds an identifier that the rules know."
    else:
        said = (
            f"{scanned} {len(found):,} hold what may identify a person ({kinds_in_words(found)}), "
            f"such as row {next(iter(found))}. Don't publish the set. "
        ) + (
            "The rows are kept because BIOINSTRUCT_PRIVACY is flag: set it to reject or redact."
            if action == "flag"
            else CURATE_AGAIN
        )
    return judged(
        not found,
        {"scanned": len(rows), "rows with identifiers": len(found)},
        warns=action == "flag",
        description=said,
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
        else f"The files of all {len(items.counts)} evaluation sets are at hand.",
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
        description=f"All {counts['kept']:,} kept rows have one of the four categories."
        if not unlabelled and counts["kept"] == counts["labelled"]
        else f"{counts['labelled']:,} of {counts['kept']:,} kept rows are labelled, and "
        f"{len(unlabelled):,} have no known category. Materialize key:categorized_instructions "
        "again.",
    )


@dg.asset_check(asset="categorized_instructions")
def category_shares_are_within_bounds(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Each category has between 5 and 60 % of the rows. Warns otherwise.

    In BioInstruct, the shares are 10.0 to 33.8 %. With fewer than 100 rows, the check says that it
    did not judge.
    """
    counts = {row["category"]: row["rows"] for row in store.rows(ROWS_BY_CATEGORY)}
    total = sum(counts.values())
    if total < LEAST_ROWS_FOR_MIX:
        return not_judged(
            f"There are {total:,} labelled rows, and the check needs {LEAST_ROWS_FOR_MIX}.", counts
        )
    uneven = uneven_shares(counts)
    bounds = f"{percent(LEAST_SHARE)} to {percent(MOST_SHARE)}"
    return judged(
        not uneven,
        counts,
        description=f"Categories with a share of the rows outside {bounds}: {', '.join(uneven)}. "
        "Add seed tasks of the rare categories, or set controls (BIOINSTRUCT_CONTROLS)."
        if uneven
        else f"Each category has {bounds} of the {total:,} rows.",
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
    passed = difference <= MOST_SHARE_DIFFERENCE and agreement >= LEAST_AGREEMENT
    said = (
        f"In {len(rows):,} kept rows, the share of a control's value differs by up to "
        f"{percent(difference)} from what was asked for, and at least {percent(agreement)} of the "
        "rows show what their request asked for."
    )
    return judged(
        passed,
        facts | {"furthest_apart": round(difference, 4), "least_agreement": round(agreement, 4)},
        description=said
        if passed
        else f"{said} Look at the table below for the control that fails, and change its words or "
        "its share in the file that BIOINSTRUCT_CONTROLS names.",
    )
