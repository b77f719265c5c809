"""Gates that reject more than half of a set: which rule, some examples, and what to do.

A gate that rejects so much is often the wrong gate for the set, such as Self-Instruct's rule for a
set of one instruction. Belongs here: counting, examples and advice. Does not: showing them (assets,
checks), or a gate's own verdicts (verdicts).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bioinstruct_dagster.curation.novelty.gate import stored_method
from bioinstruct_dagster.curation.verdicts import WITHHELD_TEXT
from bioinstruct_dagster.store.database import Store

LEAST_ROWS = 20  # a smaller set may well lose half of its rows
MOST_SHARE = 0.5
EXAMPLES = 5
MOST_CHARACTERS = 70  # of a text in an example
ALL_GATES = "all gates together"

# Rows that each gate checked and rejected. A row may be rejected by several gates.
REJECTED_BY_GATE = """
    select gate, any_value(gate_order) as gate_order, count(distinct row_id) as checked,
        count(distinct row_id) filter (where verdict = 'reject') as rejected
    from verdicts
    join gates using (gate)
    semi join raw_instructions using (row_id)
    where by_row or (gate = 'novelty' and row_id in (select row_id from passing_instructions))
    group by gate
    order by gate_order
"""
REJECTED_BY_RULE = """
    select gate, rule, count(distinct row_id) as rows
    from verdicts
    join gates using (gate)
    semi join raw_instructions using (row_id)
    where verdict = 'reject'
        and (by_row or (gate = 'novelty' and row_id in (select row_id from passing_instructions)))
    group by gate, rule
    order by rows desc, gate, rule
"""
TOTALS = """
    select (select count(*) from raw_instructions) as raw,
        (select count(*) from rejected_instructions) as rejected
"""
# Texts with an identifier are left out: Dagster keeps events for ever.
EXAMPLE_ROWS = """
    with private as (
        select distinct row_id from verdicts
        where gate = 'privacy' and verdict <> 'keep'
            and rule not in ('placeholder_person', 'possible_date', 'possible_identifier')
    ),
    texts as (
        select row_id, instruction, input, row_id in (select row_id from private) as is_private
        from repaired_instructions
        union all
        select seed_id, instruction, input, false from seed_tasks
    )
    select said.row_id, raw.instruction, raw.input, raw.output, said.evidence,
        said.row_id in (select row_id from private) as is_private,
        said.evidence ->> 'nearest_id' as nearest_id,
        nearest.instruction as nearest_instruction, nearest.input as nearest_input,
        nearest.is_private as nearest_is_private
    from verdicts as said
    join raw_instructions as raw using (row_id)
    left join texts as nearest on nearest.row_id = (said.evidence ->> 'nearest_id')
    where said.gate = $gate and said.rule = $rule and said.verdict = 'reject'
        and (said.gate <> 'novelty' or said.row_id in (select row_id from passing_instructions))
    order by raw.ordinal
    limit $limit
