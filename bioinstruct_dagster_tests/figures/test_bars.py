"""Bars have names, counts and shares, and are drawn to scale."""

from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.figures.bars import bars
from bioinstruct_dagster.figures.sheet import SEEN
from bioinstruct_dagster_tests.figures.drawings import numbers, paths, texts

ROOM = 10_000


def lengths(markdown: str) -> list[int]:
    bar, _ = paths(markdown)
    return numbers(bar["d"])[2::3]


def test_bars_carry_name_count_and_share_in_the_order_given():
    shown = texts(bars("Rows by kind", {"b_c": 3, "a": 1}, "rows")(ROOM))
    assert shown == [
        "Rows by kind (rows)",
        "b c 3 (75.0\N{NO-BREAK SPACE}%)",
        "a 1 (25.0\N{NO-BREAK SPACE}%)",
        "0",
        "3",
    ]


def test_shares_are_of_the_given_total_or_left_out():
    assert "(10.0" in texts(bars("t", {"a": 1}, "rows", of=10)(ROOM))[1]
    assert texts(bars("t", {"a": 1}, "rows", of=0)(ROOM))[1] == "a 1"


@given(st.dictionaries(st.text("abc", min_size=1), st.integers(0, 10**7), min_size=1, max_size=9))
def test_bars_are_as_long_as_their_counts_and_in_sight(counts):
    figure = bars("t", counts, "rows")(ROOM)
    found = lengths(figure)
    assert [length for _, length in sorted(zip(counts.values(), found, strict=True))] == sorted(
        found
    )
    bar, _ = paths(figure)
    assert numbers(bar["d"])[0] + max(found) < SEEN
    assert all((n == 0) == (length == 0) for n, length in zip(counts.values(), found, strict=True))


def test_a_bar_of_half_the_count_is_half_as_long():
    whole, half = lengths(bars("t", {"whole": 200, "half": 100}, "rows")(ROOM))
    assert whole == 2 * half


def test_bars_without_room_are_drawn_as_one():
    counts = {f"name {i}": 10 - i for i in range(10)}
    shown = texts(bars("t", counts, "rows")(700))
    *_, last = (text for text in shown if "%" in text)
    assert "others" in last
    assert shown[1].startswith("name 0 10")
    assert bars("t", counts, "rows")(50) == ""


def test_totals_by_name_stand_beside_the_counts():
    figure = bars("t", {"a": 3, "b": 2, "c": 1}, "rows", of={"a": 30, "b": 20, "c": 10})
    assert texts(figure(ROOM))[1:4] == ["a 3 of 30", "b 2 of 20", "c 1 of 10"]
    assert texts(figure(520))[2] == "2 others 3 of 30"
