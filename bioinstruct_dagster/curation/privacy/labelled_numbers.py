"""Identifiers that clinical notes announce: a label such as "MRN", then a number.

Belongs here: how a label leads to its number, and which numbers identify nobody. Does not: the
labels of each kind (labels, marks), telephone numbers (telephones), nor what is recognised by its
form alone (recognizers). Every repetition is bounded, so that no text takes more than linear time.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from bioinstruct_dagster.curation.privacy.kinds import ScannedText, Span
from bioinstruct_dagster.curation.privacy.vocabulary import LABELS, any_of, any_shape_of

SURE = 0.9
# Between a label and its value: a word for "number", punctuation, Markdown, "is".
GAP = r"[^\w\n.;!?]{0,6}"
NUMBER = (
    rf"(?:{any_of(LABELS('number_words'))}|{any_of(LABELS('number_abbreviations'))}\b\.?"
    rf"|{any_of(LABELS('id_abbreviations'))}\b)"
)
_IS = rf"{any_of(LABELS('number_verbs'))}\b"
# Three digits or more, letters and single separators between them.
VALUE = (
    r"(?P<v>(?=(?:[A-Z./-]{0,7}\d){3})[A-Z0-9]{1,20}(?:[-./][A-Z0-9]{1,20}){0,6}"
    r"(?![A-Za-z0-9]))"
)
# Groups of digits apart, letters and then digits, or a plain value.
GROUPS = (
    r"(?:(?P<g>(?-i:[A-Z])?\d{3,5}(?:\s\d{3,5}){1,4}|(?-i:[A-Z]{1,3})\s\d{4,10})(?![A-Za-z0-9])"
    rf"|{VALUE})"
)
_LETTERED_LEAST = 3  # "AB-123" is a number, "123" is none


class LabelledPattern(NamedTuple):
    """A labelled pattern. One of `words`, if there are any, is in every text that it matches."""

    kind: str
    words: frozenset[str]
    pattern: re.Pattern[str]
    least: int  # fewest digits that make a number
    score: float


def strong(
    kind: str, words: frozenset[str], label: str, *, value: str = VALUE, least: int = 4
) -> LabelledPattern:
    """A label that names nothing but an identifier: the word for "number" may be left out."""
    return _compiled(kind, words, f"{announced(label)}{value}", least, SURE)


def weak(
    kind: str, words: frozenset[str], label: str, *, value: str = VALUE, least: int = 4
) -> LabelledPattern:
    """A label that also means other things: a word for "number", a colon or a # must follow."""
    pattern = (
        rf"(?<![A-Za-z0-9-])(?:{label})[ \t*_]{{0,4}}(?:\([A-Z ]{{1,12}}\)\s?)?"
        rf"(?:{NUMBER}|#|:)(?:{GAP}{_IS})?{GAP}{value}"
    )
    return _compiled(kind, words, pattern, least, SURE)


def plain(
    kind: str, words: frozenset[str], pattern: str, *, least: int = 0, score: float = 0.8
) -> LabelledPattern:
    """A pattern of its own, whose group `v` is the identifier. No words: it is always tried."""
    return _compiled(kind, words, pattern, least, score)


def announced(label: str, gap: str = GAP) -> str:
    """The pattern of a strong label and of what may stand between it and its number."""
    return rf"(?<![A-Za-z0-9-])(?:{label}){gap}(?:{NUMBER})?(?:{gap}{_IS})?{gap}"


def _compiled(
    kind: str, words: frozenset[str], pattern: str, least: int, score: float
) -> LabelledPattern:
    return LabelledPattern(kind, words, re.compile(pattern, re.IGNORECASE), least, score)


# Public registries' numbers and codes for things; none of them points at a person.
_PUBLIC = re.compile(any_shape_of(LABELS("public_numbers")), re.IGNORECASE)
_YEARS = re.compile(r"(?:19|20)\d\d(?:[-/](?:19|20)?\d\d)?")
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_DATE = re.compile(rf"(?:19|20)\d\d[-/.]{_DAY}[-/.]{_DAY}|{_DAY}[-/.]{_DAY}[-/.](?:19|20)?\d\d")


def labelled_spans(text: ScannedText, patterns: tuple[LabelledPattern, ...]) -> Iterator[Span]:
    """The identifiers that the patterns find in a text."""
    for labelled in patterns:
        if labelled.words and not text.says(labelled.words):
            continue
        for match in labelled.pattern.finditer(text.raw):
            group = "v" if match["v"] else "g"
            if _is_number(match[group], labelled.least):
                yield Span(labelled.kind, *match.span(group), labelled.score)


def is_date(value: str) -> bool:
    """Whether a value is a date in figures, a year or a span of years."""
    return _DATE.fullmatch(value) is not None or _YEARS.fullmatch(value) is not None


def _is_number(value: str, least: int) -> bool:
    if not least:
        return True
    if is_date(value) or _PUBLIC.match(value):
        return False
    digits = sum(map(str.isdigit, value))
    return digits >= (min(least, _LETTERED_LEAST) if value[0].isalpha() else least)
