"""What several judgements of a row come to."""

import pytest

from bioinstruct_dagster.review.row_reviews import current_judgements, row_review
from bioinstruct_dagster_tests.review.made_reviews import made_row, reviewed, said

KEPT = made_row("a")
REVIEWERS = ("AB", "CD", "EF")


def review(*decisions, row=KEPT):
    pairs = zip(decisions, REVIEWERS, strict=False)
    return row_review(row, [said(row, decision, name) for decision, name in pairs])


@pytest.mark.parametrize(
    ("decisions", "decision", "excluded", "open_"),
    [
        (("accept",), "accept", False, False),
        (("reject",), "reject", True, False),
        (("unsure",), "unsure", False, False),
        (("accept", "reject"), "disputed", True, True),
        (("accept", "reject", "accept"), "accept", False, False),
        (("accept", "reject", "reject"), "reject", True, False),
        (("unsure", "reject"), "reject", True, False),
        (("accept", "reject", "unsure"), "disputed", True, True),
    ],
)
def test_the_majority_decides_and_a_tie_waits_outside_the_set(decisions, decision, excluded, open_):
    found = review(*decisions)
    assert (found.decision, found.excluded, found.needs_adjudication) == (decision, excluded, open_)


def test_a_rejected_row_never_enters_and_is_counted_as_wrongly_rejected():
    found = review("accept", row=made_row("b", gate="quality"))
    assert found.wrongly_rejected
    assert not found.excluded
    assert not review("reject", row=made_row("b", gate="quality")).wrongly_rejected


def test_the_category_of_most_reviewers_wins_and_names_them():
    names = ["other", "generation", "other"]
    judgements = [
        said(KEPT, "accept", who, name) for who, name in zip(REVIEWERS, names, strict=True)
    ]
    found = row_review(KEPT, judgements)
    assert (found.category, found.labelled_by) == ("other", "human:AB + EF")
    tied = row_review(KEPT, judgements[:2])
    assert tied.category is None
    assert tied.labelled_by is None
    assert tied.needs_adjudication
    assert not tied.excluded


def test_a_judgement_of_other_texts_or_of_no_row_does_not_count():
    old = said(KEPT, "reject")
    changed = made_row("a", gate=None)
    changed.texts["output"] = "Another answer."
    found = current_judgements([old, said(made_row("z"), "accept")], {"a": changed})
    assert found.of_rows == {}
    assert [one.row_id for one in found.outdated] == ["a"]
    assert [one.row_id for one in found.gone] == ["z"]
    assert reviewed(KEPT, "reject").reason == "wrong_answer"