"""

_ADVICE = {
    "quality": (
        "If a rule is wrong for this set, set its action to flag or off in the file that "
        "BIOINSTRUCT_QUALITY_RULES names."
    ),
    "privacy": (
        "If the texts name no patient, set BIOINSTRUCT_PRIVACY to flag. With redact, the rows are "
        "kept without the identifiers."
    ),
    "contamination": (
        "Such rows repeat an evaluation set. To keep and mark them, set BIOINSTRUCT_CONTAMINATION "
        "to flag."
    ),
    "meaning": "To keep more rows, raise BIOINSTRUCT_MEANING_THRESHOLD.",
    "rouge": (
        "This rule compares instructions, not inputs. If the set has few instructions and many "
        "inputs, set BIOINSTRUCT_NOVELTY=exact. To keep more similar instructions, raise "
        "BIOINSTRUCT_NOVELTY_THRESHOLD."
    ),
    "exact": (
        "These rows have the instruction and the input of an earlier row. If the set repeats rows "
        "on purpose, set BIOINSTRUCT_NOVELTY=off."
    ),
}


@dataclass(frozen=True)
class LargeDrop:
    """A gate that rejected more than half of the rows that it checked.

    Attributes:
        gate: its name, or `ALL_GATES` if no single gate rejected so much.
        checked: how many rows it checked.
        rejected: how many of them it rejected.
        rules: number of rows by rule, the largest first. A row may be rejected by several rules.
        examples: rows that the first rule rejected.
        advice: the settings that change this.
    """

    gate: str
    checked: int
    rejected: int
    rules: Mapping[str, int]
    examples: list[dict[str, str]]
    advice: str

    def __str__(self) -> str:
        rules = ", ".join(f"{rule} ({rows:,})" for rule, rows in self.rules.items())
        who = self.gate.capitalize() if self.gate == ALL_GATES else f"The gate {self.gate}"
        return (
            f"{who} rejected {self.rejected:,} of {self.checked:,} rows "
            f"({self.rejected / self.checked:.0%}). Rows by rule: {rules}. {self.advice}"
        )


def drops_as_markdown(drops: Sequence[LargeDrop], table: Callable[[Any], str]) -> str:
    """What each gate rejected, with its examples as a table.

    Args:
        drops: from `large_drops`.
        table: makes a Markdown table of rows.
    """
    return "\n\n".join(f"**{drop}**\n\n{table(drop.examples)}" for drop in drops)


def large_drops(store: Store) -> list[LargeDrop]:
    """The gates that rejected more than half of the set, in their order.

    If no gate did, but all gates together did, there is one entry for all of them.
    """
    by_rule: dict[str, dict[str, int]] = {}
    largest: list[tuple[str, str, int]] = []
    for row in store.rows(REJECTED_BY_RULE):
        by_rule.setdefault(row["gate"], {})[row["rule"]] = row["rows"]
        largest.append((row["gate"], row["rule"], row["rows"]))
    found = [
        LargeDrop(
            row["gate"],
            row["checked"],
            row["rejected"],
            by_rule[row["gate"]],
            _examples(store, row["gate"], next(iter(by_rule[row["gate"]]))),
            _advice(store, row["gate"], by_rule[row["gate"]]),
        )
        for row in store.rows(REJECTED_BY_GATE)
        if _is_large(row["rejected"], row["checked"])
    ]
    totals = store.rows(TOTALS)[0]
    if not found and largest and _is_large(totals["rejected"], totals["raw"]):
        gate, rule, _ = largest[0]
        advice = [_advice(store, one, by_rule[one]) for one in by_rule]
        rules = {f"{gate}: {rule}": rows for gate, rule, rows in largest}
        examples = _examples(store, gate, rule)
        found.append(
            LargeDrop(
                ALL_GATES, totals["raw"], totals["rejected"], rules, examples, " ".join(advice)
            )
        )
    return found


def _is_large(rejected: int, checked: int) -> bool:
    return checked >= LEAST_ROWS and rejected > MOST_SHARE * checked


def _advice(store: Store, gate: str, rules: Mapping[str, int]) -> str:
    if gate != "novelty":
        return _ADVICE[gate]
    if next(iter(rules)) == "meaning":
        return _ADVICE["meaning"]
    method = stored_method(store)
    return _ADVICE[method.name] if method and method.name in _ADVICE else ""


def _examples(store: Store, gate: str, rule: str) -> list[dict[str, str]]:
    parameters = {"gate": gate, "rule": rule, "limit": EXAMPLES}
    return [_example(gate, rule, row) for row in store.rows(EXAMPLE_ROWS, parameters)]


def _example(gate: str, rule: str, row: Mapping[str, Any]) -> dict[str, str]:
    names = ("instruction", "input", "output")
    texts = {name: WITHHELD_TEXT if row["is_private"] else _short(row[name]) for name in names}
    evidence = json.loads(row["evidence"])
    if gate == "novelty":
        repeats = " / ".join(
            _short(row[name]) for name in ("nearest_instruction", "nearest_input") if row[name]
        )
        reason = {
            "repeats": WITHHELD_TEXT if row["nearest_is_private"] else repeats,
            "because": _shown({n: v for n, v in evidence.items() if n != "nearest_id"}),
        }
    else:
        reason = {"because": "" if gate == "privacy" else _shown(evidence)}
    return {"row_id": row["row_id"], "rule": rule, **texts, **reason}


def _shown(evidence: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in evidence.items())


def _short(text: str) -> str:
    flat = " ".join(text[: 4 * MOST_CHARACTERS].split())
    return flat if len(flat) <= MOST_CHARACTERS else f"{flat[: MOST_CHARACTERS - 1]}…"
