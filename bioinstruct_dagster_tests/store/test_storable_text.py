"""Texts that the store can hold, and texts that it cannot."""

from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.store.storable_text import is_storable, storable, storable_value


@given(st.text(st.characters(exclude_categories=()), max_size=5))
def test_storable_is_what_utf8_can_carry_without_nul(text):
    try:
        survives = text.encode("utf-8").decode("utf-8") == text and b"\0" not in text.encode()
    except UnicodeEncodeError:
        survives = False
    assert is_storable(text) is survives


@given(st.text(st.characters(exclude_categories=()), max_size=5))
def test_every_text_can_be_made_storable(text):
    made = storable(text)
    assert is_storable(made)
    assert len(made) == len(text)
    assert made == text or not is_storable(text)


def test_texts_inside_a_value_are_made_storable():
    value = {"\ud800": ["a\0", {"b": "\U0001f600"}, 5, None]}
    assert storable_value(value) == {"?": ["a?", {"b": "\U0001f600"}, 5, None]}
