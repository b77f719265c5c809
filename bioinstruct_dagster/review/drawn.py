"""The sample as it is asked for: its strata, its items for the page, and its table.

Belongs here: drawing from the store and putting the parts of an item together. Does not: which rows
of a stratum (sampling), or the page itself (page.rendered).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bioinstruct_dagster.review.handed_in.judgements import RowJudgement
from bioinstruct_dagster.review.masking import masked_texts
from bioinstruct_dagster.review.neighbours import neighbours
from bioinstruct_dagster.review.population import PopulationRow, population_rows, strata
from bioinstruct_dagster.review.row_reviews import current_judgements, row_review
from bioinstruct_dagster.review.sampling import random_number, sample_of, sample_sizes
from bioinstruct_dagster.store.database import Store


@dataclass(frozen=True)
class DrawnSample:
    """A sample.

    Attributes:
        rows: of the table `review_sample`.
        strata: of the table `review_strata`.
        items: for the page, in its order.
    """

    rows: list[dict[str, Any]]
    strata: list[dict[str, Any]]
    items: list[dict[str, Any]]

    @property
    def unjudged(self) -> int:
        """How many rows nobody has judged."""
        return sum(not row["judged_by"] for row in self.rows)


def draw(store: Store, size: int, seed: int, judgements: Sequence[RowJudgement]) -> DrawnSample:
    """Draw the sample of the present rows.

    Args:
        store: with kept and rejected rows.
        size: rows to judge in all.
        seed: the run seed.
        judgements: of all reviewers so far.
    """
    found = strata(store)
    judged = current_judgements(
        judgements, population_rows(store, {one.row_id for one in judgements})
    ).of_rows
    sizes = sample_sizes(
        {one.name: len(one.row_ids) for one in found}, {one.name: one.kind for one in found}, size
    )
    stratum_of: dict[str, str] = {}
    strata_rows = []
    weights: dict[str, float] = {}
    for one in found:
        sample = sample_of(one.row_ids, sizes[one.name], judged.keys(), seed)
        stratum_of |= dict.fromkeys(sample, one.name)
        weights[one.name] = len(one.row_ids) / max(1, len(sample))
        strata_rows.append(
            {
                "stratum": one.name,
                "kind": one.kind,
                "gate": one.gate,
                "category": one.category,
                "population": len(one.row_ids),
                "sampled": len(sample),
            }
        )
    rows = population_rows(store, stratum_of)
    beside = neighbours(store, rows, seed)
    order = sorted(rows, key=lambda row_id: random_number(seed, "order", row_id))
    table, items = [], []
    for place, row_id in enumerate(order):
        row, said = rows[row_id], judged.get(row_id, ())
        reviewers = sorted(one.reviewer for one in said)
        table.append(_table_row(row, place, stratum_of[row_id], reviewers, weights))
        near = beside.get(row_id)
        items.append(
            {
                "id": row.item_id,
                **masked_texts(row),
                "near": asdict(near) if near else None,
                "verdict": _verdict(row),
                "judged_by": reviewers,
                "disputed": bool(said) and row_review(row, said).needs_adjudication,
            }
        )
    return DrawnSample(table, strata_rows, items)


def _table_row(
    row: PopulationRow,
    place: int,
    stratum: str,
    reviewers: list[str],
    weights: Mapping[str, float],
) -> dict[str, Any]:
    return {
        "item_id": row.item_id,
        "row_id": row.row_id,
        "place": place,
        "stratum": stratum,
        "gate": row.gate,
        "rule": row.rule,
        "category": row.category,
        "weight": weights[stratum],
        "judged_by": reviewers,
        "rehearsal": row.rehearsal,
    }


def _verdict(row: PopulationRow) -> str:
    if row.gate:
        return f"Rejected by the gate {row.gate}, rule {row.rule}."
    unsure = " (uncertain)" if row.uncertain else ""
    category = (row.category or "none").replace("_", " ")
    return f"Kept. The machine's category is {category}{unsure}."
