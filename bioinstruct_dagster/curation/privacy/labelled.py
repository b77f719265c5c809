"""Identifiers that clinical notes announce: a label such as "MRN", then a number.

Belongs here: how a label leads to its number, and which numbers are none. Does not: the labels
themselves (labels), nor what is recognised by its form alone (recognizers). Every repetition is
bounded, so that no text takes more than linear time.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from bioinstruct_dagster.curation.privacy.kinds import ScannedText, Span

SURE = 0.9
# Between a label and its value: a word for "number", punctuation, Markdown, "is".
GAP = r"[^\w\n.;!?]{0,6}"
# A telephone number may begin with a bracket or a plus.
PHONE_GAP = r"[^\w\n.;!?(+]{0,6}"
NUMBER = r"(?:numbers?|num\b\.?|nos?\b\.?|nr\b\.?|nbr\b\.?|ids?\b|identifier|identification|code)"
_IS = r"(?:is|was|reads|assigned|ending in)\b"
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
    """A labelled pattern. One of `words` is in every text that it matches."""

    kind: str
    words: frozenset[str]
    pattern: re.Pattern[str]
    least: int  # fewest digits that make a number
    score: float


def strong(
    kind: str, words: str, label: str, *, value: str = VALUE, least: int = 4, gap: str = GAP
) -> LabelledPattern:
    """A label that names nothing but an identifier: the word for "number" may be left out."""
    pattern = rf"(?<![A-Za-z0-9-])(?:{label}){gap}(?:{NUMBER})?(?:{gap}{_IS})?{gap}{value}"
    return _rule(kind, words, pattern, least, SURE)


def weak(
    kind: str, words: str, label: str, *, value: str = VALUE, least: int = 4
) -> LabelledPattern:
    """A label that also means other things: a word for "number", a colon or a # must follow."""
    pattern = (
        rf"(?<![A-Za-z0-9-])(?:{label})[ \t*_]{{0,4}}(?:\([A-Z ]{{1,12}}\)\s?)?"
        rf"(?:{NUMBER}|#|:)(?:{GAP}{_IS})?{GAP}{value}"
    )
    return _rule(kind, words, pattern, least, SURE)


def plain(
    kind: str, words: str, pattern: str, *, least: int = 0, score: float = 0.8
) -> LabelledPattern:
    """A pattern of its own, whose group `v` is the identifier. No words: it is always tried."""
    return _rule(kind, words, pattern, least, score)


def _rule(kind: str, words: str, pattern: str, least: int, score: float) -> LabelledPattern:
    return LabelledPattern(
        kind, frozenset(words.split()), re.compile(pattern, re.IGNORECASE), least, score
    )


# Public registries' numbers and codes for things; none of them points at a person.
_PUBLIC = re.compile(
    r"NCT|PMC|PMID|ISRCTN|EUDRACT|CHICTR|ACTRN|GS[EM]\d|PRJ[A-Z]{2}|SR[APRX]\d|RS\d{4}|CVCL"
    r"|[NX][MPRCGT]_|ENS[A-Z]|UNIPROT|DOI|10\.\d{4}|OMIM|CHEBI|HGNC|ICD|CPT|LOINC|RRID",
    re.IGNORECASE,
)
_YEARS = re.compile(r"(?:19|20)\d\d(?:[-/](?:19|20)?\d\d)?")
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_DATE = re.compile(rf"(?:19|20)\d\d[-/.]{_DAY}[-/.]{_DAY}|{_DAY}[-/.]{_DAY}[-/.](?:19|20)?\d\d")
# Hotlines and the like are everybody's.
TOLL_FREE = re.compile(r"\+?1?[-. (]{0,2}8(?:00|33|44|55|66|77|88)\b")


def labelled_spans(text: ScannedText, rules: tuple[LabelledPattern, ...]) -> Iterator[Span]:
    """What the rules find in a text."""
    for rule in rules:
        if rule.words and not text.says(rule.words):
            continue
        for match in rule.pattern.finditer(text.raw):
            group = "v" if match["v"] else "g"
            if _is_number(match[group], rule):
                yield Span(rule.kind, *match.span(group), rule.score)


def _is_number(value: str, rule: LabelledPattern) -> bool:
    if not rule.least:
        return True
    if _DATE.fullmatch(value) or _PUBLIC.match(value) or _YEARS.fullmatch(value):
        return False
    if rule.kind in {"phone", "fax"} and TOLL_FREE.match(value):
        return False
    digits = sum(map(str.isdigit, value))
    lettered = value[0].isalpha() and rule.kind not in {"phone", "fax"}
    return digits >= (min(rule.least, _LETTERED_LEAST) if lettered else rule.least)
