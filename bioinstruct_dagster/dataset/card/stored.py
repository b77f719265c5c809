"""The facts of a card, read from the store.

Belongs here: the statements, and their results as facts. Does not: the text of the card
(card.render), or what is measured on the rows (card.statistics).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from importlib import metadata
from typing import Any

from bioinstruct_dagster.dataset.card.facts import Card, GateCounts, Prompt, Requests, StoredFacts
from bioinstruct_dagster.dataset.card.prompt_text import text_of_prompt
from bioinstruct_dagster.dataset.card.reviewed import stored_review
from bioinstruct_dagster.dataset.marked_rows import marked_rows
from bioinstruct_dagster.dataset.origins import REHEARSED_LABELLER
from bioinstruct_dagster.dataset.splits import SplitBy
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of_rows
from bioinstruct_dagster.store.gate_order import DROPPING_GATES
from bioinstruct_dagster.teacher.completions import answered_by

_DISTRIBUTION = "bioinstruct-dagster"
SEEDS = "select seed_id, category, instruction, input, output from seed_tasks order by ordinal"
# The requests behind the rows of the set, and not behind rows that a gate rejected.
BEHIND_THE_ROWS = """
    from reviewed_instructions
    join raw_instructions as raw using (row_id)
    join completions as completion using (completion_id)
"""
PROMPTS = f"""
    select template_id, template_sha256, reply_format, count(*) as rows
    {BEHIND_THE_ROWS}
    group by all
    order by rows desc, template_id, template_sha256
"""
GATES = """
    select gate, version, made_of
    from gate_versions
    semi join (select distinct gate, gate_version as version from verdicts) as used
        using (gate, version)
    join gates using (gate)
    order by gate_order, first_used_at
"""
FUNNEL_TO_HERE = "select stage, outcome, rows from funnel where step <= 7"
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
    semi join reviewed_instructions using (row_id)
    where gate = 'quality' and json_exists(evidence, '$.not_judged_by')
"""
# A store may hold replies for an earlier set too: those of its rows do not count, nor those of
# categories that another labeller has replaced. Checks and probes of the rehearsal teacher count
# only if it made a row or a category of the set. The judge of evaluation is paid for scores, and
# not for the data set.
REQUESTS = """
    select purpose, teacher, model_asked, model_answered, rehearsal, count(*) as replies,
        sum(prompt_tokens)::bigint as prompt_tokens,
        sum(completion_tokens)::bigint as completion_tokens,
        sum(usd) as usd, count(*) filter (where usd is null) as unpriced,
        min(completed_at) as first, max(completed_at) as last
    from completions
    where case purpose
        when 'generation' then completion_id in (select completion_id from completion_outcomes)
        when 'categorization' then completion_id in (
            select label.completion_id
            from category_labels as label
            join categorized_instructions as labelled
                on labelled.instruction = label.instruction
                and labelled.labelled_by = 'teacher:' || label.model
            semi join reviewed_instructions as kept on kept.row_id = labelled.row_id
        )
        else purpose <> 'judging' and (
            not rehearsal
            or exists (from reviewed_instructions where rehearsal or labelled_by = $rehearsed)
        )
    end
    group by all
    order by first, purpose, teacher, model_answered
"""
UNANSWERED = """
    select count(*) as requests, sum(usd) as usd from presumed_spend where not rehearsal
"""
# Of a finding of the contamination gate, the task counts; of another gate, its rule.
FINDINGS = """
    select coalesce(evidence ->> 'task', rule) as what, verdict,
        row_id in (select row_id from reviewed_instructions) as kept,
        count(distinct row_id) as rows
    from verdicts
    where gate = $gate and verdict <> 'keep'
    group by all
    order by rows desc, what
"""
CHECKED = """
    select count(distinct row_id) as checked,
        count(distinct row_id) filter (where verdict = 'reject') as rejected
    from verdicts
    where gate = $gate
"""


