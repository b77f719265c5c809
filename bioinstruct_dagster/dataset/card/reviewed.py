"""The card's section on the review by people, from the tables of the review.

Belongs here: which of the review's figures the card shows, and in which words. Does not: the
section itself (card.review), or the figures (review.reported).
"""

from bioinstruct_dagster.dataset.card.review import (
    ReviewedShare,
    ReviewerAgreement,
    review_section,
)
from bioinstruct_dagster.review.reported import ReviewFigures, review_figures
from bioinstruct_dagster.store.database import Store

# The figures on the card, each in words. Those of single strata stay on the asset's page.
_SHARES = {
    ("defect_rate", "all kept rows"): "kept rows that reviewers reject",
    ("filter_precision", "all filters"): "rejected rows that reviewers reject too",
    ("category_accuracy", "all kept rows"): "kept rows whose category reviewers confirm",
}
_AGREEMENT = {"kappa_decision": "accept or reject", "kappa_category": "category"}


def stored_review(store: Store) -> str:
    """The section on the last review; empty if nobody has reviewed a row.

    Args:
        store: with the tables of the review.
    """
    figures = review_figures(store)
    if figures is None:
        return ""
    return review_section(
        reviewers=len(figures.reviewers),
        rows=figures.counts["judged"],
        when=_days(figures),
        shares=_shares(figures),
        agreements=_agreements(figures),
        excluded=figures.counts["excluded"],
        labels_changed=figures.counts["categories_changed"],
    )


def _days(figures: ReviewFigures) -> str:
    days = [day for day in (figures.first_day, figures.last_day) if day]
    return " to ".join(dict.fromkeys(days))


def _shares(figures: ReviewFigures) -> list[ReviewedShare]:
    found = ((told, figures.measure(*key)) for key, told in _SHARES.items())
    return [
        ReviewedShare(told, one["value"], one["ci_low"], one["ci_high"], one["judged"])
        for told, one in found
        if one
    ]


def _agreements(figures: ReviewFigures) -> list[ReviewerAgreement]:
    return [
        ReviewerAgreement(
            f"{_AGREEMENT[one['figure']]} ({one['subject']})",
            one["value"],
            one["ci_low"],
            one["ci_high"],
            one["judged"],
        )
        for one in figures.measures
        if one["figure"] in _AGREEMENT
    ]
