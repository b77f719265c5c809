"""Where a full name could stand, and where in such a part it could begin."""

import re

import pytest

from bioinstruct_dagster.curation.privacy.names.forms import FULL_NAME
from bioinstruct_dagster.curation.privacy.names.stretches import parts_with_names, stretches_of

TEXTS = [
    "Harold Finch was seen by Dr. Ann Lee-Wong and (J. Weaver).",
    "the drug of choice is metformin; none is named here",
    "x" * 300 + " Ana Maria de Souza, MD " + "y" * 300 + "\nWEAVER, THOMAS 54M",
    '"Mary O\'Neil" and -John Smith; McDonald Ray',
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("before", ["", r"(?<![\w-])", r"(?<=\s)"])
def test_a_pattern_finds_the_same_names_as_at_every_character(text, before):
    pattern = re.compile(before + FULL_NAME)
    found = [
        match.span() for stretch in stretches_of(text) for match in stretch.matches(pattern, text)
    ]
    whole_words = [
        match.span()
        for begin, end in parts_with_names(text)
        for match in pattern.finditer(text, begin, end)
        if not text[max(0, match.start() - 1) : match.start()].isalnum()
    ]
    assert found == whole_words


def test_a_text_without_two_words_in_capitals_has_no_part():
    assert stretches_of("Metformin is safe. It is old.") == []
