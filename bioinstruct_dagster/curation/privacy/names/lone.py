"""Known given names that stand alone: "Dolores takes it at night", "with Tobias", "How are you?".

Belongs here: where such a name stands, and the words around it that make it something else. Does
not: names that other words announce (announced, spoken) or that stand in lists (joined).
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.names.forms import FAMILY_NAMES, GIVEN_NAMES, LOWER, UPPER
from bioinstruct_dagster.curation.privacy.regions import state_names
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import NAMES, NAMES_ABROAD, any_of, places_of

# A rarer name that is a family name too may be an author or a place.
_LONE_NAMES = (GIVEN_NAMES - (NAMES_ABROAD("given_names_abroad") & FAMILY_NAMES)) - NAMES(
    "not_lone_names"
)
_LONE = trigger(_LONE_NAMES)
_SHORTEST = 4  # letters; "Ana" and "Tam" are abbreviations and words too
# A word in capitals right before or after makes it a part of a longer name, of a place or a thing.
_BEFORE = re.compile(
    rf"(?:^|(?<!\bSt)[\n.?!:;,(\"“*]\s{{0,3}}|(?<![{UPPER}])\b(?!(?i:{any_of(NAMES('before_places'))})\b)"
    rf"[{LOWER}'’]{{2,20}} |\b[IA] |\b{any_of(NAMES('before_lone_names'))} )$"
)
_AFTER = re.compile(
    rf"(?=[.,;:?!)\n]|$|['’]s\b| (?!{any_of(NAMES('not_after_names'))}\b)[{LOWER}(]| I\b)"
    rf"(?!, (?:{any_of(state_names())})\b)"
    r"(?!, (?:[A-Z]{2}\b|[A-Z][a-z]+ (?:19|20)\d\d)|\s?\((?:19|20)\d\d)"
)


def lone_names(text: ScannedText) -> Iterator[tuple[int, int, float]]:
    """Known given names in capitals without a family name: start, end and score."""
    for word in text.words & _LONE_NAMES if text.marks.capitalized & _LONE else ():
        if len(word) < _SHORTEST:
            continue
        name = word.capitalize()
        for start in places_of(text.raw, name):
            end = start + len(name)
            if _AFTER.match(text.raw, end) and _BEFORE.search(text.raw, max(0, start - 24), start):
                yield start, end, 0.6
