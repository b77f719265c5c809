"""The shipped word lists."""

from itertools import combinations

import pytest

from bioinstruct_dagster.evaluation.metrics.composite.concepts import SYNONYM_LISTS
from bioinstruct_dagster.evaluation.metrics.composite.lists import (
    numbers_in,
    phrases_in,
    texts_in,
    words_in,
)


def test_no_phrase_stands_at_two_concepts():
    places: dict[str, set[str]] = {}
    for name in SYNONYM_LISTS:
        for concept, phrases in texts_in("synonyms", name).items():
            for phrase in phrases.split(", "):
                places.setdefault(phrase, set()).add(concept)
    assert {phrase: found for phrase, found in places.items() if len(found) > 1} == {}


@pytest.mark.parametrize("name", SYNONYM_LISTS)
def test_phrases_are_written_as_they_are_compared(name):
    for phrases in texts_in("synonyms", name).values():
        for phrase in phrases.split(", "):
            assert phrase.strip() == phrase == phrase.lower() != ""
            assert "-" not in phrase
            assert "'" not in phrase


def test_lists_that_exclude_each_other_share_no_word():
    for left, right in combinations(("male", "female", "left", "right", "both"), 2):
        assert not words_in("persons", left) & words_in("persons", right)


def test_phrases_and_numbers():
    assert ("negative", "for") in phrases_in("cues", "negates_after")
    assert numbers_in("numbers", "tens_spoken")["forty"] == 40
