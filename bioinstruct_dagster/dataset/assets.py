"""The data set as an asset.

Belongs here: the statements that choose rows and facts for the card, and the step. Does not: the
folder (dataset.build) or the card's text (dataset.card).
"""

import json
from collections.abc import Mapping
from typing import Any

import dagster as dg

from bioinstruct_dagster import figures
from bioinstruct_dagster.dataset.build import build_dataset
from bioinstruct_dagster.dataset.card import Card
from bioinstruct_dagster.dataset.split_rule import rule_for
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of_rows
from bioinstruct_dagster.store.materialization import OWNERS, materialization
from bioinstruct_dagster.store.step_failures import stating_errors

ROWS_IN_ORDER = """
    select labelled.*, raw.source, raw.completion_id
    from categorized_instructions as labelled
    join raw_instructions as raw using (row_id)
    order by labelled.ordinal
"""
SEEDS = "select seed_id, category, instruction, input, output from seed_tasks order by ordinal"
TEMPLATES = """
    select distinct template_id || ' (sha256 ' || template_sha256[:12] || ')' as template
    from completions
    join completion_outcomes using (completion_id)
    where tasks > 0
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
TEACHERS = """
    select distinct completion.teacher || ': ' || completion.model_answered as teacher
    from raw_instructions
    join completions as completion using (completion_id)
    order by teacher
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

    Open it with `datasets.load_dataset("<data dir>/hf_dataset")`. A hash of the instruction decides
    whether a row is in the train, validation or test split (80/10/10 %). In a set of few
    instructions and many inputs, a hash of instruction and input decides. The first build chooses
    the rule, and a row keeps its split when the data set grows.
    """
    rows = store.rows(ROWS_IN_ORDER)
    if not rows:
        raise StatedError("No categorized rows. Materialize key:categorized_instructions first.")
    rehearsal = any(row["rehearsal"] for row in rows)
    seeds = store.rows(SEEDS)
    split_by = rule_for(store, rows)
    card = Card(
        teacher=", ".join(row["teacher"] for row in store.rows(TEACHERS)) or "none (imported)",
        template=", ".join(row["template"] for row in store.rows(TEMPLATES)) or "none (imported)",
        seeds_fingerprint=sha256_of_rows(seeds, tuple(seeds[0])) if seeds else "none",
        funnel=store.rows(FUNNEL_TO_HERE),
        gates={row["gate"]: _description(row) for row in store.rows(GATES)},
        rehearsal=rehearsal,
        split_by=split_by,
    )
    built = build_dataset(rows, settings.store.data_dir / "hf_dataset", card)
    placed = [
        {name: row[name] for name in ("row_id", "split", "category", "rehearsal")}
        | {"dataset_fingerprint": built.fingerprint}
        for row in built.rows
    ]
    store.replace({"hf_dataset": placed, "dataset_split_rule": [{"split_by": split_by}]})
    return materialization(
        context,
        store,
        "hf_dataset",
        built.fingerprint,
        rehearsal=rehearsal,
        extra={
            "split_by": split_by,
            "splits": dg.MetadataValue.md(figures.bars("Rows by split", built.sizes)),
            "path": dg.MetadataValue.path(built.path),
            "card": dg.MetadataValue.md(
                (built.path / "README.md").read_text("utf-8").split("---\n", 2)[2]
            ),
        },
    )


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
