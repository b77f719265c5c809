"""A drawing is well-formed SVG on a white sheet, and the summary is short enough for the page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.figures.bars import bars
from bioinstruct_dagster.figures.curves import loss_curve
from bioinstruct_dagster.figures.forest import PlottedScore, differences
from bioinstruct_dagster.figures.sheet import INLINE_CHARACTERS, WIDTH, label, sheet, summary
from bioinstruct_dagster_tests.figures.drawings import SVG, drawing, texts

TEXTS = st.text(max_size=40)
OUTCOMES = ("parsed", "truncated", "refused", "empty", "malformed", "wrong_schema")
SENTENCE = "A sentence of some length about 1,234,567 rows, which cost $1,234.56 in this run. " * 2


@given(TEXTS, TEXTS)
def test_no_text_breaks_the_markdown_or_the_svg(title, text):
    shown = texts(sheet(title, label(text, y=40)))
    assert shown == [
        "".join(c for c in each if c.isprintable() or c == "\xa0") for each in (title, text)
    ]


def test_a_sheet_is_white_and_wide_and_its_text_has_13_pixels():
    root = drawing(sheet("Title", "", 90))
    assert int(root.attrib["width"]) == WIDTH >= 480
    assert root.attrib["height"] == "90"
    assert "background:white" in root.attrib["style"]
    assert "13px" in root.attrib["style"]
    assert {text.attrib.get("font-size") for text in root.iter(f"{SVG}text")} == {None}


@pytest.mark.parametrize(
    "draw",
    [
        bars("Replies of the teacher by outcome", dict.fromkeys(OUTCOMES, 1_000_000), "replies"),
        bars("Rows", {f"a name of many letters {i}": i for i in range(300)}, "rows"),
        loss_curve([9.87 - i / 2_000 for i in range(10_000)], [(99.0, 9.1)] * 2_000, 10_000),
        loss_curve([(-1) ** i * 1e3 for i in range(400)], [(i, -i) for i in range(400)], 123_456),
        differences("Difference", {f"task {i}": PlottedScore(i, i - 1, i + 1) for i in range(40)}),
    ],
)
def test_a_summary_is_shown_in_place_with_its_figure(draw):
    text = summary(SENTENCE, draw)
    assert len(text) < INLINE_CHARACTERS
    assert len(texts(text)) >= 4


def test_a_sentence_without_room_for_a_figure_stands_alone():
    text = summary("word " * 300, bars("Rows", {"a": 1}, "rows"))
    assert len(text) < INLINE_CHARACTERS
    assert "![" not in text


def test_a_sentence_is_broken_into_lines_that_a_narrow_window_shows():
    lines = summary(SENTENCE).split("\\\n")
    assert " ".join(lines) == SENTENCE.strip()
    assert max(map(len, lines)) <= 44
