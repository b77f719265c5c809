"""Codes and dates that are no plain run of figures: "PIC/NEPH/3317", "30 IX 1950", "C dash 3391".

Belongs here: forms that the pass over runs of words and figures breaks or takes for a value, each
behind a cheap test of the text. Does not: whether one is an identifier (features, weights).
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.old_ages.told import ONES
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.vocabulary import READER, all_words, any_of

# "PIC/NEPH/3317", "IM 77/4093", "KMH 2019-3356": capitals before what alone reads as a value.
_CODE = re.compile(
    r"\b[A-Z]{2,6}(?:/[A-Z\d]{1,6}){0,3}/\d[\w-]{2,12}\b(?!/)"
    r"|\b[A-Z]{2,6}\.?[ #:]{1,2}(?!(?:19|20)\d\d[-–/](?:19|20)\d\d\b)"
    r"(?:\d{2,4}[-/]\d{3,5}(?:-\d{1,4})?|\d{4}[-/]\d\d|\d{2},\d{3})\b(?![-/.,]?\d)"
)
_CODE_SHAPES = b"AA/", b"AA 0", b"AA. 0", b"AA #0", b"AA: 0", b"AA#0"
# Plates whose letters and digits are apart: "YK07 QXJ", "L-RK 8304".
_PLATE = re.compile(
    r"\b(?:[A-Z]{2}\d\d [A-Z]{3}|[A-Z]{1,3}-[A-Z]{1,2} \d{2,4}|[A-Z]{2,3} \d{2,3} [A-Z]{2}"
    r"|\d[A-Z]{2,3} \d[A-Z]{2,3})\b"
)
_PLATE_SHAPES = b"AA00 AAA", b"-A 00", b"-AA 00", b"AA 00 AA", b"AA 000 AA", b"0AA 0AA"
_ROMAN = r"(?:x?i{1,3}|i[vx]|vi{0,3}|xi{0,2}|X?I{1,3}|I[VX]|VI{0,3}|XI{0,2})"
_ROMAN_DATE = re.compile(
    rf"(?<![\w/.-])(?:[0-3]?\d[ ./-]{{1,2}}{_ROMAN}[ ./-]{{1,2}}(?:(?:19|20)\d\d|\d\d\b)"
    rf"|{_ROMAN}/[0-3]?\d(?:/(?:19|20)?\d\d)?|[0-3]?\d-{_ROMAN}"
    rf"|{_ROMAN}\.{_ROMAN}\.(?:19|20)\d\d)(?![\w/-])"
)
_ROMAN_SIGNS = re.compile(r"[ivxIVX\d](?:(?<!\d)[./ -]\d|(?<=\d)-[ivxIVX])")
# "since 29.3." and "by 15 dic."
_PLAIN_DATE = re.compile(
    r"[1-9](?<![\w.,/-].)(?:(?<=[12])\d|(?<=3)[01]|(?!\d))(?:\.(?:0?[1-9]|1[0-2])(?![\w%/-]|\.\d)\.?"
    rf"| (?i:{any_of(READER('months'))})\b\.?)"
)
_BEFORE_DATE = frozenset(
    ("on", "since", "from", "until", "till", "by", "am", "vom", "seit", "bis", "del", "le", "el")
) | {"of", "dated", "left", "admitted", "seen", "dob"}
_ORDINAL = any_of(READER("ordinals"))
# The first ones mostly count other things.
_ORDINAL_WORDS = READER("ordinals") - {"first", "second", "third"}
_SPOKEN_DAY = re.compile(
    rf"\b(?:{any_of(READER('weekdays'))})[, ]{{1,2}}the (?:{_ORDINAL}|\d\d?(?:st|nd|rd|th))\b"
    rf"|\b(?:the )?{_ORDINAL} of the {_ORDINAL}\b"
    rf"|(?:(?<=\bon )|(?<=\bsince ))the (?!first\b|second\b){_ORDINAL}\b"
    r"(?= (?:and|at|with|again|inst|ult|prox)\b|[.,;?!\n])"
)
_SMALL_NUMBER = f"{ONES}|ten|eleven|twelve"
_TEEN = "thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_TENS = "thirty|forty|fifty|sixty|seventy|eighty|ninety"
_SPOKEN_DATE = re.compile(
    rf"\b(?:{_SMALL_NUMBER}|{_TEEN}|twenty|thirty)(?:[ -]{ONES})?[,/ ]{{1,2}}(?:of )?"
    rf"(?:{_SMALL_NUMBER}|{_TEEN}|twenty|thirty)(?:[ -]{ONES})?[,/ ]{{1,2}}"
    rf"(?:nineteen[ -]|two thousand (?:and )?|twenty[ -])?"
    rf"(?:(?:{_TENS}|oh)(?:[ -]{ONES})?)\b(?! (?:percent|milli|m g|mg))"
)
_TENS_WORDS = frozenset(_TENS.split("|")) | {"oh"}
_NUMBER_WORDS = all_words((_SMALL_NUMBER, _TEEN))
# "447 dash 2280", "C dash 3391".
SIGN_WORDS = frozenset(("dash", "slash", "hyphen"))
_SAID = (
    rf"(?:\d{{1,6}}|[a-z]\d{{0,4}}|[a-z]{{2}}(?= \d|(?: (?:{ONES}|zero|oh)\b))"
    rf"|{ONES}|zero|oh|double|triple)"
)
_SPOKEN_CODE = re.compile(
    rf"\b{_SAID}(?:[ ,]{{1,2}}{_SAID}){{0,9}} (?:dash|slash|hyphen)"
    rf"(?:[ ,]{{1,2}}(?:{_SAID}|dash|slash|hyphen)){{1,12}}\b"
)


def told_figures(text: ScannedText) -> Iterator[tuple[int, int]]:
    """Where such codes and dates stand.

    Args:
        text: the text.
    """
    raw = text.raw
    if text.has_digit:
        if text.has_shape(*_CODE_SHAPES):
            yield from (match.span() for match in _CODE.finditer(raw))
        if text.has_shape(*_PLATE_SHAPES):
            yield from (match.span() for match in _PLATE.finditer(raw))
        if _ROMAN_SIGNS.search(raw):
            yield from (match.span() for match in _ROMAN_DATE.finditer(raw))
        for match in _PLAIN_DATE.finditer(raw):
            start = match.start()
            before = raw[max(0, start - 12) : start].lower().split()
            # "24.6." is a day by its last dot, too.
            if before and (before[-1].strip("(,:") in _BEFORE_DATE or match[0].count(".") > 1):
                yield match.span()
    words = text.words
    if "the" in words and not words.isdisjoint(_ORDINAL_WORDS):
        yield from (match.span() for match in _SPOKEN_DAY.finditer(text.lowered))
    if not words.isdisjoint(_TENS_WORDS) and not words.isdisjoint(_NUMBER_WORDS):
        yield from (match.span() for match in _SPOKEN_DATE.finditer(text.lowered))
    if not words.isdisjoint(SIGN_WORDS):
        yield from (match.span() for match in _SPOKEN_CODE.finditer(text.lowered))
