"""Names that are no person's in the text: placeholders, eponyms, authors.

Belongs here: what a name stands for by its form, or by the words around it. Does not: how a name
is found (persons). The words stand in `words/names.yaml`. Every repetition is bounded.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import ScannedText, Span
from bioinstruct_dagster.curation.privacy.vocabulary import NAMES, all_words, any_of

_INITIALS = re.compile(r"(?:[A-Z]\.?|[A-Z]{2,3}|[Xx]{2,6}|[A-Z]\.\s?[A-Z]\.?)")
# A placeholder that no pattern of a name matches: "Patient A", "Mr. X", "Patient #2".
_PATIENT_X = re.compile(
    rf"\b{any_of(NAMES('placeholder_persons'))}\s(?:[A-Z]{{1,2}}\b(?!['’-])\.?|X{{2,5}}\b)"
)
_GIVEN, _FAMILY = NAMES("placeholder_given_names"), NAMES("placeholder_family_names")
_PLACEHOLDER_WORDS = all_words(NAMES("placeholder_persons"), _FAMILY)
_DOES = re.compile(
    rf"\b{any_of(_GIVEN)}\s(?:[A-Z]\.?\s)?{any_of(_FAMILY)}\b"
    rf"|\b{any_of(_FAMILY)}, {any_of(_GIVEN)}\b"
    rf"|\b{any_of(map(str.upper, _FAMILY))}, {any_of(map(str.upper, _GIVEN))}\b"
)
_EPONYM_AFTER = re.compile(
    rf"(?:['’]s?)?\s{any_of(NAMES('eponym_things'))}\b|,?\s{any_of(NAMES('colleagues'))}\b"
)
# Authors, discoverers and the like: of the world, not of a note.
_AUTHORS = re.compile(
    rf"\bauthors?\b[^\n]{{0,400}}$|\b(?:{any_of(NAMES('works_by'))} by"
    rf"|{any_of(NAMES('known_persons'))})\b[^.!?\n]{{0,60}}$",
    re.IGNORECASE,
)


def placeholder_spans(text: ScannedText) -> Iterator[Span]:
    """Placeholders that never identify: "Patient A", "Mr. X", "John Doe"."""
    if not text.says(_PLACEHOLDER_WORDS):
        return
    for pattern in (_PATIENT_X, _DOES):
        for match in pattern.finditer(text.raw):
            yield Span("name", *match.span(), 0.5)


def is_placeholder(name: str) -> bool:
    """Whether a name is one that stands for nobody."""
    return _INITIALS.fullmatch(name) is not None or _DOES.fullmatch(name) is not None


def is_eponym(text: str, end: int) -> bool:
    """Whether the words after a name's end make an eponym or an author of it."""
    return _EPONYM_AFTER.match(text, end) is not None


def is_no_person(text: str, start: int, end: int) -> bool:
    """Whether a name in a text is an eponym, an author or initials."""
    return (
        is_eponym(text, end)
        or _AUTHORS.search(text[max(0, start - 400) : start]) is not None
        or _INITIALS.fullmatch(text[start:end]) is not None
    )
