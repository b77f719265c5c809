"""Where a word in capitals stands right after a word that announces a place or a person.

Belongs here: one quick pass over a text, for all patterns of names, towns and facilities. Does not:
those patterns (names, towns, facilities).
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import NOTED, last_words

# It begins with the capital, because the search for one character is the fastest.
_CAPITAL = re.compile(r"[A-ZÀ-Þ](?<=[a-z,:] .)")
_LONGEST = 18  # letters of a word before a capital
LABEL_WORDS = ("cc", "attn", "attention", "contact", "informant", "c/o")


def _last_words(*lists: Iterable[str]) -> frozenset[str]:
    return frozenset(entry.split()[-1] for entries in lists for entry in entries)


# The last word of what announces a name, a town and a facility.
NAME_WORDS = _last_words(NOTED("before_any_name"), LABEL_WORDS)
TOWN_WORDS = _last_words(NOTED("town_prepositions"))
PLACE_WORDS = frozenset(("at", "to", "from", "in", "by", "near"))
_ANNOUNCING = NAME_WORDS | TOWN_WORDS | PLACE_WORDS | {"as"}
# The triggers of these words right before a capital.
BEFORE_NAME = trigger(last_words(NAME_WORDS, ("as",)))
BEFORE_TOWN, BEFORE_PLACE = trigger(last_words(TOWN_WORDS)), trigger(PLACE_WORDS)


class Capital(NamedTuple):
    """Where a word in capitals begins, and the word before it in small letters."""

    start: int
    before: str


@lru_cache(maxsize=1)
def capitals_of(raw: str) -> tuple[Capital, ...]:
    """The words in capitals of a text after one of the announcing words, in their order."""
    found = []
    for match in _CAPITAL.finditer(raw):
        start = match.start()
        before = raw[max(0, start - _LONGEST) : start].split()
        word = before[-1].strip(",:(").lower() if before else ""
        if word in _ANNOUNCING:
            found.append(Capital(start, word))
    return tuple(found)
