"""How towns, streets, states and postal codes are written, and what a pattern of a place is.

Belongs here: the parts that several patterns share. Does not: any pattern of a place (streets,
abroad, homes, facilities, codes). The words are in `words/places.yaml`.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from bioinstruct_dagster.curation.privacy.regions import state_codes, state_names
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.vocabulary import PLACES, any_of, cues

TOWN_WORD = r"[A-ZÀ-Þ][A-Za-zÀ-ÿ'’.-]{0,24}(?!\w)"
UK_POSTCODE = r"[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}"
STREET, STREET_ABBREVIATION = any_of(PLACES("streets")), any_of(PLACES("street_abbreviations"))
STATE = any_of(state_codes(), state_names())
CITY = rf"(?:{TOWN_WORD})(?:\s(?:{TOWN_WORD}|de|la|of|the|upon|del)){{0,3}}"
ZIP = r"\d{5}(?:-\d{4})?"
UNIT_PART = rf"(?:,?\s{any_of(PLACES('units'))}\.?\s?#?[\w-]{{1,6}})?"
AFTER_STREET = rf"(?:,?\s{CITY})?(?:,?\s{STATE}\b)?(?:,?\s(?:{ZIP}|{UK_POSTCODE})\b)?"
STREET_WORDS = cues(PLACES("streets"), PLACES("street_abbreviations"))


class PlacePattern(NamedTuple):
    """A pattern of a place; its group `v`, or the whole match, is the place.

    A text is read only if it holds one of `words`, or passes `hinted`, and holds one of `also`.

    Attributes:
        pattern: the expression.
        score: the score of its spans.
        words: words, in small letters; empty if `hinted` alone decides.
        hinted: a test of a text that holds none of `words`.
        also: further words; empty for none.
        numbered: whether each match holds a digit.
        parts: gives the parts of a text on which it is tried; the whole text if it is None.
        is_place: tells which matches are places; all of them if it is None.
        of_care: whether it is the place of a hospital, which is no other organization's.
    """

    pattern: re.Pattern[str]
    score: float
    words: frozenset[str]
    hinted: Callable[[ScannedText], bool] | None = None
    also: frozenset[str] = frozenset()
    numbered: bool = False
    parts: Callable[[ScannedText], list[tuple[int, int]]] | None = None
    is_place: Callable[[str, re.Match[str]], bool] | None = None
    of_care: bool = False
