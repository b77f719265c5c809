"""What is seen of one word: its letters, its form, and the lists that hold it.

Belongs here: features of a word alone. Does not: features of a candidate in its text (features).
"""

import re
from functools import lru_cache

from bioinstruct_dagster.curation.privacy.names.forms import FAMILY_NAMES, GIVEN_NAMES
from bioinstruct_dagster.curation.privacy.reader.words import KnownWords
from bioinstruct_dagster.curation.privacy.vocabulary import (
    DATES,
    LABELS,
    NAMES,
    NOTED,
    PLACES,
    READER,
    TOWNS,
    all_words,
)

_RUN_OF = re.compile(r"(.)\1+")
_STREETS = PLACES("streets") | PLACES("street_abbreviations")
# What a word before or after a candidate is.
_CLASSES: tuple[tuple[str, frozenset[str]], ...] = (
    ("relative", all_words(NAMES("relatives"))),
    ("staff", all_words(NAMES("staff"))),
    ("title", all_words(NAMES("titles"), NAMES("title_abbreviations"))),
    ("announcer", NOTED("before_any_name") | NAMES("name_announcers")),
    ("town_before", NOTED("town_prepositions")),
    ("facility", NOTED("facility_types") | NOTED("weak_facility_types")),
    ("life", NOTED("life_words")),
    ("living", all_words(PLACES("living"))),
    ("care_verb", all_words(PLACES("care_verbs"))),
    ("person_verb", all_words(NAMES("person_verbs"), NAMES("speaking_verbs"))),
    ("name_label", all_words(NAMES("name_labels"))),
    ("month", READER("months")),
    ("weekday", READER("weekdays")),
    ("unit", DATES("units_after_numbers") | NOTED("quantities_after")),
    ("quantity", NOTED("quantities_before")),
    ("numbered", NOTED("identified_things")),
    (
        "label",
        all_words(LABELS("record_labels"), LABELS("other_labels"), LABELS("weak_record_labels")),
    ),
    ("phone", all_words(LABELS("phone_labels"), LABELS("fax_labels"))),
    ("eponym", NAMES("eponym_things")),
    ("study", NOTED("studies")),
    ("group", NOTED("groups") | DATES("many_persons")),
    ("credential", frozenset(map(str.lower, NAMES("credentials")))),
    ("event", all_words(DATES("events"), DATES("births"))),
)
# The lists that may hold a word of a candidate.
_LISTS: tuple[tuple[str, frozenset[str]], ...] = (
    ("facility_type", all_words(NOTED("facility_types"))),
    (
        "weak_type",
        all_words(
            NOTED("weak_facility_types"),
            map(str.lower, NOTED("capital_facility_types")),
            NOTED("named_types_abroad"),
        ),
    ),
    ("town", TOWNS("town_words")),
    ("facility_name", frozenset(map(str.lower, NOTED("known_facilities")))),
    ("street", frozenset(map(str.lower, _STREETS))),
    ("not_name", NAMES("not_names") | NOTED("not_named")),
    ("not_lone", NAMES("not_lone_names")),
    ("not_town", NOTED("not_towns")),
    ("not_facility", NOTED("not_facility_names")),
    ("given", GIVEN_NAMES),
    ("family", FAMILY_NAMES),
)


class WordSigns:
    """What is seen of words by the lists and by the words that are known; each word once."""

    def __init__(self, known: KnownWords) -> None:
        self.known = known
        self.lists = lru_cache(maxsize=8192)(self._lists)
        self.features = lru_cache(maxsize=8192)(self._features)
        self.seen = lru_cache(maxsize=8192)(self._seen)

    def _lists(self, word: str) -> tuple[str, ...]:
        known = self.known
        found = [name for name, words in _LISTS if word in words]
        if word in known.drugs:
            found.append("drug")
        if word in known.medical or word.startswith(known.beginnings):
            found.append("medical")
        if word[2:].endswith(known.endings):
            found.append("medical_ending")
        return tuple(found)

    def _features(self, word: str) -> tuple[tuple[str, ...], str]:
        """The features of a word of a candidate as it stands there, and a letter for its kind."""
        low = plain(word)
        lists = self.lists(low)
        known = low in self.known.small
        found = [f"w={low}", *(f"in={name}" for name in lists)]
        if not known:
            found += (f"end3={low[-3:]}", f"end2={low[-2:]}", f"begin3={low[:3]}")
        return tuple(found), _code(word, low, lists, known=known)

    def _seen(self, word: str) -> str:
        """A word beside a candidate: in small letters; an unknown one and figures by their form."""
        if word[0].isdecimal():
            return f"<{form_of(word)}>" if len(word) <= _LONG else "<9>"
        low = word.lower()
        if word[0].isalpha() and low not in self.known.small and not classes_of(low):
            return "<Aa>" if word[0].isupper() else "<a>"
        return low


_LONG = 5  # signs of a number whose form tells what it is


def _code(word: str, low: str, lists: tuple[str, ...], *, known: bool) -> str:
    """A letter for the kind of a word of a candidate; the first that fits."""
    kinds = (
        ("T", "facility_type" in lists),
        ("R", "street" in lists),
        ("I", len(low) == 1),
        ("D", "drug" in lists),
        ("M", "medical" in lists),
        ("n" if known else "N", "given" in lists or "family" in lists),
        ("t", "town" in lists),
        ("k", known),
        ("m", "medical_ending" in lists),
        ("A", word.isupper()),
    )
    return next((letter for letter, fits in kinds if fits), "u")


@lru_cache(maxsize=8192)
def classes_of(word: str) -> tuple[str, ...]:
    """What a word beside a candidate is, by the lists; the word is in small letters."""
    return tuple(name for name, words in _CLASSES if word in words)


@lru_cache(maxsize=8192)
def plain(word: str) -> str:
    """A word in small letters, without the ending of a possessive."""
    low = word.lower()
    return low[:-2] if low.endswith(("'s", "’s")) else low.rstrip("'’")


@lru_cache(maxsize=8192)
def form_of(word: str) -> str:
    """The form of a word: each run of capitals, small letters or digits is one sign."""
    return _RUN_OF.sub(r"\1", long_form_of(word))


@lru_cache(maxsize=8192)
def long_form_of(word: str) -> str:
    """The form with a sign for each letter and digit: `9999-99-99`."""
    return "".join(
        "9" if sign.isdecimal() else "A" if sign.isupper() else "a" if sign.isalpha() else sign
        for sign in word
    )
