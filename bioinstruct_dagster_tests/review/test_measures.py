"""What each figure of the review counts."""

import pytest

from bioinstruct_dagster.review.measures import SampledStratum, measures
from bioinstruct_dagster.review.row_reviews import row_review
from bioinstruct_dagster_tests.review.made_reviews import made_row, reviewed, said


def figures(strata, reviews):
    found = measures(strata, {review.row.row_id: review for review in reviews})
    return {(one.figure, one.subject): one for one in found}


def kept(population, *names):
    return SampledStratum("kept, generation", "kept", None, population, frozenset(names))


def rejected(gate, population, *names):
    name = f"rejected by {gate}"
    return SampledStratum(name, "rejected", gate, population, frozenset(names))


def test_the_defect_rate_counts_kept_rows_and_the_precision_rejected_ones():
    reviews = [
        reviewed(made_row("a"), "accept"),
        reviewed(made_row("b"), "reject"),
        reviewed(made_row("c", gate="quality"), "reject"),
        reviewed(made_row("d", gate="privacy"), "accept"),
    ]
    strata = [kept(100, "a", "b"), rejected("quality", 30, "c"), rejected("privacy", 10, "d")]
    found = figures(strata, reviews)
    assert found["defect_rate", "all kept rows"].value == 0.5
    assert found["filter_precision", "quality"].value == 1.0
    assert found["filter_precision", "privacy"].value == 0.0
    assert found["filter_precision", "all filters"].value == pytest.approx(0.75)
    assert "masked" in found["filter_precision", "privacy"].note
    assert not found["filter_precision", "quality"].note


def test_unsure_disputed_and_unsampled_rows_are_in_no_share():
    row = made_row("b")
    reviews = [
        reviewed(made_row("a"), "unsure"),
        row_review(row, [said(row, "accept", "AB"), said(row, "reject", "CD")]),
        reviewed(made_row("outside"), "reject"),
    ]
    found = figures([kept(100, "a", "b", "c")], reviews)
    assert ("defect_rate", "all kept rows") not in found


def test_categories_are_compared_with_the_machine_s():
    reviews = [
        reviewed(made_row("a"), "accept", "generation"),
        reviewed(made_row("b"), "accept", "other"),
        reviewed(made_row("c"), "accept"),
    ]
    found = figures([kept(3, "a", "b", "c")], reviews)["category_accuracy", "all kept rows"]
    assert (found.value, found.judged) == (0.5, 2)


def test_two_reviewers_have_a_kappa_of_decisions_and_one_of_categories():
    answers = ["accept", "reject", "accept", "reject", "accept"]
    others = ["accept", "reject", "reject", "reject", "accept"]
    reviews = []
    for n, (one, other) in enumerate(zip(answers, others, strict=True)):
        row = made_row(str(n))
        reviews.append(row_review(row, [
            said(row, one, "AB", "other" if n % 2 else "generation"),
            said(row, other, "CD", "other" if n % 2 else "generation"),
        ]))  # fmt: skip
    found = figures([kept(5, *"01234")], reviews)
    decision = found["kappa_decision", "AB and CD"]
    assert decision.judged == 5
    assert decision.low < decision.value < decision.high
    category = found["kappa_category", "AB and CD"]
    assert (category.value, category.low) == (1.0, None)
    assert "no interval" in category.note
