"""Options named by their words."""

import pytest

from bioinstruct_dagster.evaluation.metrics.option_texts import named_by_text, words_of

OPTIONS = ("pneumonia", "viral pneumonia", "asthma", "none of the above")


def test_a_longer_option_hides_its_part():
    assert named_by_text("It is viral pneumonia.", OPTIONS).places == (1,)
    assert named_by_text("It is pneumonia.", OPTIONS).places == (0,)
    assert named_by_text("It is pneumonia, I mean viral pneumonia.", OPTIONS).places == (0, 1)


def test_words_count_whole_and_without_case():
    assert named_by_text("ASTHMA", OPTIONS).places == (2,)
    assert named_by_text("asthmatic", OPTIONS).places == ()


@pytest.mark.parametrize(
    "text",
    [
        "not asthma", "It isn't asthma", "without asthma", "rather than asthma", "asthma is wrong",
        "asthma is not likely",
    ],
)  # fmt: skip
def test_a_denied_option_is_not_named(text):
    found = named_by_text(text, OPTIONS)
    assert found.places == ()
    assert found.negated


def test_an_option_that_denies_is_no_negation():
    assert named_by_text("None of the above", OPTIONS).places == (3,)
    assert named_by_text("not entailed", ("entailed", "not entailed")).places == (1,)


def test_a_stated_option_counts_before_a_mentioned_one():
    assert named_by_text("Asthma is common, but the answer is pneumonia", OPTIONS).places == (0,)


def test_a_whole_text_is_an_option_or_none():
    assert named_by_text("Asthma.", OPTIONS, whole=True).places == (2,)
    assert named_by_text("asthma attack", OPTIONS, whole=True).places == ()


def test_nothing_and_unknown_words_name_nothing():
    assert named_by_text("", OPTIONS).places == ()
    assert named_by_text("fracture", OPTIONS).places == ()
    assert named_by_text("anything", ("", "x")).places == ()


def test_numbers_and_signs_stay_words():
    assert words_of("Dose: 2.5 mg, patient’s") == ["dose", "2.5", "mg", "patient's"]
    assert named_by_text("About 10 %", ("1 %", "10 %")).places == (1,)