def card_of(
    store: Store,
    *,
    rows: Sequence[Mapping[str, Any]],
    split_by: SplitBy,
    licence: str,
) -> Card:
    """The facts of the card of the rows that the store holds in `reviewed_instructions`.

    Args:
        store: with the rows and the way to them.
        rows: of the set.
        split_by: the rule of the splits.
        licence: that the user chose for the set; empty if none.
    """
    seeds = store.rows(SEEDS)
    gates = store.rows(GATES)
    prompts = store.rows(PROMPTS)
    names = dict.fromkeys(f"{one['template_id']} ({_begins(one)})" for one in prompts)
    return Card(
        teacher=", ".join(
            f"{answered_by(row)} ({row['rows']:,} rows)" for row in store.rows(TEACHERS)
        )
        or "unknown",
        template=", ".join(sorted(names)) or "unknown",
        seeds_fingerprint=sha256_of_rows(seeds, tuple(seeds[0])) if seeds else "none",
        funnel=store.rows(FUNNEL_TO_HERE),
        gates={row["gate"]: _description(row) for row in gates},
        split_by=split_by,
        other_language=store.rows(NOT_ENGLISH)[0]["rows"],
        marked=marked_rows(store, "reviewed_instructions") if rows else (),
        stored=_stored_facts(store, len(seeds), gates, prompts),
        licence=licence,
        review=stored_review(store),
        version=project_version(),
    )


def project_version() -> str:
    """The version of this project; empty if it runs without being installed."""
    try:
        return metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return ""


def _stored_facts(
    store: Store,
    seeds: int,
    gates: Sequence[Mapping[str, Any]],
    prompts: Sequence[Mapping[str, Any]],
) -> StoredFacts:
    [unanswered] = store.rows(UNANSWERED)
    settings = {row["gate"]: json.loads(row["made_of"]) for row in gates}  # the last version counts
    counts = {
        gate: _counts(store, gate, settings.get(gate, {}))
        for gate in DROPPING_GATES
        if gate != "quality"  # the card names its rules
    }
    return StoredFacts(
        seeds=seeds,
        requests=sorted(
            (_requests(row) for row in store.rows(REQUESTS, {"rehearsed": REHEARSED_LABELLER})),
            key=lambda one: one.purpose != "generation",
        ),
        unanswered=unanswered["requests"],
        unanswered_usd=unanswered["usd"],
        prompts=[_prompt(row) for row in prompts],
        **counts,
    )


def _requests(row: Mapping[str, Any]) -> Requests:
    named = {name: row[name] for name in ("purpose", "rehearsal", "replies")}
    times = {name: row[name].astimezone(UTC) for name in ("first", "last")}
    spent = {name: row[name] for name in ("prompt_tokens", "completion_tokens", "usd", "unpriced")}
    return Requests(teacher=answered_by(row), **named, **times, **spent)


def _prompt(row: Mapping[str, Any]) -> Prompt:
    system, user = text_of_prompt(row["template_sha256"], row["reply_format"]) or (None, None)
    return Prompt(row["template_id"], row["template_sha256"], row["rows"], system, user)


def _begins(row: Mapping[str, Any]) -> str:
    return f"sha256 {row['template_sha256'][:12]}"


def _counts(store: Store, gate: str, settings: Mapping[str, Any]) -> GateCounts:
    [checked] = store.rows(CHECKED, {"gate": gate})
    found = store.rows(FINDINGS, {"gate": gate})

    def those(verdict: str, *, kept: bool | None) -> dict[str, int]:
        named: dict[str, int] = {}
        for row in found:
            if row["verdict"] == verdict and kept in {None, row["kept"]}:
                named[row["what"]] = named.get(row["what"], 0) + row["rows"]
        return named

    return GateCounts(
        settings=settings,
        checked=checked["checked"],
        rejected=those("reject", kept=None),
        rejected_rows=checked["rejected"],
        repaired=those("repair", kept=True),
        flagged=those("flag", kept=True),
    )


def _description(gate: Mapping[str, Any]) -> str:
    """The gate's line on the card: its version, rules and settings."""
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
    return "; ".join(facts)
