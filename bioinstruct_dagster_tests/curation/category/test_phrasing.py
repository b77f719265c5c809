"""Splitting an instruction: its main clause, and the features for the classifier."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.curation.category.phrasing import clauses, features


@pytest.mark.parametrize(
    ("instruction", "given_part", "main"),
    [
        ("Given a note, extract the doses.", "given a note", "extract the doses."),
        (
            "Based on the  report,\nstage the tumour, please.",
            "based on the report",
            "stage the tumour, please.",
        ),
        (
            "Given age, sex, and weight of a child, calculate the dose.",
            "given age, sex, and weight of a child",
            "calculate the dose.",
        ),
        ("For this woman of 30, what is the risk?", "for this woman of 30", "what is the risk?"),
        ("Extract the doses, given a note.", "", "extract the doses, given a note."),
        ("Forward the letter, then file it.", "", "forward the letter, then file it."),
        ("Given a note extract the doses.", "", "given a note extract the doses."),
    ],
)
def test_what_is_given_is_told_from_the_main_clause(instruction, given_part, main):
    assert clauses(instruction) == (given_part, main)


def test_the_verb_is_paired_with_what_is_asked_for():
    found = features("Given a list of symptoms, identify the disease and explain it.")
    assert {"opening=identify", "pair=identify disease", "object=disease"} <= set(found)
    assert {"source=identify symptoms", "given=symptoms", "sign=given"} <= set(found)
    assert {"joined=explain", "verbs=identify explain"} <= set(found)


@pytest.mark.parametrize(
    ("instruction", "sign"),
    [
        ("Which nerve is this?", "sign=question"),
        ("Given a cough, name its cause.", "sign=given"),
        ("Find the dose in this letter.", "sign=text"),
        ("Given a report, find the dose.", "sign=text"),
        ("Sort the following drugs.", "sign=pointer"),
    ],
)
def test_signs_of_a_task_are_found_only_where_they_are(instruction, sign):
    assert sign in features(instruction)
    assert sign not in features("Name the largest gland.")


@given(st.text(max_size=300))
def test_any_text_has_features_and_always_the_same(text):
    assert features(text) == features(text)
    assert all("=" in feature for feature in features(text))


def test_features_grow_in_proportion_to_the_text():
    small, large = (len(features("given a, " * n + "b")) for n in (1_000, 10_000))
    assert large < 12 * small
