"""How rows were chosen: sections on the funnel and the gates.

Belongs here: these sections. Does not: the facts behind them (card.stored).
"""

from collections.abc import Mapping

from bioinstruct_dagster.dataset.card.facts import Card, GateCounts
from bioinstruct_dagster.dataset.card.parts import facts_list, section, some_of, table
from bioinstruct_dagster.dataset.card.sections.diversity import novelty_histogram
from bioinstruct_dagster.dataset.card.statistics import TextStatistics
from bioinstruct_dagster.dataset.origins import RowOrigins
from bioinstruct_dagster.figures.values import number_of

# Stages of the funnel that say nothing about imported rows.
_GENERATION_STAGES = frozenset({"seed_tasks", "completions"})
_STAGES = {
    "seed_tasks": "seed tasks",
    "completions": "replies of the teacher",
    "raw_instructions": "raw rows",
    "rejected_instructions": "rejected rows",
    "deduplicated_instructions": "kept rows",
    "categorized_instructions": "kept rows, by category",
}
_ANSWERS = {
    "reject": "A row with an identifier is not in the set.",
    "redact": "An identifier is replaced by a placeholder such as `<NAME>`.",
    "flag": "Rows with an identifier are in the set, and marked.",
    "off": "The gate was off: nothing is known about identifiers in the rows.",
}
# A name or a doubtful detail alone, which the gate lets stay whatever its action is.
_NO_IDENTIFIER = {"placeholder_person", "possible_date", "possible_identifier"}


def funnel_section(card: Card, origins: RowOrigins) -> str:
    """How many rows each step kept, and why it rejected the others."""
    rows = [
        (
            _STAGES.get(one["stage"], one["stage"]),
            "all" if one["outcome"] == "kept" else one["outcome"],
            one["rows"],
        )
        for one in card.funnel
        if not (origins.only_imported and one["stage"] in _GENERATION_STAGES)
    ]
    return section(
        "How the rows were chosen",
        table(("step", "outcome", "count"), rows),
        facts_list(card.gates) and "The gates:\n\n" + facts_list(card.gates),
    )


def novelty_section(card: Card, measured: TextStatistics | None) -> str:
    """By which rule rows are new, and how similar the rows are that stayed."""
    gate = card.stored.novelty
    rejected = ""
    if gate.checked:
        rejected = (
            f"Of {number_of(gate.checked, 'row')} that the gate compared, it rejected "
            f"{gate.rejected_rows:,} because they repeat a seed or an earlier row."
        )
    return section("Novelty", rejected, novelty_histogram(measured))


def contamination_section(card: Card) -> str:
    """With which evaluation items the rows were compared, and what was found."""
    gate = card.stored.contamination
    if not gate.settings:
        return ""
    items: Mapping[str, int] = gate.settings.get("items", {})
    missing: list[str] = gate.settings.get("missing", [])
    compared = {name: count for name, count in items.items() if count}
    lines = [
        (name, count, gate.rejected.get(name, 0), gate.flagged.get(name, 0))
        for name, count in compared.items()
    ]
    told = (
        "The rows were compared with the items of these evaluation sets:"
        if compared
        else "The rows were compared with no evaluation set, because none was at hand. Whether "
        "rows repeat evaluation items is not known."
    )
    not_compared = (
        f"Not at hand, so not compared: {', '.join(missing)}." if missing and compared else ""
    )
    headings = ("evaluation set", "items", "raw rows rejected", "kept rows marked")
    return section("Contamination", told, table(headings, lines), not_compared)


def privacy_section(card: Card) -> str:
    """What the privacy gate found, and what it did with it."""
    gate = card.stored.privacy
    if not gate.settings:
        return ""
    kinds = dict.fromkeys((*gate.rejected, *gate.repaired, *gate.flagged))
    lines = [
        (
            kind.replace("_", " "),
            gate.rejected.get(kind, 0),
            gate.repaired.get(kind, 0),
            gate.flagged.get(kind, 0),
        )
        for kind in kinds
    ]
    checked = "" if gate.action == "off" else _checked(gate)
    headings = ("found", "raw rows rejected", "kept rows redacted", "kept rows marked")
    return section(
        "Personal data",
        " ".join(filter(None, (_ANSWERS.get(gate.action, ""), checked))),
        table(headings, lines),
        ""
        if gate.action == "off"
        else "No gate finds every identifier. A kept row may still hold one.",
    )


def _checked(gate: GateCounts) -> str:
    left = {kind: count for kind, count in gate.flagged.items() if kind not in _NO_IDENTIFIER}
    told = (
        f"The gate read {number_of(gate.checked, 'raw row')} and rejected {gate.rejected_rows:,}. "
        "It looks for the identifiers of HIPAA's Safe Harbor rule. A row may hold several kinds."
    )
    if left:
        told += f" Kept rows hold {some_of(sorted(left))}: read them before you give the set away."
    return told
