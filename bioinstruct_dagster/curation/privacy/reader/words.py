"""The words that the reader knows: common ones, medical ones, and the lists of the privacy gate.

Belongs here: which words are known, and which alone are no candidate. Does not: the lists
(`words/`), or the weights (weights).
"""

from functools import lru_cache
from typing import NamedTuple

from bioinstruct_dagster.curation.privacy.names.forms import GIVEN_NAMES, KNOWN_NAMES
from bioinstruct_dagster.curation.privacy.regions import large_words
from bioinstruct_dagster.curation.privacy.vocabulary import (
    LABELS,
    NAMES,
    PLACES,
    READER,
    all_words,
)

FIRST_WORDS = READER("never_first")
LONE_WORDS = (
    READER("never_alone")
    | PLACES("directions_and_peoples")
    | all_words(NAMES("brands_with_titles"))
)
# Words of labels, such as "Guarantor" and "Med Rec".
LABEL_WORDS = all_words(
    NAMES("name_labels"),
    *map(
        LABELS,
        (
            *("record_labels", "record_papers", "insurances", "insurance_papers", "ssn_labels"),
            *("weak_insurance_labels", "account_labels", "license_labels", "other_labels"),
        ),
    ),
)
# Before a name of a common word, and before what is no part of its sentence.
_BEFORE_COMMON, _SENTENCE_ENDS = frozenset(' ("“'), frozenset(("", *".!?:\n;•*-–‖|"))
_LEAST_LETTERS = 3


class KnownWords(NamedTuple):
    """Words in small letters that are no identifiers.

    Attributes:
        small: words that stand in small letters in ordinary texts.
        medical: whole words of medicine.
        drugs: names of drugs.
        beginnings: how further words of medicine begin.
        endings: how further words of medicine end.
    """

    small: frozenset[str]
    medical: frozenset[str]
    drugs: frozenset[str]
    beginnings: tuple[str, ...]
    endings: tuple[str, ...]

    def __hash__(self) -> int:
        """The identity: to hash all words would take longer than what a cache saves."""
        return id(self)


@lru_cache(maxsize=1)
def lone_words(known: KnownWords) -> frozenset[str]:
    """The words in small letters that alone are no candidate, even in capitals."""
    return (
        (known.small - GIVEN_NAMES)
        | ((known.medical | known.drugs) - KNOWN_NAMES)
        | FIRST_WORDS
        | LONE_WORDS
        | (LABEL_WORDS - GIVEN_NAMES)
    )


def is_common_name(raw: str, start: int, word: str, known: KnownWords) -> bool:
    """Whether a common word stands in capitals within a sentence, as the name "Hope" may.

    Args:
        raw: the text.
        start: where the word begins.
        word: the word.
        known: the words that are known.
    """
    low = word.lower()
    return (
        len(low) >= _LEAST_LETTERS
        and word[1:].islower()
        and raw[start - 1 : start] in _BEFORE_COMMON
        and raw[start - 2 : start - 1] not in _SENTENCE_ENDS
        and low in known.small
        and low not in known.medical
        and low not in known.drugs
        and low not in FIRST_WORDS
        and low not in LONE_WORDS
        and low not in LABEL_WORDS
        and low not in large_words()
        and not low.startswith(known.beginnings)
    )
