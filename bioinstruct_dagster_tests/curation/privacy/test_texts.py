"""What is known of a text before any pattern is tried."""

import pytest

from bioinstruct_dagster.curation.privacy.kinds import TEXT_LIMIT
from bioinstruct_dagster.curation.privacy.texts import ScannedText


def test_the_words_of_a_text_are_in_small_letters_and_hold_no_sign():
    text = ScannedText("Dr. O'Neil saw J\u00f6rg\u2014twice; BMI 31.")
    assert text.words == {"dr", "o", "neil", "saw", "j\u00f6rg", "twice", "bmi"}


@pytest.mark.parametrize(
    ("raw", "facts"),
    [
        ("No figure at all \u2265 ?", (False, False, False)),
        (f"None{TEXT_LIMIT}here?", (False, False, False)),
        ("Give 5 mg.", (True, False, False)),
        ("MRN 44821.", (True, True, False)),
        ("Call 617-555-0142.", (True, True, True)),
        ("\uff16\uff11\uff17-\uff15\uff15\uff15-\uff10\uff11\uff14\uff12", (True, True, True)),
    ],
)
def test_figures_of_every_kind_are_counted(raw, facts):
    text = ScannedText(raw)
    assert (text.has_digit, text.has_number, text.has_long_number) == facts


def test_the_parts_around_words_hold_what_stands_near_them():
    text = ScannedText("x" * 200 + " wife Ann " + "y" * 200)
    ((begin, end),) = text.parts_around(frozenset(("wife",)), 10, 20)
    assert (begin, end) == (191, 241)
    assert text.parts_around(frozenset(("husband",)), 10, 20) == []


@pytest.mark.parametrize("space", [" ", "\n", "\u00a0", "\u2009", "\u3000"])
@pytest.mark.parametrize("digit", ["7", "\u0663", "\uff17"])
def test_a_shape_is_never_missed(space, digit):
    assert ScannedText(f"code{space}{digit}A seen’").has_shape(b" 0A")
    assert ScannedText(f"é{digit * 5}").has_shape(b"00000")
    assert not ScannedText("code 7 A, ’").has_shape(b" 0A", b"00")
