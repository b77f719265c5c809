"""The data set as an asset.

Belongs here: the statements that choose rows and facts for the card, and the step. Does not: the
folder (dataset.build) or the card's text (dataset.card).
"""

import json
from collections.abc import Mapping
from typing import Any

import dagster as dg

from bioinstruct_dagster.curation.shown import labelled_cards
from bioinstruct_dagster.dataset.build import build_dataset
from bioinstruct_dagster.dataset.card import Card
from bioinstruct_dagster.dataset.checks import renewing_older_result_checks
from bioinstruct_dagster.dataset.marked_rows import marked_rows
from bioinstruct_dagster.dataset.older_results import (
    OLDER_RESULT_CHECKS,
    advice_of,
    made_results,
    older_experiments,
)
from bioinstruct_dagster.dataset.origins import origins_of
from bioinstruct_dagster.dataset.split_rule import rule_for
from bioinstruct_dagster.dataset.splits import SPLITS
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.figures.bars import bars
from bioinstruct_dagster.figures.sheet import summary
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of_rows
from bioinstruct_dagster.store.materialization import (
    OWNERS,
    markdown_table,
    materialization,
    rows_and_change,
)
from bioinstruct_dagster.store.step_failures import stating_errors
from bioinstruct_dagster.teacher.completions import answered_by

ROWS_IN_ORDER = """
    select labelled.*, raw.source, raw.completion_id
    from categorized_instructions as labelled
    join raw_instructions as raw using (row_id)
    order by labelled.ordinal
"""
SEEDS = "select seed_id, category, instruction, input, output from seed_tasks order by ordinal"
# The requests behind the rows of the set, and not behind rows that a gate rejected.
BEHIND_THE_ROWS = """
    from categorized_instructions
    join raw_instructions as raw using (row_id)
    join completions as completion using (completion_id)
"""
TEMPLATES = f"""
    select distinct template_id || ' (sha256 ' || template_sha256[:12] || ')' as template
    {BEHIND_THE_ROWS}
    order by template
"""
GATES = """
    select gate, version, made_of
    from gate_versions
    semi join (select distinct gate, gate_version as version from verdicts) as used
        using (gate, version)
    join gates using (gate)
    order by gate_order, first_used_at
"""
FUNNEL_TO_HERE = "select stage, outcome, rows from funnel where step <= 6"
TEACHERS = f"""
    select completion.teacher, model_asked, model_answered, completion.rehearsal, count(*) as rows
    {BEHIND_THE_ROWS}
    group by all
    order by rows desc, teacher, model_answered
"""
# Rows that the rules of English words of the quality gate did not judge.
NOT_ENGLISH = """
    select count(distinct row_id) as rows
    from verdicts
    semi join categorized_instructions using (row_id)
    where gate = 'quality' and json_exists(evidence, '$.not_judged_by')
"""


