"""The rows that a sample is drawn from, each in one stratum: kept by category, rejected by gate.

Belongs here: the strata, and reading texts and verdicts of rows. Does not: the sample (sampling),
or hiding identifiers (masking).
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of

STRATA = """
    select raw.row_id, rejected.gate, labelled.category,
        coalesce(labelled.needs_review, false) as uncertain
    from raw_instructions as raw
    left join rejected_instructions as rejected using (row_id)
    left join categorized_instructions as labelled using (row_id)
    where rejected.row_id is not null or labelled.row_id is not null
    order by raw.ordinal
"""
# A kept row is shown with its repairs, as the data set would hold it; a rejected row as it came.
ROWS = """
    select raw.row_id, raw.ordinal, raw.rehearsal,
        coalesce(labelled.instruction, raw.instruction) as instruction,
        coalesce(labelled.input, raw.input) as input,
        coalesce(labelled.output, raw.output) as output,
        {'instruction': raw.instruction, 'input': raw.input, 'output': raw.output} as as_written,
        rejected.gate, rejected.reason as rule, rejected.detail, rejected.nearest_id,
        labelled.category, coalesce(labelled.needs_review, false) as uncertain,
        (
            select list(evidence) from verdicts
            where verdicts.row_id = raw.row_id and gate = 'privacy' and verdict <> 'keep'
                and rule not in ('placeholder_person', 'possible_date')
        ) as identifiers
    from raw_instructions as raw
    left join rejected_instructions as rejected using (row_id)
    left join categorized_instructions as labelled using (row_id)
    where raw.row_id in (select unnest($row_ids::varchar[]))
"""
TEXTS = ("instruction", "input", "output")


@dataclass(frozen=True)
class Stratum:
    """Rows that are sampled at one rate.

    Attributes:
        name: as a person reads it, such as `kept, generation`.
        kind: kept | uncertain | rejected.
        gate: that rejected the rows; None if they are kept.
        category: of the kept rows; None if they are rejected.
        row_ids: of all rows of the stratum.
    """

    name: str
    kind: str
    gate: str | None
    category: str | None
    row_ids: tuple[str, ...]


@dataclass(frozen=True)
class PopulationRow:
    """A raw row with its fate.

    Attributes:
        row_id: of raw_instructions.
        ordinal: its place among the raw rows.
        texts: instruction, input and output as a reviewer judges them, without any mask.
        as_written: the texts as they came, which the spans of identifiers are about.
        identifiers: field, kind, start and end of each identifier that the privacy gate found.
        gate: that rejected the row; None if it is kept.
        rule: of that gate.
        evidence: of that rule.
        category: of a kept row, by the machine; None if it is rejected.
        uncertain: whether the machine is unsure of the category.
        rehearsal: the rehearsal teacher made the texts.
    """

    row_id: str
    ordinal: int
    texts: Mapping[str, str]
    as_written: Mapping[str, str]
    identifiers: tuple[Mapping[str, Any], ...]
    gate: str | None
    rule: str | None
    evidence: Mapping[str, Any]
    category: str | None
    uncertain: bool
    rehearsal: bool

    @property
    def item_id(self) -> str:
        """The id of this row with these texts: it changes if a text does.

        It begins with a letter, so that no spreadsheet takes it for a number.
        """
        digest = sha256_of([self.texts[name] for name in TEXTS])[:8]
        return f"row-{self.row_id}-{digest}"


def row_id_of(item_id: str) -> str:
    """The row that an item is about; empty if the text is no item id."""
    prefix, _, rest = item_id.partition("-")
    row_id, _, digest = rest.rpartition("-")
    return row_id if prefix == "row" and len(digest) == 8 else ""  # noqa: PLR2004


def strata(store: Store) -> list[Stratum]:
    """All strata that have rows, in the order of their names."""
    members: dict[tuple[str, str, str | None, str | None], list[str]] = {}
    for row in store.rows(STRATA):
        if row["gate"]:
            key = (f"rejected by {row['gate']}", "rejected", row["gate"], None)
        else:
            kind = "uncertain" if row["uncertain"] else "kept"
            unsure = ", category uncertain" * row["uncertain"]
            key = (f"kept, {row['category']}{unsure}", kind, None, row["category"])
        members.setdefault(key, []).append(row["row_id"])
    return [Stratum(*key, tuple(members[key])) for key in sorted(members, key=lambda key: key[0])]


def population_rows(store: Store, row_ids: Collection[str]) -> dict[str, PopulationRow]:
    """These rows by id. A row that the store does not have is absent."""
    if not row_ids:
        return {}
    return {
        row["row_id"]: PopulationRow(
            row_id=row["row_id"],
            ordinal=row["ordinal"],
            texts={name: row[name] for name in TEXTS},
            as_written=row["as_written"],
            identifiers=tuple(
                span
                for evidence in row["identifiers"] or ()
                for span in json.loads(evidence).get("found", [])
            ),
            gate=row["gate"],
            rule=row["rule"],
            evidence=json.loads(row["detail"]) if row["detail"] else {},
            category=row["category"],
            uncertain=row["uncertain"],
            rehearsal=row["rehearsal"],
        )
        for row in store.rows(ROWS, {"row_ids": sorted(row_ids)})
    }
