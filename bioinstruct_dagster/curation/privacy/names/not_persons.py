"""Names that stand for no person: placeholders, eponyms, authors.

Belongs here: recognising such a name by its form or by the words around it. Does not: finding names
(persons). The words are in `words/names.yaml`. Every repetition is bounded.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import Span
from bioinstruct_dagster.curation.privacy.texts import ScannedText, shape_of
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import NAMES, all_words, any_of

# Letters, runs of letters ("ABCD", "XYZ", "Xxxx"), "Sample".
_INITIALS = re.compile(
    r"(?:[A-Z]\.?|[A-Z]{2,3}|ABCDE?F?|WXYZ|[Xx]{2,6}|[Yy]{2,6}|[Zz]{2,6}|Sample|LastName|FirstName|Surname"
    r"|[A-Z]\.\s?(?:[A-Z]\.?|[A-Z][a-z]?))"
)
# Placeholders that no pattern of a name matches: "Patient A", "Mr. X", "Patient #2".
_PATIENT_X = re.compile(
    rf"\b{any_of(NAMES('placeholder_persons'))}\s(?:[A-Z]{{1,2}}\b(?!['’-])\.?|X{{2,5}}\b)"
)
# Each text that the pattern matches holds one of these shapes.
_PATIENT_SHAPES = tuple({shape_of(f"{entry} A") for entry in NAMES("placeholder_persons")})
_DOE_GIVEN, _DOE_FAMILY = (
    NAMES("placeholder_given_names"),
    NAMES("placeholder_family_names"),
)
_PLACEHOLDERS = trigger(all_words(NAMES("placeholder_persons"), _DOE_FAMILY))
_BEFORE_LETTER = trigger(all_words(NAMES("placeholder_persons")))
_DOE_HELD = trigger(all_words(_DOE_FAMILY))
_JOHN_DOE = re.compile(
    rf"\b{any_of(_DOE_GIVEN)}\s(?:[A-Z]\.?\s)?{any_of(_DOE_FAMILY)}\b"
    rf"|\b{any_of(_DOE_FAMILY)}, {any_of(_DOE_GIVEN)}\b"
    rf"|\b{any_of(map(str.upper, _DOE_FAMILY))}, {any_of(map(str.upper, _DOE_GIVEN))}\b"
)
# Further names may stand before the thing: "Allan Herndon Dudley syndrome".
_EPONYM_AFTER = re.compile(
    r"(?:(?:[ ](?:and[ ])?|[-–])[A-ZÀ-Þ][\w'’-]{1,20}){0,3}(?:['’]s?)?"
    rf"\s(?i:{any_of(NAMES('eponym_things'))})\b|,?\s{any_of(NAMES('colleagues'))}\b"
)
# Words before the name of an author, a discoverer or another publicly known person.
_AUTHORS = re.compile(
    rf"\bauthors?\b[^\n]{{0,400}}$|\b(?:{any_of(NAMES('works_by'))} by"
    rf"|{any_of(NAMES('known_persons'))})\b[^.!?\n]{{0,60}}$",
    re.IGNORECASE,
)


_CLINICIAN_BEFORE = re.compile(rf"\b{any_of(NAMES('clinician_titles'))}\.?\s$")


def placeholder_spans(text: ScannedText) -> Iterator[Span]:
    """Placeholders in a text, which never identify: "Patient A", "Mr. X", "John Doe"."""
    marks = text.marks
    if not marks.held & _PLACEHOLDERS:
        return
    if marks.before_capital & _BEFORE_LETTER and text.has_shape(*_PATIENT_SHAPES):
        for match in _PATIENT_X.finditer(text.raw):
            yield Span("name", *match.span(), 0.5)
    if marks.held & _DOE_HELD:
        for match in _JOHN_DOE.finditer(text.raw):
            yield Span("name", *match.span(), 0.5)


def is_placeholder(name: str) -> bool:
    """Whether a name is a placeholder: initials, or a name such as "John Doe"."""
    return _INITIALS.fullmatch(name) is not None or _JOHN_DOE.fullmatch(name) is not None


def is_eponym(text: str, end: int) -> bool:
    """Whether the words after the end of a name make the name an eponym or an author."""
    return _EPONYM_AFTER.match(text, end) is not None


def is_clinician(text: str, start: int) -> bool:
    """Whether a title makes the name that begins at `start` a clinician's."""
    return _CLINICIAN_BEFORE.search(text[max(0, start - 12) : start]) is not None


def is_no_person(text: str, start: int, end: int, *, titled: bool = False) -> bool:
    """Whether a name in a text is an eponym, an author or initials; no author has a title."""
    return (
        is_eponym(text, end)
        or (not titled and _AUTHORS.search(text[max(0, start - 400) : start]) is not None)
        or _INITIALS.fullmatch(text[start:end]) is not None
    )
