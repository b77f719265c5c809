"""The section of the card on what people found when they reviewed rows.

Belongs here: the section, from plain numbers. Does not: drawing the rows or reading the filled-in
files (the package review).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bioinstruct_dagster.dataset.card.parts import percent, section, table
from bioinstruct_dagster.figures.values import number_of


@dataclass(frozen=True)
class ReviewedShare:
    """A share that people's judgements give.

    Attributes:
        what: the share is of, such as `kept rows that the reviewers accept`.
        share: from 0 to 1.
        low: the lower end of its 95 % interval.
        high: the upper end.
        rows: that were judged for it.
    """

    what: str
    share: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True)
class ReviewerAgreement:
    """How far two reviewers agree on the rows that both judged.

    Attributes:
        on: what they judged, such as `accept or reject`.
        kappa: Cohen's kappa.
        low: the lower end of its 95 % interval; None if it has none.
        high: the upper end.
        rows: that both judged.
    """

    on: str
    kappa: float
    low: float | None
    high: float | None
    rows: int


def review_section(
    *,
    reviewers: int,
    rows: int,
    when: str = "",
    shares: Sequence[ReviewedShare] = (),
    agreements: Sequence[ReviewerAgreement] = (),
    excluded: int = 0,
    labels_changed: int = 0,
) -> str:
    """The section `Review by people`; empty if no row was reviewed.

    Args:
        reviewers: how many people judged rows.
        rows: how many rows they judged.
        when: the day or days, in words; empty if they are not known.
        shares: what their judgements say of kept and rejected rows, and of categories.
        agreements: between two of them.
        excluded: rows that a reviewer rejected, and that are therefore not in the set.
        labels_changed: rows whose category is the reviewers'.
    """
    if not rows:
        return ""
    dated = f" ({when})" if when else ""
    people = number_of(reviewers, "person", "people")
    told = f"{people} judged {number_of(rows, 'row')} of a random sample by stratum{dated}."
    done = [
        text
        for count, text in (
            (excluded, f"{number_of(excluded, 'row')} that they rejected left the set."),
            (
                labels_changed,
                f"{number_of(labels_changed, 'row')} got the category that they gave.",
            ),
        )
        if count
    ]
    found = table(
        ("what", "share", "95 % interval", "rows judged"),
        [
            (one.what, percent(one.share), f"{percent(one.low)} to {percent(one.high)}", one.rows)
            for one in shares
        ],
    )
    agreed = table(
        ("two reviewers on", "kappa", "95 % interval", "rows"),
        [
            (
                one.on,
                f"{one.kappa:.2f}",
                "" if one.low is None or one.high is None else f"{one.low:.2f} to {one.high:.2f}",
                one.rows,
            )
            for one in agreements
        ],
    )
    return section("Review by people", " ".join([told, *done]), found, agreed)
