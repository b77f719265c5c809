"""Words are counted as each script writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.curation.tokens.scripts import count_words, is_latin


@pytest.mark.parametrize(
    ("text", "fewest", "most"),
    [
        ("", 0, 0),
        ("Name the drug - please.", 5, 5),
        ("Décrivez — en bref — la grippe", 7, 7),
        ("感冒怎么办", 3, 5),
        ("什么是 HIV？", 3, 4),
        ("喘息とは何ですか", 4, 8),
        ("โรคหืดคืออะไร", 2, 6),
        ("당뇨병의 증상은 무엇입니까?", 3, 6),
        ("Как лечить астму?", 3, 4),
        ("ما هو الربو؟", 3, 4),
        ("दमा क्या है?", 3, 4),
        ("བོད་ཀྱི་སྐད་", 2, 3),
    ],
)
def test_words_are_counted_by_script(text, fewest, most):
    assert count_words(text) == (fewest, most)


@given(st.text(st.sampled_from("ab é\n—ü ,")))
def test_words_in_latin_letters_are_those_between_spaces(text):
    assert count_words(text) == (len(text.split()), len(text.split()))


@given(st.text(), st.text())
def test_a_longer_text_has_no_fewer_words(one, other):
    whole, part = count_words(f"{one} {other}"), count_words(one)
    assert part.fewest <= part.most
    assert whole.fewest >= 0
    assert whole.most >= whole.fewest


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Explain the β-blocker", True),
        ("120/80 ≥ 5 %", True),
        ("高血压 140/90 mmHg", False),
        ("COVID-19 vaccination 后能喝酒吗", False),
        ("Como se trata la gripe del niño", True),
        ("Как лечить HIV?", False),
        ("", True),
    ],
)
def test_half_of_the_letters_and_words_must_be_latin(text, expected):
    assert is_latin(text) is expected
