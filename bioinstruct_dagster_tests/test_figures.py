"""Figures are short enough for the UI, well-formed SVG, and drawn to scale."""

import base64
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.figures import INLINE_CHARACTERS, bars, curve

SVG = "{http://www.w3.org/2000/svg}"
OUTCOMES = ("parsed", "truncated", "refused", "empty", "malformed", "wrong_schema")


def drawing(markdown: str) -> ET.Element:
    """The SVG inside a figure, parsed as XML."""
    found = re.fullmatch(r"!\[[^\]]*\]\(data:image/svg\+xml;base64,([^)]+)\)", markdown)
    assert found, markdown
    root = ET.fromstring(base64.b64decode(found.group(1), validate=True))
    assert root.tag == f"{SVG}svg"
    return root


def bar_lengths(markdown: str) -> list[int]:
    (path,) = drawing(markdown).iter(f"{SVG}path")
    return [int(length) for length in re.findall(r"h(\d+)", path.attrib["d"])]


def test_bars_carry_each_name_and_count_in_the_order_given():
    texts = [t.text for t in drawing(bars("t", {"b": 3, "a": 12})).iter(f"{SVG}text")]
    assert texts == ["b 3", "a 12"]


@given(
    st.dictionaries(
        st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=1),
        st.integers(0, 10**7),
        max_size=12,
    )
)
def test_bars_are_as_long_as_their_counts_and_inside_the_drawing(counts):
    figure = bars("t", counts)
    lengths = bar_lengths(figure)
    assert len(lengths) == len(counts)
    assert max(lengths, default=0) <= int(drawing(figure).attrib["width"])
    ordered = sorted(zip(counts.values(), lengths, strict=True))
    assert [length for _, length in ordered] == sorted(lengths)


def test_a_bar_of_half_the_count_is_half_as_long():
    whole, half = bar_lengths(bars("t", {"whole": 200, "half": 100}))
    assert whole == 2 * half


def test_markup_in_a_name_is_shown_as_text():
    (text,) = drawing(bars("t", {"a<b>&'\"": 1})).iter(f"{SVG}text")
    assert text.text == "a<b>&'\" 1"


@pytest.mark.parametrize(
    "figure",
    [
        bars("Replies by outcome", dict.fromkeys(OUTCOMES, 1_000_000)),
        bars("Seeds by category", dict.fromkeys(("information_extraction", "other"), 25_005)),
        curve("Training loss", [9.87 - i / 2_000 for i in range(10_000)]),
        curve("Training loss", [(-1) ** i * 1e3 for i in range(40)]),
    ],
)
def test_a_figure_is_short_enough_to_be_shown_in_place(figure):
    assert len(figure) < INLINE_CHARACTERS


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300))
def test_a_curve_runs_left_to_right_inside_the_drawing(values):
    root = drawing(curve("t", values))
    (line,) = root.iter(f"{SVG}polyline")
    points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert all(0 <= x <= width and 0 <= y <= height for x, y in points)
    assert [x for x, _ in points] == sorted(x for x, _ in points)


def test_a_falling_curve_falls_and_names_its_extremes():
    root = drawing(curve("t", [4.0, 3.0, 1.25]))
    (line,) = root.iter(f"{SVG}polyline")
    heights = [float(point.split(",")[1]) for point in line.attrib["points"].split()]
    assert heights == sorted(heights)  # SVG's y grows downwards
    assert [t.text for t in root.iter(f"{SVG}text")] == ["4.00", "1.25"]


def test_no_values_are_said_in_words():
    assert curve("t", []) == "no values"
