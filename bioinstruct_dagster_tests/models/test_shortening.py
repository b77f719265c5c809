"""Inputs shortened in the middle: both ends are kept, and words and numbers stay whole."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bioinstruct_dagster.models.shortening import MARKER, ShortenedInput


def test_the_middle_is_left_out():
    note = ShortenedInput("Warfarin 1200 mg daily.\nReview in  two weeks.")
    assert note.most == 7
    assert note.keep(2) == f"Warfarin{MARKER}weeks."
    assert note.keep(3) == f"Warfarin 1200{MARKER}weeks."
    assert note.keep(7) == f"Warfarin 1200 mg daily.{MARKER}in  two weeks."


def test_text_without_blanks_is_left_out_by_characters_but_numbers_stay_whole():
    note = ShortenedInput(
        "患者服用华法林一千二百毫克每天一次共1200.5毫克两周后复查一切都很正常没有出血迹象可以继续"
    )
    assert note.keep(2) == f"患{MARKER}续"
    kept = {note.keep(parts) for parts in range(2, note.most + 1)}
    assert all("1200.5" in text or not set("1205") & set(text) for text in kept)


@pytest.mark.parametrize("text", ["", "word", "  word  "])
def test_a_short_text_has_nothing_to_leave_out(text):
    assert ShortenedInput(text).most < 2


TEXTS = st.lists(st.text(min_size=1, max_size=8), min_size=3, max_size=9).map(" ".join)


@given(TEXTS, st.data())
def test_what_is_kept_are_the_ends_of_the_text(text, data):
    text = text.strip()
    note = ShortenedInput(text)
    assume(note.most >= 2)
    parts = data.draw(st.integers(2, note.most))
    kept = note.keep(parts)
    # The marker may be a part of the text too.
    places = [at for at in range(len(kept)) if kept.startswith(MARKER, at)]
    ends = [(kept[:at], kept[at + len(MARKER) :]) for at in places]
    assert any(
        text.startswith(front) and text.endswith(back) and len(front) + len(back) < len(text)
        for front, back in ends
    )


@given(st.text(alphabet="ab1. \n", max_size=60))
def test_more_parts_keep_more_of_the_text(text):
    note = ShortenedInput(text)
    lengths = [len(note.keep(parts)) for parts in range(2, note.most + 1)]
    assert lengths == sorted(lengths)
