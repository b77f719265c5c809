"""Identifiers that follow a label: a label such as "MRN", then a number.

Belongs here: what may stand between a label and its number, and which numbers identify nobody. Does
not: the labels of each kind (labels, pictures), telephone numbers (telephones), or identifiers that
are recognised by their form alone (recognizers). Every repetition is bounded, so that the time is
linear in the length of the text.
"""

import re
from collections.abc import Iterable, Iterator
from functools import reduce
from math import inf
from operator import or_
from typing import NamedTuple

from bioinstruct_dagster.curation.privacy.kinds import Span
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import CAPITAL, trigger
from bioinstruct_dagster.curation.privacy.vocabulary import (
    LABELS,
    any_of,
    any_shape_of,
    pieces_around,
)
from bioinstruct_dagster.sign_beginnings import BegunPattern

SURE_SCORE = 0.9
DIGIT_WORDS = frozenset(
    ("zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
)
SPOKEN_DIGIT = f"(?:{'|'.join(sorted(DIGIT_WORDS))})"
SPOKEN_DIGITS = f"(?:(?:double |triple )?{SPOKEN_DIGIT})"  # "double four"
# Between a label and its value: a word for "number", punctuation, Markdown, "is".
GAP = r"[^\w\n.;!?]{0,6}"
NUMBER = (
    rf"(?:{any_of(LABELS('number_words'))}|{any_of(LABELS('number_abbreviations'))}\b\.?"
    rf"|{any_of(LABELS('id_abbreviations'))}\b)"
)
_NUMBER_VERB = rf"{any_of(LABELS('number_verbs'))}\b"
# Three digits or more, letters and single separators between them.
VALUE = (
    r"(?P<v>(?=(?:[A-Z./-]{0,7}\d){3})[A-Z0-9]{1,20}(?:[-./][A-Z0-9]{1,20}){0,6}"
    r"(?![A-Za-z0-9]))"
)
# Groups of digits with spaces between them, letters and then digits, or a plain value.
GROUPS = (
    r"(?:(?P<g>(?-i:[A-Z])?\d{3,5}(?:\s\d{3,5}){1,4}|\d{2}(?:\s\d{2}){2,4}|(?-i:[A-Z]{1,3})\s\d{4,10})(?![A-Za-z0-9])"
    rf"|{VALUE})"
)
_LEAST_DIGITS_AFTER_LETTER = 3  # "AB-123" is a number, "123" is not


class LabelledPattern(NamedTuple):
    """A pattern for one kind.

    Attributes:
        kind: the kind of its identifiers.
        words: each text that it matches holds one of them, if there are any.
        pattern: the expression, with a fast search; its group `v` or `g` is the identifier.
        least: fewest digits that make a number.
        score: the score of its spans.
        also: each text that it matches also holds one of them, or a "#", if there are any.
        shape: each text that it matches may match this shape, if there is one.
    """

    kind: str
    words: frozenset[str]
    pattern: BegunPattern
    least: int
    score: float
    also: frozenset[str] = frozenset()
    shape: re.Pattern[bytes] | None = None

    def goes_on(self, text: ScannedText) -> bool:
        """Whether a text also holds a word or the digits that must follow the first word."""
        also = not self.also or "#" in text.raw or text.holds_any(self.also)
        return also and (self.shape is None or text.may_match(self.shape))


class PatternGroup:
    """Patterns that are tried together, with the triggers of the words that a text must hold."""

    def __init__(self, *patterns: LabelledPattern) -> None:
        # Those that need no word come first; each with the trigger of its words.
        ordered = sorted(patterns, key=lambda one: bool(one.words))
        self._patterns = patterns
        self._triggers = [(trigger(one.words) if one.words else ~0, one) for one in ordered]
        self._any = reduce(or_, (words for words, _ in self._triggers))

    def tried(self, text: ScannedText) -> list[LabelledPattern]:
        """The patterns that could match a text, in their order."""
        held = text.marks.held | CAPITAL  # no text lacks the words of a pattern that needs none
        if not held & self._any:
            return []
        return [
            pattern for words, pattern in self._triggers if held & words and pattern.goes_on(text)
        ]


def strong_label(
    kind: str,
    words: frozenset[str],
    label: str,
    *,
    value: str = VALUE,
    least: int = 4,
    also: frozenset[str] = frozenset(),
) -> LabelledPattern:
    """The pattern of a label that always means an identifier; "number" may be missing."""
    pattern = f"{label_pattern(label)}{value}"
    return plain_pattern(kind, words, pattern, least=least, score=SURE_SCORE, also=also)


def weak_label(
    kind: str, words: frozenset[str], label: str, *, value: str = VALUE, least: int = 4
) -> LabelledPattern:
    """The pattern of an ambiguous label; a word for "number", a colon or a # must follow it."""
    pattern = (
        rf"(?<![A-Za-z0-9-])(?:{label})[ \t*_]{{0,4}}(?:\([A-Z ]{{1,12}}\)\s?)?"
        rf"(?:{NUMBER}|#|:)(?:{GAP}{_NUMBER_VERB})?{GAP}{value}"
    )
    return plain_pattern(kind, words, pattern, least=least, score=SURE_SCORE)


def plain_pattern(
    kind: str,
    words: frozenset[str],
    pattern: str,
    *,
    least: int = 0,
    score: float = 0.8,
    also: frozenset[str] = frozenset(),
    shape: bytes = b"",
) -> LabelledPattern:
    """A pattern without a label, whose group `v` is the identifier; always tried if no words."""
    begun = BegunPattern(re.compile(pattern, re.IGNORECASE))
    of_shape = re.compile(shape) if shape else None
    return LabelledPattern(kind, words, begun, least, score, also, of_shape)


def label_pattern(label: str, gap: str = GAP) -> str:
    """The expression for a strong label and for the text between the label and its number."""
    return (
        rf"(?<![A-Za-z0-9-])(?:{label}){gap}"
        rf"(?:{NUMBER})?(?:{gap}{_NUMBER_VERB})?{gap}(?:S/?N\b[ .:#]{{1,3}})?"
    )


# Numbers of public registries and codes of things. None of them identifies a person.
_PUBLIC_NUMBER = re.compile(any_shape_of(LABELS("public_numbers")), re.IGNORECASE)
# Characters before the first digits of a number that may hold its label, and after them.
_LABEL_LENGTH, _VALUE_LENGTH = 80, 160
_DOUBTFUL_KINDS = frozenset(("license", "other_id"))
_BEFORE = 40  # characters before a label that may say whose the number is
_PUBLIC_CUE = re.compile(
    rf"\b{any_of(LABELS('public_number_cues'))}\b[^.;!?\n]{{0,40}}$", re.IGNORECASE
)
_ANIMALS = re.compile(rf"\b{any_of(LABELS('laboratory_animals'))}\b", re.IGNORECASE)
_YEARS_ONLY = re.compile(r"(?:19|20)\d\d(?:[-/](?:19|20)?\d\d)?")
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_DATE = re.compile(rf"(?:19|20)\d\d[-/.]{_DAY}[-/.]{_DAY}|{_DAY}[-/.]{_DAY}[-/.](?:19|20)?\d\d")


def labelled_spans(
    text: ScannedText, patterns: PatternGroup, *, near: bool = False
) -> Iterator[Span]:
    """The spans of the identifiers that the patterns find in a text.

    Args:
        text: the text.
        patterns: the patterns.
        near: whether to try them only around numbers, because each of them needs one.
    """
    tried = patterns.tried(text)
    if not tried:
        return
    if near:
        length = len(text.raw)
        stretches = list(pieces_around(text.numbers, length, _LABEL_LENGTH, _VALUE_LENGTH, inf))
    else:
        stretches = [(0, len(text.raw))]
    for pattern in tried:
        for match in _matches(pattern, text, stretches):
            group = "v" if match["v"] else "g"
            if pattern.kind in _DOUBTFUL_KINDS and _PUBLIC_CUE.search(
                text.raw[max(0, match.start() - _BEFORE) : match.start(group)]
            ):
                continue
            if pattern.kind == "mrn" and _ANIMALS.search(
                text.raw, max(0, match.start() - _BEFORE), match.start(group)
            ):
                continue
            if _is_number(match[group], pattern.least):
                yield Span(pattern.kind, *match.span(group), pattern.score)


def _matches(
    labelled: LabelledPattern, text: ScannedText, stretches: Iterable[tuple[int, int]]
) -> Iterator[re.Match[str]]:
    """The matches in the stretches that hold a word of the pattern; to look for it is faster."""
    held = labelled.words & text.words
    for begin, end in stretches:
        if not held or any(text.lowered.find(word, begin, end) >= 0 for word in held):
            yield from labelled.pattern.finditer(text.raw, begin, end)


def is_date(value: str) -> bool:
    """Whether a value is a date in figures, a year or a span of years."""
    return _DATE.fullmatch(value) is not None or _YEARS_ONLY.fullmatch(value) is not None


def _is_number(value: str, least: int) -> bool:
    if not least:
        return True
    if is_date(value) or _PUBLIC_NUMBER.match(value):
        return False
    digits = sum(map(str.isdigit, value))
    return digits >= (min(least, _LEAST_DIGITS_AFTER_LETTER) if value[0].isalpha() else least)
