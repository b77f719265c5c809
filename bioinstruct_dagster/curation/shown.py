"""What a person sees of curated rows: the funnel in a sentence, and rows as cards.

Belongs here: which rows and numbers are shown, in words, and whether a row's texts may be. Does
not: Dagster's metadata (curation.assets), or what one row's gates found (curation.explanation).
"""

import json
from collections.abc import Mapping
from typing import Any

from bioinstruct_dagster.figures.cards import SHOWN_ROWS, RowCard, card_of, cards
from bioinstruct_dagster.figures.values import percent
from bioinstruct_dagster.store.database import Store

# Rows are drawn by a hash of their id and the content's fingerprint: at random, and the same rows
# for the same content. The texts of a row are shown if the privacy gate found nothing in them.
# `suspected` is true of a row that it flagged or rejected, or has not checked. A placeholder, such
# as "Dr. Smith" alone, identifies nobody.
_SUSPECTED = """
    row_id not in (
        select row_id from verdicts where gate = 'privacy' group by row_id
        having bool_and(verdict in ('keep', 'repair') or rule = 'placeholder_person')
    ) as suspected
"""
DRAWN_KEPT = f"""
    select row_id, instruction, input, output, repaired, flags, {_SUSPECTED}
    from deduplicated_instructions
    order by sha256(row_id || $seed)
    limit $most
"""
# Of a row that was rejected, the texts after repair: the privacy gate may have put them right.
DRAWN_REJECTED = f"""
    select row_id, gate, reason, detail, nearest_id, rejected.score,
        repaired.instruction, repaired.input, repaired.output, {_SUSPECTED}
    from rejected_instructions as rejected
    join repaired_instructions as repaired using (row_id)
    order by sha256(row_id || $seed)
    limit $most
"""
DRAWN_LABELLED = f"""
    select row_id, instruction, input, output, category, labelled_by, confidence, needs_review,
        {_SUSPECTED}
    from categorized_instructions
    order by sha256(row_id || $seed)
    limit $most
"""
NOT_SHOWN = "The texts are not shown: they may hold an identifier of a person."
NO_REJECTED_ROWS = "No row was rejected."
MOST_EVIDENCE = 200  # characters


def kept_cards(store: Store, fingerprint: str) -> str:
    """Five random kept rows as Markdown cards."""
    rows = store.rows(DRAWN_KEPT, {"seed": fingerprint, "most": SHOWN_ROWS})
    return cards([_card(row, f"kept: {row['row_id']}", _kept_note(row)) for row in rows])


def rejected_cards(store: Store, fingerprint: str) -> str:
    """Five random rejected rows as Markdown cards, each with its gate and reason."""
    rows = store.rows(DRAWN_REJECTED, {"seed": fingerprint, "most": SHOWN_ROWS})
    if not rows:
        return NO_REJECTED_ROWS
    return cards(
        [
            _card(
                row,
                f"rejected by {row['gate']}: {row['reason'].replace('_', ' ')}",
                f"Row {row['row_id']}. {_evidence(row)}",
            )
            for row in rows
        ]
    )


def labelled_cards(store: Store, fingerprint: str) -> str:
    """Five random labelled rows as Markdown cards."""
    rows = store.rows(DRAWN_LABELLED, {"seed": fingerprint, "most": SHOWN_ROWS})
    return cards([_card(row, row["category"].replace("_", " "), _label(row)) for row in rows])


def _card(row: Mapping[str, Any], heading: str, note: str) -> RowCard:
    if row["suspected"]:
        return RowCard(heading, {}, f"{NOT_SHOWN} {note}".strip())
    return card_of(row, heading, note)


def _kept_note(row: Mapping[str, Any]) -> str:
    parts = []
    if row["repaired"]:
        parts.append(f"A gate repaired: {', '.join(row['repaired'])}.")
    if row["flags"]:
        parts.append(f"Marked: {', '.join(row['flags'])}.")
    return " ".join(parts)


def _evidence(row: Mapping[str, Any]) -> str:
    """What the gate found, in short. Evidence of a suspected row may quote it."""
    parts = []
    if row["score"] is not None:
        parts.append(f"Score {row['score']:.3f}.")
    if row["nearest_id"]:
        parts.append(f"Nearest: {row['nearest_id']}.")
    elif not row["suspected"] and (found := json.loads(row["detail"] or "{}")):
        said = ", ".join(f"{name}: {value}" for name, value in found.items())
        parts.append(said if len(said) <= MOST_EVIDENCE else f"{said[:MOST_EVIDENCE]}…")
    return " ".join(parts)


def _label(row: Mapping[str, Any]) -> str:
    sure = "" if row["confidence"] is None else f", confidence {percent(row['confidence'])}"
    review = " To be reviewed." if row["needs_review"] else ""
    return f"Row {row['row_id']}. Labelled by {row['labelled_by']}{sure}.{review}"


def funnel_sentence(rows: str, raw: int, kept: int, by_gate: Mapping[str, int]) -> str:
    """The sentence of the summary of kept rows.

    Args:
        rows: the number of kept rows, and the change since the last run.
        raw: the number of raw rows.
        kept: the number of kept rows.
        by_gate: the number of rejected rows by gate.
    """
    lost = [f"{gate} {n:,}" for gate, n in by_gate.items() if n]
    rejected = f"Rejected by {', '.join(lost)}." if lost else "No row was rejected."
    return f"{rows}: {percent(kept / raw)} of {raw:,} raw rows. {rejected}"


def shares_sentence(rows: str, shares: Mapping[str, int], to_review: int) -> str:
    """The sentence of the summary of labelled rows.

    Args:
        rows: the number of labelled rows, and the change since the last run.
        shares: the number of rows by category.
        to_review: the number of rows whose label is uncertain.
    """
    total = sum(shares.values())
    largest = max(shares, key=lambda category: shares[category])
    return (
        f"{rows}. Most: {largest.replace('_', ' ')}, {percent(shares[largest] / total)}. "
        f"{to_review:,} to review."
    )
