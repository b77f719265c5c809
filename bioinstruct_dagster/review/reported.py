"""The review in plain numbers, for the data set card, reports and the UI.

Belongs here: reading the tables of the review. Does not: how they are shown.
"""

from dataclasses import dataclass
from typing import Any

from bioinstruct_dagster.store.database import Store

COUNTS = """
    select
        count(*) as judged,
        count(*) filter (where gate is null) as kept_judged,
        count(*) filter (where gate is not null) as rejected_judged,
        count(*) filter (where excluded) as excluded,
        count(*) filter (where gate is null and category <> category_before) as categories_changed,
        count(*) filter (where gate is null and category is not null) as categories_by_humans,
        count(*) filter (where wrongly_rejected) as wrongly_rejected,
        count(*) filter (where needs_adjudication) as to_adjudicate,
        count(*) filter (where decision = 'unsure') as unsure,
        count(*) filter (where stratum is null) as outside_the_sample,
        count(*) filter (where rehearsal) as rehearsal
    from review_results
"""
REVIEWERS = """
    select reviewer, count(*) as rows, count(*) filter (where changed_after_verdict) as changed
    from review_judgements where state = 'current' group by reviewer order by reviewer
"""
DAYS = """
    select min(judged_at)::date::varchar as first, max(judged_at)::date::varchar as last
    from review_judgements where state = 'current'
"""
UNUSED = (
    "select state, count(*) as n from review_judgements where state <> 'current' group by state"
)
EXCLUDED_BY_REASON = """
    select case when decision = 'disputed' then decision else reason end as reason, count(*) as rows
    from review_results where excluded group by all order by rows desc, reason
"""
MEASURES = "from review_measures order by figure, subject"
SAMPLE = """
    select coalesce(sum(population), 0)::bigint as population,
        coalesce(sum(sampled), 0)::bigint as sampled
    from review_strata
"""


@dataclass(frozen=True)
class ReviewFigures:
    """What persons found in the set.

    Attributes:
        counts: of rows, by name: judged, kept_judged, rejected_judged, excluded,
            categories_changed, categories_by_humans, wrongly_rejected, to_adjudicate, unsure,
            outside_the_sample, rehearsal.
        sample: population and sampled, in rows.
        reviewers: for each reviewer, how many rows, and how many judgements were changed after the
            verdict was shown.
        first_day: of the first judgement, such as 2026-11-30; None if no file says when.
        last_day: of the last judgement; None likewise.
        excluded_by_reason: rows that left the set, by reason; `disputed` if reviewers contradict
            each other.
        unused: judgements that count no more, by state (outdated, gone).
        measures: figure, subject, value, ci_low, ci_high, judged, population, not_covered and note
            of each figure.
    """

    counts: dict[str, int]
    sample: dict[str, int]
    reviewers: list[dict[str, Any]]
    first_day: str | None
    last_day: str | None
    excluded_by_reason: dict[str, int]
    unused: dict[str, int]
    measures: list[dict[str, Any]]

    def measure(self, figure: str, subject: str) -> dict[str, Any] | None:
        """One figure; None if nobody judged what it needs."""
        found = (
            one for one in self.measures if (one["figure"], one["subject"]) == (figure, subject)
        )
        return next(found, None)


def review_figures(store: Store) -> ReviewFigures | None:
    """The figures of the last materialization of `review_results`; None without any review."""
    [counts] = store.rows(COUNTS)
    unused = {row["state"]: row["n"] for row in store.rows(UNUSED)}
    if not counts["judged"] and not unused:
        return None
    [days] = store.rows(DAYS)
    return ReviewFigures(
        first_day=days["first"],
        last_day=days["last"],
        counts=counts,
        sample=store.rows(SAMPLE)[0],
        reviewers=store.rows(REVIEWERS),
        excluded_by_reason={row["reason"]: row["rows"] for row in store.rows(EXCLUDED_BY_REASON)},
        unused=unused,
        measures=store.rows(MEASURES),
    )
