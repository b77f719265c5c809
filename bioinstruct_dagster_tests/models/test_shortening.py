"""Inputs shortened in the middle: both ends are kept, words stay whole, and as much as fits."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bioinstruct_dagster.models.shortening import MARKER, ShortenedInput, longest_that_fit


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


WORDS = st.lists(st.text(alphabet="ab", min_size=1, max_size=9), min_size=1, max_size=30)


def within(room):
    """Gives the texts that are short enough, in characters; and the calls."""
    calls = []

    def fitting(tried):
        calls.append(len(tried))
        return [text if len(text) <= room[number] else None for number, text in tried]

    return fitting, calls


def test_both_ends_of_the_longest_text_are_kept():
    text = "one two three four five six"
    fitting, _ = within({7: len("one two") + len(MARKER) + len("six")})
    assert longest_that_fit({7: text}, fitting, may_vanish=True) == {7: f"one two{MARKER}six"}


def test_a_passage_of_which_nothing_fits_vanishes_if_it_may():
    fitting, _ = within({0: 3})
    assert longest_that_fit({0: "one two three"}, fitting, may_vanish=True) == {0: ""}
    assert longest_that_fit({0: "one two three"}, fitting, may_vanish=False) == {}


def test_an_item_that_can_not_fit_is_given_up_at_once():
    fitting, calls = within({0: -1, 1: -1})
    texts = {0: "one two three", 1: "four five six"}
    assert longest_that_fit(texts, fitting, may_vanish=True) == {}
    assert longest_that_fit(texts, fitting, may_vanish=False) == {}
    assert calls == [2, 2]


@given(st.lists(st.tuples(WORDS, st.integers(0, 80)), min_size=1, max_size=5), st.booleans())
def test_the_longest_that_fits_is_kept(items, may_vanish):
    texts = {number: " ".join(words) for number, (words, _) in enumerate(items)}
    room = {number: size for number, (_, size) in enumerate(items)}
    fitting, calls = within(room)
    found = longest_that_fit(texts, fitting, may_vanish=may_vanish)
    assert len(calls) <= 9
    for number, (words, size) in enumerate(items):
        candidates = [
            " ".join(words[: (kept + 1) // 2]) + MARKER + " ".join(words[len(words) - kept // 2 :])
            for kept in range(2, len(words))
        ]
        fit = [text for text in ([""] if may_vanish else []) + candidates if len(text) <= size]
        assert found.get(number) == (fit[-1] if fit else None)
