"""Figures are short enough for the UI, well-formed SVG, and drawn to scale."""

import base64
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.figures import INLINE_CHARACTERS, bars, loss_curve

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
        loss_curve([9.87 - i / 2_000 for i in range(10_000)], [(99.0, 9.1)] * 2_000, 10_000),
        loss_curve([(-1) ** i * 1e3 for i in range(400)], [(i, -i) for i in range(400)], 123_456),
    ],
)
def test_a_figure_is_short_enough_to_be_shown_in_place(figure):
    assert len(figure) < INLINE_CHARACTERS


def lines_of(markdown):
    """The points of each line in a loss curve: training, then validation if there is one."""
    *lines, axes = drawing(markdown).iter(f"{SVG}path")
    assert "stroke-dasharray" not in axes.attrib
    found = []
    for line in lines:
        x, y, *steps = map(int, re.findall(r"-?\d+", line.attrib["d"]))
        points = [(x, y)]
        for dx, dy in zip(steps[::2], steps[1::2], strict=True):
            x, y = x + dx, y + dy
            points.append((x, y))
        found.append(points)
    return found


LOSSES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300)


@given(LOSSES, LOSSES)
def test_a_curve_runs_left_to_right_inside_the_drawing(losses, validation):
    figure = loss_curve(losses, list(enumerate(validation, 1)), 300)
    root = drawing(figure)
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert width >= 400
    for points in lines_of(figure):
        assert all(0 <= x <= width and 0 <= y <= height for x, y in points)
        assert [x for x, _ in points] == sorted(x for x, _ in points)


def test_both_lines_fall_to_scale_and_share_the_axis_of_updates():
    training, validation = lines_of(loss_curve([4.0, 3.0, 2.0], [(11, 3.0), (21, 2.5)], 21))
    assert [x for x, _ in training] == [44, 244, 444]
    assert [x for x, _ in validation] == [244, 444]
    top, middle, bottom = (y for _, y in training)
    assert middle - top == bottom - middle  # SVG's y grows downwards
    assert validation[0][1] == middle
    assert middle < validation[1][1] < bottom


def test_a_long_curve_keeps_its_first_and_its_last_loss():
    (points,) = lines_of(loss_curve([9.0, *[5.0] * 998, 1.0], [], 1_000))
    assert (points[0][1], points[-1][1]) == (28, 168)


def test_the_axes_have_names_units_and_values_and_the_legend_the_ends_of_both_lines():
    root = drawing(loss_curve([4.0, 1.25, 2.5], [(10, 3.0), (20, 2.76)], 20))
    assert [t.text for t in root.iter(f"{SVG}text")] == [
        "training 4 to 2.5",
        "validation (dashed) 3 to 2.76",
        "4",
        "1.25",
        "nats per response token, by update 1 to 20",
    ]
    dashed = [path for path in root.iter(f"{SVG}path") if "stroke-dasharray" in path.attrib]
    assert len(dashed) == 1


def test_a_run_without_validation_has_no_second_line_and_legend():
    root = drawing(loss_curve([4.0], [], 1))
    assert len(list(root.iter(f"{SVG}path"))) == 2
    assert not [t for t in root.iter(f"{SVG}text") if "validation" in t.text]


def test_no_values_are_said_in_words():
    assert loss_curve([], [], 0) == "no values"
