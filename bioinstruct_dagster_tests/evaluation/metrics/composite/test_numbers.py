"""Spoken and written numbers and dates take one form."""

import pytest

from bioinstruct_dagster.evaluation.metrics.composite.numbers import (
    same_number,
    spoken_numbers,
    written_numbers,
)
from bioinstruct_dagster.evaluation.metrics.composite.tokens import sentences_of


@pytest.mark.parametrize(
    ("spoken", "digits"),
    [
        ("twenty six", "26"),
        ("seventeen", "17"),
        ("two thousand eight", "2008"),
        ("two thousand and two", "2002"),
        ("twenty twelve", "2012"),
        ("nineteen ninety two", "1992"),
        ("one twenty two", "122"),
        ("one hundred and five", "105"),
        ("three hundred", "300"),
        ("two thousand three hundred forty", "2340"),
        ("one oh five", "105"),
        ("ninety eight point six", "98.6"),
        ("two and a half", "2.5"),
        ("one and a half", "1.5"),
        ("half a", "0.5"),
        ("twenty third", "23"),
        ("seventies", "70"),
    ],
)
def test_a_spoken_number_becomes_digits(spoken, digits):
    assert spoken_numbers(spoken.split()) == [digits]


def test_a_lone_one_is_no_number_and_separate_numbers_stay_apart():
    assert spoken_numbers(["one", "of", "my", "brothers"]) == ["one", "of", "my", "brothers"]
    assert spoken_numbers(["four", "or", "five", "days"]) == ["4", "or", "5", "days"]
    assert spoken_numbers(["one"]) == ["one"]


@pytest.mark.parametrize(
    "form",
    [
        "January tenth two thousand nine",
        "01/10/2009",
        "1/10/09",
        "Jan 10, 2009",
        "January 10th 2009",
        "1-10-2009",
    ],
)
def test_a_date_has_one_form(form):
    words = [word for word in sentences_of(f"Seen on {form}")[0] if word != ","]
    assert words == ["seen", "on", "january", "10", "2009"]


def test_written_numbers():
    assert written_numbers("2-3 packs") == "2 to 3 packs"
    assert written_numbers("1-1/2 packs") == "1.5 packs"
    assert written_numbers("120/80") == "120 over 80"
    assert written_numbers("1,200 ml, 20mg") == "1200 ml, 20 mg"
    assert written_numbers("since '92, in her 80's") == "since 1992, in her 80"
    assert "13" in written_numbers("13/45/2009")  # no date, and still readable


def test_a_year_equals_its_short_form_only():
    assert same_number("1992", "92")
    assert same_number("7", "7.0")
    assert not same_number("1992", "93")
    assert not same_number("192", "92")
    assert not same_number("5", "50")


def test_long_runs_end():
    """Each took quadratic time or the whole stack before: 200,000 digits took minutes."""
    assert written_numbers("1" * 200_000) == "1" * 200_000
    assert len(spoken_numbers(["one", "hundred"] * 3000)) == 3000
