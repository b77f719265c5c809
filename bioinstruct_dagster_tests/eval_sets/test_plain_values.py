"""Single values of rows: what stands for nothing, whole numbers, and words among others."""

from decimal import Decimal

import pytest

from bioinstruct_dagster.eval_sets.plain_values import (
    is_nothing,
    places_of,
    whole_number,
    word_of,
)


@pytest.mark.parametrize(
    ("value", "nothing"),
    [
        (None, True),
        ("", True),
        (" \n", True),
        (float("nan"), True),
        (0, False),
        (False, False),
        ("None", False),
        ([], False),
    ],
)
def test_null_and_blanks_stand_for_nothing(value, nothing):
    assert is_nothing(value) is nothing


@pytest.mark.parametrize("value", [2, 2.0, "2", " 2 ", "2.0", Decimal("2.00")])
def test_a_whole_number_has_several_forms(value):
    assert whole_number(value) == 2


@pytest.mark.parametrize(
    "value",
    [
        1.9,
        0.99,
        -0.5,
        2.9999,
        Decimal("1.9"),
        "1.9",
        "1_0",
        "١",  # an Arabic digit
        "1e0",
        "B",
        "9" * 5_000,
        True,
        float("inf"),
        float("-inf"),
        float("nan"),
        None,
        [1],
    ],
)
def test_all_else_is_no_whole_number(value):
    assert whole_number(value) is None


def test_truth_values_are_written_as_in_json():
    assert [word_of(one) for one in (True, False, None, 1, "True")] == [
        "true",
        "false",
        "null",
        "1",
        "True",
    ]


@pytest.mark.parametrize(
    ("word", "known", "places"),
    [
        ("Mg", ["mg", "Mg", "K"], [1]),
        ("mg", ["Mg", "mg"], [1]),
        (" Mg ", ["mg", "Mg"], [1]),
        ("MG", ["mg", "Mg", "K"], [0, 1]),
        ("k", ["mg", "Mg", "K"], [2]),
        ("x", ["x", "x"], [0, 1]),
        ("y", ["x"], []),
    ],
)
def test_the_same_characters_come_before_the_same_letters(word, known, places):
    assert places_of(word, known) == places
