"""Texts that the store can hold, and texts that it cannot."""

from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.store.storable_text import is_storable


@given(st.text(st.characters(exclude_categories=()), max_size=5))
def test_storable_is_what_utf8_can_carry_without_nul(text):
    try:
        survives = text.encode("utf-8").decode("utf-8") == text and b"\0" not in text.encode()
    except UnicodeEncodeError:
        survives = False
    assert is_storable(text) is survives
