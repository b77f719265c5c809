"""Where the rows come from: introduction, provenance, limits and prompt.

Each statement about the rows is counted from the rows, so that a mixed set is called mixed. Belongs
here: these sections. Does not: counting origins (dataset.origins), or licences (card.licence).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bioinstruct_dagster.dataset.card.facts import Card
from bioinstruct_dagster.dataset.card.parts import facts_list, section
from bioinstruct_dagster.dataset.origins import RowOrigins
from bioinstruct_dagster.figures.values import number_of
from bioinstruct_dagster.markdown import code, longest_run

_METHOD = (
    "rows of biomedical instructions, made by the method of BioInstruct (Tran et al., JAMIA 2024, "
    "arXiv:2310.19975): an independent rebuild, not the authors' data"
)
_REPLAYED = (
    "rows that the rehearsal teacher replayed. They are recorded completions, and no language "
    "model wrote them for this set"
)
_REHEARSAL = """\
> **Rehearsal.** {rows} of this set {were} made with the rehearsal teacher, which replays recorded
> completions. They show that the chain works. They must not be published or used to train a model
> for any other purpose.

"""
_REHEARSED_LABELS = """\
> **Recorded labels.** The categories of {rows} are recorded labels, which the rehearsal teacher
> replayed. No language model was asked for them.

"""
_GENERATED_LIMITS = "The outputs of the generated rows are a language model's."
_REPLAYED_LIMITS = "The outputs of the replayed rows are recorded."
_IMPORTED_LIMITS = "The outputs of the imported rows are those of the imported set."
_NOT_REVIEWED = "No clinician reviewed them. They may be wrong. Not for clinical use."
_REVIEWED = (
    "People judged a sample of the rows (see “Review by people”), and not all of them. Outputs may "
    "be wrong. Not for clinical use."
)


def rehearsal_notes(origins: RowOrigins) -> str:
    """What of the set is a rehearsal, with counts; empty if nothing is."""
    note = ""
    if origins.replayed:
        were = "was" if origins.replayed == 1 else "were"
        rows = _of_all(origins.replayed, origins.total)
        note += _REHEARSAL.format(rows=rows[0].upper() + rows[1:], were=were)
    if origins.recorded_labels:
        note += _REHEARSED_LABELS.format(rows=_of_all(origins.recorded_labels, origins.total))
    return note


def _of_all(count: int, total: int) -> str:
    """So many of all rows, as it stands within a sentence."""
    if count < total:
        return f"{count:,} of {total:,} rows"
    return "the only row" if total == 1 else f"all {total:,} rows"


def introduction(origins: RowOrigins) -> str:
    """How many rows come from where. A set of several origins is called mixed."""
    sets = "; ".join(
        source.in_words() + (f" ({n:,} rows)" if len(origins.imported) > 1 else "")
        for source, n in origins.imported.items()
    )
    parts = [
        (origins.generated, f"{origins.generated:,} {_METHOD}"),
        (origins.replayed, f"{origins.replayed:,} {_REPLAYED}"),
        (origins.from_import, f"{origins.from_import:,} rows, imported from {sets}"),
    ]
    present = [text for count, text in parts if count]
    if len(present) > 1:
        listed = "".join(f"- {text}.\n" for text in present)
        return f"A mixed set of {origins.total:,} rows:\n\n{listed}\n"
    return f"{present[0] if present else 'No rows'}.\n\n"


def provenance_section(card: Card, fingerprint: str, origins: RowOrigins) -> str:
    """Who made the rows, from what, and what identifies them."""
    facts: dict[str, Any] = {}
    stored = card.stored
    if not origins.only_imported:
        seeds = f"{stored.seeds:,}, sha256 {card.seeds_fingerprint}" if stored.seeds else None
        facts |= {
            "teacher": card.teacher,
            "prompt template": card.template,
            "seed tasks": seeds or f"sha256 {card.seeds_fingerprint}",
        }
        if card.other_language:
            facts["rows that are not English, by the quality gate"] = f"{card.other_language:,}"
    completions = origins.generated + origins.replayed
    named = [f"completion ({completions:,})"] * bool(completions)
    named += [f"{source.in_words()} ({n:,})" for source, n in origins.imported.items()]
    facts |= {
        "content (sha256)": fingerprint,
        ("imported from" if origins.only_imported else "sources"): ", ".join(named) or "none",
        "made with": f"bioinstruct-dagster {card.version}" if card.version else None,
    }
    return section("Where the rows come from", facts_list(facts))


def limits_section(card: Card, origins: RowOrigins, rows: Sequence[Mapping[str, Any]]) -> str:
    """What the set is not, and what nobody knows of it."""
    parts = [
        (origins.generated, _GENERATED_LIMITS),
        (origins.replayed, _REPLAYED_LIMITS),
        (origins.from_import, _IMPORTED_LIMITS),
    ]
    if not rows:
        return section("Limits", "There are no rows.")
    reviewed = _REVIEWED if card.review else _NOT_REVIEWED
    told = " ".join([*(text for count, text in parts if count), reviewed])
    lines = list(card.marked)
    if missing := card.stored.contamination.settings.get("missing"):
        sets = number_of(len(missing), "evaluation set")
        lines.append(
            f"contamination: the rows were not compared with {sets} that were not at hand."
        )
    return section("Limits", told, "".join(f"- {line}\n" for line in lines))


def prompt_section(card: Card) -> str:
    """The text of each prompt, with placeholders; empty if no row was generated."""
    blocks = []
    for one in card.stored.prompts:
        name = f"{code(one.template)} (sha256 {one.sha256[:12]}), {number_of(one.rows, 'row')}"
        if one.user is None or one.system is None:
            blocks.append(
                f"{name}: this version of the project has another text. The text that was sent is "
                "in the column `messages` of the table `completions`."
            )
            continue
        text = f"system: {one.system}\n\nuser: {one.user}"
        fence = "`" * max(3, longest_run(text) + 1)
        blocks.append(f"{name}:\n\n{fence}text\n{text}\n{fence}")
    return section("Prompt", *blocks)
