"""Cards show the whole texts of rows, and no text can break the Markdown."""

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bioinstruct_dagster.figures.cards import MOST_CHARACTERS, RowCard, card_of, cards, plain


def rendered(markdown: str) -> str:
    return "".join(
        child.content
        for token in MarkdownIt().parse(markdown)
        for child in token.children or ()
        if child.type in {"text", "html_inline", "code_inline"}
    )


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"]), min_size=1))
def test_a_text_is_shown_as_it_is(text):
    assert rendered(plain(text)) == text


def test_a_card_has_heading_texts_and_note():
    row = {"instruction": "List *two* drugs.", "input": "", "output": "# One\n<b>Two</b>"}
    shown = cards([card_of(row, "kept", "Marked: quality.")])
    assert shown.startswith("### kept\n\n**instruction**\n\n> List ")
    assert "**input**\n\n> (empty)" in shown
    assert shown.endswith("*Marked: quality.*")
    html = MarkdownIt("commonmark").render(shown)
    assert "<b>" not in html
    assert html.count("<h") == 1


def test_a_row_without_texts_shows_none():
    assert cards([RowCard("rejected by privacy", {}, "The texts are not shown.")]) == (
        "### rejected by privacy\n\n*The texts are not shown.*"
    )


def test_cards_are_set_apart_and_long_texts_are_cut():
    row = {"instruction": "x" * 5_000, "input": "", "output": "y"}
    shown = cards([card_of(row, "a"), card_of(row, "b")])
    assert shown.count("\n\n---\n\n") == 1
    assert shown.count("x") == 2 * (MOST_CHARACTERS - 1)
    assert cards([]) == "no rows"
