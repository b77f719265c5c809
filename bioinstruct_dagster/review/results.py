"""The tables of the review: judgements, reviewed rows, and figures.

Belongs here: what is stored of the filled-in files. Does not: the rules of agreement (row_reviews),
or the figures (measures).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bioinstruct_dagster.review.handed_in.filled_files import FilledFileError
from bioinstruct_dagster.review.handed_in.judgements import RowJudgement
from bioinstruct_dagster.review.measures import Measure, SampledStratum, measures
from bioinstruct_dagster.review.page.sheet_texts import ADVICE, faults_of_texts
from bioinstruct_dagster.review.population import population_rows
from bioinstruct_dagster.review.row_reviews import (
    CurrentJudgements,
    RowReview,
    current_judgements,
    row_review,
)
from bioinstruct_dagster.store.database import Store

SAMPLED = "select row_id, item_id, stratum from review_sample"
STRATA = """
    select stratum, kind, gate, category, population, sampled from review_strata order by stratum
"""
STORED_JUDGEMENTS = """
    select item_id, reviewer, decision, category, reason, comment, judged_at, changed_after_verdict,
        place
    from review_judgements
"""


@dataclass(frozen=True)
class ReviewResults:
    """The result of reading all filled-in files.

    Attributes:
        judgements: parted by whether the store still has what they are about.
        tables: the rows of each table of the review.
    """

    judgements: CurrentJudgements
    tables: dict[str, list[dict[str, Any]]]


def stored_judgements(store: Store) -> list[RowJudgement]:
    """The judgements that the last materialization of `review_results` read."""
    return [RowJudgement(**row) for row in store.rows(STORED_JUDGEMENTS)]


def review_results_of(store: Store, judgements: Sequence[RowJudgement]) -> ReviewResults:
    """What the judgements say about the present rows.

    Raises:
        FilledFileError: no row of a file is in this store, so it is of another data set; or a line
            shows other texts than those of its id.
    """
    rows = population_rows(store, {one.row_id for one in judgements})
    _refuse_foreign_files(judgements, {one.row_id for one in judgements} - rows.keys())
    current = current_judgements(judgements, rows)
    said_now = [one for said in current.of_rows.values() for one in said]
    if faults := faults_of_texts(said_now, rows):
        raise FilledFileError(
            "\n".join(["Lines of filled-in reviews show texts of other rows:", *faults, ADVICE])
        )
    reviews = {row_id: row_review(rows[row_id], said) for row_id, said in current.of_rows.items()}
    stratum_of = {
        row["row_id"]: row["stratum"]
        for row in store.rows(SAMPLED)
        if row["row_id"] in rows and rows[row["row_id"]].item_id == row["item_id"]
    }
    strata = [
        SampledStratum(
            row["stratum"],
            row["kind"],
            row["gate"],
            row["population"],
            frozenset(row_id for row_id, name in stratum_of.items() if name == row["stratum"]),
        )
        for row in store.rows(STRATA)
    ]
    states = dict.fromkeys((one.place for one in current.outdated), "outdated")
    states |= dict.fromkeys((one.place for one in current.gone), "gone")
    tables = {
        "review_judgements": [_judgement_row(one, states) for one in judgements],
        "review_results": [
            _result_row(review, stratum_of.get(row_id))
            for row_id, review in sorted(reviews.items())
        ],
        "review_measures": [_measure_row(one) for one in measures(strata, reviews)],
    }
    return ReviewResults(current, tables)


def _refuse_foreign_files(judgements: Sequence[RowJudgement], unknown: set[str]) -> None:
    by_file: dict[str, list[RowJudgement]] = {}
    for one in judgements:
        by_file.setdefault(one.file, []).append(one)
    for name, of_file in by_file.items():
        if all(one.row_id in unknown for one in of_file):
            first = f"{of_file[0].item_id}, {of_file[0].line}"
            raise FilledFileError(
                f"{name}: no row of this filled-in review is in the store ({len(of_file)} rows, "
                f"the first is {first}). It is a review of another data set. Move the "
                "file away, or set BIOINSTRUCT_DATA_DIR to the folder of its data set."
            )


def _judgement_row(one: RowJudgement, states: dict[str, str]) -> dict[str, Any]:
    return {
        "item_id": one.item_id,
        "row_id": one.row_id,
        "reviewer": one.reviewer,
        "decision": one.decision,
        "category": one.category,
        "reason": one.reason,
        "comment": one.comment,
        "judged_at": one.judged_at,
        "changed_after_verdict": one.changed_after_verdict,
        "state": states.get(one.place, "current"),
        "place": one.place,
    }


def _result_row(review: RowReview, stratum: str | None) -> dict[str, Any]:
    row = review.row
    return {
        "row_id": row.row_id,
        "item_id": row.item_id,
        "stratum": stratum,
        "gate": row.gate,
        "decision": review.decision,
        "reason": review.reason,
        "category": review.category,
        "category_before": row.category,
        "labelled_by": review.labelled_by,
        "reviewers": [one.reviewer for one in review.judgements],
        "excluded": review.excluded,
        "wrongly_rejected": review.wrongly_rejected,
        "needs_adjudication": review.needs_adjudication,
        "rehearsal": row.rehearsal,
    }


def _measure_row(one: Measure) -> dict[str, Any]:
    return {
        "figure": one.figure,
        "subject": one.subject,
        "value": one.value,
        "ci_low": one.low,
        "ci_high": one.high,
        "judged": one.judged,
        "population": one.population,
        "not_covered": one.not_covered,
        "note": one.note,
    }
