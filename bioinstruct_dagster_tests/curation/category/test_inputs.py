"""What kind of input a row has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.curation.category.inputs import commonest_kinds, input_kind


@pytest.mark.parametrize(
    "text", ["", "  \n", "N/A", "n/a.", "None", "(No input required)", "-", "Not applicable"]
)
def test_a_marker_is_no_input(text):
    assert input_kind(text) == ("input=none",)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Aspirin", ["input=some", "length=0"]),
        ("None of the drugs helped.", ["input=some", "length=1"]),
        ("Aspirin, warfarin, digoxin", ["input=some", "length=0", "input=list"]),
        ("What is gout?", ["input=some", "length=0", "input=question"]),
        ("Dose: 25 mg", ["input=some", "length=0", "input=number"]),
        (
            "Na 138, K 4.1, Cl 102",
            ["input=some", "length=1", "input=number", "input=values", "input=list"],
        ),
        ("She sleeps badly. " * 6, ["input=some", "length=2"]),
        ("She sleeps badly. " * 12, ["input=some", "length=3"]),
        ("She sleeps badly. " * 900, ["input=some", "length=4"]),
    ],
)
def test_an_input_shows_what_it_looks_like(text, kind):
    assert input_kind(text) == tuple(kind)


@given(st.text(max_size=300))
def test_any_text_has_a_kind(text):
    assert input_kind(text)
    assert input_kind(text) == input_kind(text)


def test_the_commonest_kind_speaks_for_all_rows_of_an_instruction():
    rows = [("Name it.", ""), ("Name it.", "Aspirin"), ("Name it.", "Heparin"), ("List.", "")]
    assert commonest_kinds(rows) == {
        "Name it.": input_kind("Aspirin"),
        "List.": ("input=none",),
    }
    assert commonest_kinds(rows[:2]) == {"Name it.": ("input=none",)}
