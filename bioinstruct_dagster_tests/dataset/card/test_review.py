"""The section on review: numbers with intervals, and no section without a review."""

from bioinstruct_dagster.dataset.card.review import ReviewedShare, ReviewerAgreement, review_section


def test_no_review_has_no_section():
    assert not review_section(reviewers=0, rows=0)


def test_shares_and_agreement_stand_with_their_intervals():
    text = review_section(
        reviewers=2,
        rows=200,
        when="2026-12-01",
        shares=[ReviewedShare("kept rows that are sound", 0.92, 0.87, 0.95, 150)],
        agreements=[ReviewerAgreement("accept or reject", 0.71, None, None, 50)],
        excluded=1,
        labels_changed=4,
    )
    assert text.startswith("## Review by people\n\n2 people judged 200 rows")
    assert "(2026-12-01)" in text
    assert "| kept rows that are sound | 92.0 % | 87.0 % to 95.0 % | 150 |" in text
    assert "| accept or reject | 0.71 |  | 50 |" in text
    assert "1 row that they rejected left the set. 4 rows got the category" in text


def test_one_person_is_one_person():
    assert "1 person judged 1 row " in review_section(reviewers=1, rows=1)