@dg.asset(
    group_name="dataset",
    kinds={"huggingface", "parquet"},
    owners=OWNERS,
    code_version="1",
    deps=["categorized_instructions"],
)
@stating_errors
def hf_dataset(
    context: dg.AssetExecutionContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """The labelled rows as a Hugging Face data set on disk: Parquet shards and a data set card.
    Open it with `datasets.load_dataset("<data dir>/hf_dataset")`. A row keeps its split for good.
    """
    # A hash of the instruction decides whether a row is in the train, validation or test split
    # (80/10/10 %). In a set of few instructions and many inputs, a hash of instruction and input
    # decides. The first build chooses the rule.
    with renewing_older_result_checks(context.instance, store):
        return _made(context, store, settings)


def _made(
    context: dg.AssetExecutionContext, store: Store, settings: Settings
) -> dg.MaterializeResult[None]:
    rows = store.rows(ROWS_IN_ORDER)
    if not rows:
        raise StatedError("No categorized rows. Materialize key:categorized_instructions first.")
    seeds = store.rows(SEEDS)
    split_by = rule_for(store, rows)
    card = Card(
        teacher=", ".join(
            f"{answered_by(row)} ({row['rows']:,} rows)" for row in store.rows(TEACHERS)
        )
        or "unknown",
        template=", ".join(row["template"] for row in store.rows(TEMPLATES)) or "unknown",
        seeds_fingerprint=sha256_of_rows(seeds, tuple(seeds[0])) if seeds else "none",
        funnel=store.rows(FUNNEL_TO_HERE),
        gates={row["gate"]: _description(row) for row in store.rows(GATES)},
        split_by=split_by,
        other_language=store.rows(NOT_ENGLISH)[0]["rows"],
        marked=marked_rows(store, "categorized_instructions"),
    )
    built = build_dataset(rows, settings.store.data_dir / "hf_dataset", card)
    placed = [
        {name: row[name] for name in ("row_id", "split", "category", "rehearsal")}
        | {"dataset_fingerprint": built.fingerprint}
        for row in built.rows
    ]
    store.replace({"hf_dataset": placed, "dataset_split_rule": [{"split_by": split_by}]})
    older = _older_results(context, store)
    origins = origins_of(rows)
    # All three, so that each curve over the runs has a point at each run.
    sizes = {str(split): built.sizes.get(split, 0) for split in SPLITS}
    return materialization(
        context,
        store,
        "hf_dataset",
        built.fingerprint,
        extra={
            "summary": dg.MetadataValue.md(
                summary(
                    f"{rows_and_change(context, 'hf_dataset', len(rows), 'row')}: "
                    f"{', '.join(origins.parts())}.",
                    bars("Rows by split", sizes, "rows"),
                )
            ),
            **({"older results": dg.MetadataValue.md(markdown_table(older))} if older else {}),
            **{f"{split} rows": n for split, n in sizes.items()},
            "origin": origins.sentence(),
            "split by": split_by.replace("_", " "),
            "path": dg.MetadataValue.path(built.path),
            "card": dg.MetadataValue.md(
                (built.path / "README.md").read_text("utf-8").split("---\n", 2)[2]
            ),
            "five rows": dg.MetadataValue.md(labelled_cards(store, built.fingerprint)),
        },
        preview=False,
    )


def _older_results(context: dg.AssetExecutionContext, store: Store) -> list[dict[str, Any]]:
    """Mark the adapters and scores that are older than this data set. A row for each of them."""
    results = made_results(store)
    for asset in OLDER_RESULT_CHECKS:
        if older := older_experiments(results, asset):
            context.log.warning(
                "%s: older than this data set: %s. %s", asset, ", ".join(older), advice_of(asset)
            )
    return [
        {"asset": one.asset, "experiment": one.experiment, "state": one.why_older}
        for one in results
        if one.why_older
    ]


def _description(gate: Mapping[str, Any]) -> str:
    """The gate's line on the card: its version, rules, settings and evaluation sets."""
    made_of = json.loads(gate["made_of"])
    facts = [f"version {gate['version']}"]
    if "rules" in made_of:
        facts.append(f"{sum(rule['action'] != 'off' for rule in made_of['rules'].values())} rules")
    if "threshold" in made_of:
        facts.append(f"ROUGE-L F1 with seeds and earlier rows at most {made_of['threshold']}")
    if made_of.get("method") == "exact":
        facts.append("no row has the instruction and input of an earlier row")
    if made_of.get("method") == "off":
        facts.append("rows were not compared")
    if "action" in made_of:
        facts.append(f"action: {made_of['action']}")
    if "items" in made_of:
        sets = ", ".join(f"{name} ({n})" for name, n in made_of["items"].items() if n)
        facts.append(f"compared with the items of {sets or 'no evaluation set'}")
        if made_of["missing"]:
            facts.append(f"not compared with missing sets: {', '.join(made_of['missing'])}")
    return "; ".join(facts)
