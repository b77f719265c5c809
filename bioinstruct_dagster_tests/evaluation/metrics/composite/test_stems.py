"""Forms of one word share a stem; other words do not."""

import pytest

from bioinstruct_dagster.evaluation.metrics.composite.stems import stem


@pytest.mark.parametrize(
    "forms",
    [
        ("smoke", "smokes", "smoked", "smoking", "smoker"),
        ("allergy", "allergies"),
        ("infection", "infections", "infected"),
        ("fracture", "fractures", "fractured"),
        ("stop", "stops", "stopped", "stopping"),
        ("headache", "headaches"),
    ],
)
def test_forms_of_a_word_have_one_stem(forms):
    assert len({stem(form) for form in forms}) == 1


def test_different_words_keep_different_stems():
    words = [
        "severe",
        "several",
        "pain",
        "paint",
        "stroke",
        "stress",
        "hyperthyroid",
        "hypothyroid",
    ]
    assert len({stem(word) for word in words}) == len(words)


def test_short_words_and_digits_stay():
    assert [stem(word) for word in ("gas", "mg", "120", "is")] == ["gas", "mg", "120", "is"]
