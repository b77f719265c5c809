"""Rows and judgements that the tests of the review share; no tests."""

from bioinstruct_dagster.review.handed_in.judgements import RowJudgement
from bioinstruct_dagster.review.population import PopulationRow
from bioinstruct_dagster.review.row_reviews import RowReview, row_review


def made_row(name: str, gate: str | None = None, category: str = "generation") -> PopulationRow:
    """A row that this gate rejected, or a kept row of this category."""
    texts = {"instruction": f"Task {name}", "input": "", "output": "Answer."}
    return PopulationRow(
        row_id=name,
        ordinal=0,
        texts=texts,
        as_written=texts,
        identifiers=(),
        gate=gate,
        rule="a_rule" if gate else None,
        evidence={},
        category=None if gate else category,
        uncertain=False,
        rehearsal=False,
    )


def said(
    row: PopulationRow, decision: str, reviewer: str = "AB", category: str | None = None
) -> RowJudgement:
    """A judgement of the row."""
    reason = "wrong_answer" if decision == "reject" else None
    place = f"{reviewer}.csv, line {row.row_id}"
    return RowJudgement(row.item_id, reviewer, decision, category, reason, "", None, False, place)


def reviewed(row: PopulationRow, decision: str, category: str | None = None) -> RowReview:
    """The review of the row by one person."""
    return row_review(row, [said(row, decision, category=category)])
