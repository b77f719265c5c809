"""Codes right behind a short label or a thing that has one: "MR 77-40-218", "log 2011/077".

Belongs here: grouped and lettered codes, extensions, and digits and addresses that are spoken. Does
not: numbers some words away from a thing (numbers), or labels that are always an identifier's
(labels). The words are in `words/noted.yaml`. Every repetition is bounded.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import DOUBTFUL_SCORE, Span
from bioinstruct_dagster.curation.privacy.labelled_numbers import (
    DIGIT_WORDS,
    SPOKEN_DIGITS,
    is_date,
)
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import NOTED, any_of, cues, pieces

_NO_MORE = r"(?![\w%/-]|[.,:]\d|\s?(?:%|mg|ml|mm|cm|patients|years))"
_GROUPS = r"\d{2,6}(?:[-/]\d{2,6}){1,3}(?:-?[A-Z])?"
_SIGNED = r"[A-Z]{1,5}\d{0,4}[-_/](?:[A-Z]{1,4}[-_/])?\d{3,8}(?:[-_/][A-Z0-9]{1,6}){0,2}"
_LETTERED = rf"(?:{_SIGNED}|(?!NCT|CRD|PMC|RBR|EU|CTR)[A-Z]{{1,3}}\d{{6,10}})"
_CODED = re.compile(
    rf"(?<![\w-])(?:{any_of(NOTED('short_record_labels'))})\.?(?:\s?(?:#|[Nn]o\.?|:))?\s(?P<a>{_GROUPS}){_NO_MORE}"
    rf"|(?<![\w-])(?i:{any_of(NOTED('coded_things'))})(?:\s?[:,#]|\s(?:no\.?|number|code|id|ID))?\s(?P<b>{_LETTERED})(?:(?:,|\sand|,\sand|\s&)\s(?P<c>{_LETTERED}))?{_NO_MORE}"
    rf"|(?<![\w-])(?i:{any_of(NOTED('numbered_registers'))})(?:\s?[:,#]|\s(?:no\.?|number|entry))?\s(?P<d>(?:19|20)\d\d/\d{{2,6}}|\d{{2,6}}/\d{{4,7}}){_NO_MORE}"
    # The year, the day of the year and a number: how laboratories count their samples.
    rf"|(?<![\w./-])(?P<e>[012]\d-[0-3]\d\d-\d{{4,6}}){_NO_MORE}"
)
_HINT = re.compile(r"\d[-_/](?:\d|[A-Z])|[A-Z][-_/]\d{3}|[A-Z]\d{6}")
# What stands before a code with a label, and the shape of one without.
_LABEL_WORDS = cues(*map(NOTED, ("short_record_labels", "coded_things", "numbered_registers")))
_LABELS = trigger(_LABEL_WORDS, (f"{word}no" for word in _LABEL_WORDS))
_CODE_SHAPE = re.compile(rb"[A0](?:(?<=0)[-_/][0A]|(?<=A)[-_/]000|(?<=A)0{6})")
_SAMPLE_SHAPE = b"00-000-0000"
_PARTS = 3  # of a date
_LEAST = 6  # digits of a code without letters
_EXTENSION = re.compile(
    r"\b(?i:phon\w{1,4}|call\w{0,3}|dial\w{0,3}|rang|ring|reach\w{0,4}|page[drs]?|pager|desk|nurse|office|ext|extension|at|on|via)"
    r"(?:\s\w{1,10}){0,2}[\s,(:]{1,2}(?P<v>x\s?\d{4,5})(?![\w.,-]\w)(?!\w)"
)
_EXTENSION_HINT = re.compile(r"x(?<=\Wx) ?\d{4}")
_SPOKEN = re.compile(rf"\b{SPOKEN_DIGITS}(?:(?:,? |-){SPOKEN_DIGITS}){{3,15}}\b", re.IGNORECASE)
_ASKED_FOR = re.compile(
    r"\b(?:last four|last 4|social|ssn|phone|cell|mobile|extension|record|chart|member|policy"
    r"|account|id|zip|code|call|reach|number|pin)\b",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"one,? two,? three|three,? two,? one", re.IGNORECASE)
_DOT, _AT, _DIGITS = trigger(("dot",)), trigger(("at",)), trigger(DIGIT_WORDS)
_ASKED_BEFORE, _LONG_SPOKEN, _FEWEST_WORDS = 110, 7, 3
_SPOKEN_ADDRESS = re.compile(
    r"\b[a-z]\w{1,20}(?:\s(?:dot|underscore|dash|hyphen)\s\w{1,20}){0,3}\sat\s(?:\w{1,20}\s){1,4}dot\s(?:com|org|net|edu|co|uk|info|health|care)\b",
    re.IGNORECASE,
)


def noted_code_spans(text: ScannedText) -> Iterator[Span]:
    """The codes of a text, also of a text about many."""
    raw = text.raw
    if text.has_number:
        labelled = text.marks.held & _LABELS and text.may_match(_CODE_SHAPE)
        if labelled or text.has_shape(_SAMPLE_SHAPE):
            yield from _codes(raw)
        if " x" in raw or "(x" in raw:
            yield from _extensions(raw)
    if text.marks.held & _DOT and text.marks.held & _AT:
        for match in _SPOKEN_ADDRESS.finditer(raw):
            yield Span("email", *match.span(), DOUBTFUL_SCORE)
    if text.marks.held & _DIGITS and len(text.words & DIGIT_WORDS) >= _FEWEST_WORDS:
        yield from _spoken(raw)


def _codes(raw: str) -> Iterator[Span]:
    for begin, end in pieces(_HINT, raw, 44, 30):
        for match in _CODED.finditer(raw, begin, end):
            for group, code in match.groupdict().items():
                if code and _is_long(code) and not _is_day(group, code):
                    yield Span("other_id", *match.span(group), DOUBTFUL_SCORE)


def _is_day(group: str, code: str) -> bool:
    """Whether a code is a date; behind a label, two groups of digits are no span of years."""
    return is_date(code) and not (group == "a" and len(re.findall(r"\d+", code)) < _PARTS)


def _is_long(code: str) -> bool:
    return any(map(str.isalpha, code)) or sum(map(str.isdigit, code)) >= _LEAST


def _extensions(raw: str) -> Iterator[Span]:
    for begin, end in pieces(_EXTENSION_HINT, raw, 40, 8):
        for match in _EXTENSION.finditer(raw, begin, end):
            yield Span("phone", *match.span("v"), DOUBTFUL_SCORE)


def _spoken(raw: str) -> Iterator[Span]:
    for match in _SPOKEN.finditer(raw):
        told = sum(word.lower() in DIGIT_WORDS for word in re.findall(r"[A-Za-z]+", match[0]))
        asked = _ASKED_FOR.search(raw, max(0, match.start() - _ASKED_BEFORE), match.start())
        if not _COUNTED.match(match[0]) and (asked or told >= _LONG_SPOKEN):
            yield Span("other_id", *match.span(), DOUBTFUL_SCORE)
