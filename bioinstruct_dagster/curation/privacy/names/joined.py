"""Names in lists: "her sisters, Saoirse (9) and Niamh", "two patients (J. Weaver and R. Odum)".

Belongs here: lists after words for several persons, and names that "and" joins to a name that was
found. Does not: a name by the words right before it (announced). Every repetition is bounded.
"""

import re
from collections.abc import Iterator, Sequence

from bioinstruct_dagster.curation.privacy.names.forms import (
    FULL_NAME,
    INITIALS_NAME,
    NON_NAME_WORDS,
    UPPER,
    WORD,
    names_of,
)
from bioinstruct_dagster.curation.privacy.names.stretches import Stretch
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import NAMES, cues, last_words
from bioinstruct_dagster.sign_beginnings import BegunPattern

_ITEM = rf"(?:{INITIALS_NAME}|{FULL_NAME}|{WORD})"
_AGE = r"(?:\s?\(\d{1,2}[^)\n]{0,14}\)|,? (?:age|aged) \d{1,2})?"
_AND = r"(?:,? and |,? & |, )"
_RELATIVES_WORDS = cues(NAMES("many_relatives"))
_RELATIVES_HELD = trigger(_RELATIVES_WORDS)
# At least two names, or the age of one.
_RELATIVES = re.compile(
    rf"\b(?i:{names_of('many_relatives')})(?:[,:]? (?:named |called |are |\()?|: ?|,? - )"
    rf"(?P<v>{_ITEM}{_AGE}(?:{_AND}{_ITEM}{_AGE}){{1,5}}|{_ITEM}\s?\(\d{{1,2}}\))(?![\w-])"
)
_PATIENTS_HELD = trigger(last_words(NAMES("many_patients")))
_PERSON = rf"(?:{INITIALS_NAME}|{FULL_NAME})"
_LISTED = r"[(,:–-] ?(?:among them |including |namely )?"
_PATIENTS_HINT = re.compile(rf"{_LISTED}[{UPPER}]")
_PATIENTS = BegunPattern(
    rf"\b(?i:{names_of('many_patients')}) ?{_LISTED}"
    rf"(?P<v>{_PERSON}(?:{_AND}{_PERSON}){{0,5}})(?=\)|,? (?:who|with|were|was)\b)"
)
_ITEMS = re.compile(_ITEM)
_LINK = re.compile(rf"(?:,? and |,? & |/)(?P<v>{_ITEM})(?=[,.;:)?!\n]| [a-z(]|$)")


def listed_names(
    text: ScannedText, stretches: Sequence[Stretch]
) -> Iterator[tuple[int, int, float]]:
    """The names in lists after words for several persons: start, end and score.

    Args:
        text: the text.
        stretches: its parts around two words in capitals; patients are listed by full names.
    """
    if text.marks.held & _RELATIVES_HELD:
        for part in text.parts_around(_RELATIVES_WORDS, 8, 90):
            yield from _listed(_RELATIVES, text.raw, *part)
    if stretches and text.marks.held & _PATIENTS_HELD:
        for stretch in stretches:
            if _PATIENTS_HINT.search(text.raw, stretch.begin, stretch.end):
                yield from _listed(_PATIENTS, text.raw, stretch.begin, stretch.end)


def _listed(
    pattern: re.Pattern[str] | BegunPattern, raw: str, begin: int, finish: int
) -> Iterator[tuple[int, int, float]]:
    for found in pattern.finditer(raw, begin, finish):
        items = [item.span() for item in _ITEMS.finditer(raw, *found.span("v"))]
        if not any(_is_no_name(raw[start:end]) for start, end in items):
            yield from ((start, end, 0.6) for start, end in items)


def joined_names(raw: str, ends: Sequence[int]) -> Iterator[tuple[int, int, float]]:
    """The names that "and" joins to a name that ends at one of `ends`: start, end and score."""
    for end in ends:
        if (match := _LINK.match(raw, end)) and not _is_no_name(match["v"]):
            yield (*match.span("v"), 0.55)


def _is_no_name(name: str) -> bool:
    return not NON_NAME_WORDS.isdisjoint(name.lower().split())
