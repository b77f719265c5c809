"""Tables and numbers: no cell breaks a table, and amounts have few digits."""

import pytest

from bioinstruct_dagster.dataset.card.parts import (
    dollars,
    facts_list,
    percent,
    section,
    some_of,
    table,
)
from bioinstruct_dagster.figures.values import number_of


def test_a_table_aligns_numbers_and_keeps_odd_cells_in_their_cell():
    text = table(("name", "rows"), [("a|b\nc", 1234), ("d", 5)])
    assert text == "| name | rows |\n| --- | ---: |\n| a\\|b c | 1,234 |\n| d | 5 |\n"
    assert not table(("name",), [])


def test_a_section_without_text_is_left_out():
    assert not section("Empty", "", "\n")
    assert section("Title", "a\n", "", "b") == "## Title\n\na\n\nb\n\n"
    assert facts_list({"known": 1, "unknown": None}) == "- known: 1\n"


@pytest.mark.parametrize(
    ("usd", "said"),
    [(None, "unknown"), (0.0, "$0.00"), (0.04432, "$0.0443"), (1234.5, "$1,234.50")],
)
def test_an_amount_has_few_digits(usd, said):
    assert dollars(usd) == said


def test_words_for_numbers():
    assert percent(0.8677) == "86.8 %"
    assert number_of(1, "reply", "replies") == "1 reply"
    assert number_of(2_000, "reply", "replies") == "2,000 replies"
    assert some_of(list("abcdefghij")) == "a, b, c, d, e, f, g, h and 2 more"
