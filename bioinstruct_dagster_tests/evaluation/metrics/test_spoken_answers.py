"""Which part of an answer counts."""

import pytest

from bioinstruct_dagster.evaluation.metrics.spoken_answers import (
    as_answered,
    correction,
    first_clause,
    with_labels,
)

LABELS = ("entailment", "neutral", "contradiction")
YES_NO = ("yes", "no")


@pytest.mark.parametrize(
    ("text", "options", "left"),
    [
        ("Entailment? No, contradiction.", LABELS, "contradiction."),
        ("Entailment? Yes.", LABELS, "Entailment? Yes."),
        ("Neutral? No.", LABELS, ""),
        ("Is it safe? No.", YES_NO, "No."),
        ("Most probably yes.", YES_NO, "yes."),
        ("Probably the drug.", YES_NO, "Probably the drug."),
    ],
)
def test_denied_questions_and_hedges_are_left_out(text, options, left):
    assert as_answered(text, options) == left


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("B. Wait, no: the answer is C.", LABELS, "C."),
        ("Yes. Wait, no.", YES_NO, "no."),
        ("B. Sorry, I meant C.", LABELS, "C."),
        ("Wait, B.", LABELS, None),  # there is nothing before it
        ("B.", LABELS, None),
    ],
)
def test_a_correction_is_what_follows_its_last_word(text, options, said):
    assert correction(text, options) == said


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("I think it's warfarin. It inhibits clotting.", "warfarin"),
        ("warfarin, because of the valve", "warfarin"),
        ("heparin, warfarin and aspirin", "heparin, warfarin and aspirin"),
        ("that would be aspirin", "aspirin"),
    ],
)
def test_the_first_clause_has_no_lead_in(text, clause):
    assert first_clause(text) == clause


def test_labels_stand_in_place_of_their_forms_only_among_labels():
    assert with_labels("It is entailed, not contradicted.", LABELS) == (
        "It is entailment, not contradiction."
    )
    assert with_labels("It is entailed.", ("entailment", "aspirin")) is None
