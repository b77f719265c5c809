"""Telephone and fax numbers: found by cheap patterns, checked by the library phonenumbers.

Patterns find numbers after a label such as "Tel.", after a plus, and in the North American form.
The library then checks whether a country uses numbers of that length, and whether the number is a
hotline, which identifies nobody. It does not search whole texts, for two reasons: it takes
milliseconds a text, and it takes laboratory values and codes for telephone numbers.

Belongs here: these patterns and checks. Does not: the labels (`words/labels.yaml`), or how a label
leads to its number (labelled_numbers).
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from bioinstruct_dagster.curation.privacy.kinds import Span
from bioinstruct_dagster.curation.privacy.labelled_numbers import (
    SURE_SCORE,
    LabelledPattern,
    is_date,
    label_pattern,
    plain_pattern,
)
from bioinstruct_dagster.curation.privacy.organizations import is_organizations
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import LABELS, any_of, cues

# A telephone number may begin with a bracket or a plus.
_GAP = r"[^\w\n.;!?(+]{0,6}"
_CALL_WORDS = (
    rf"\.?(?:[ \t](?:\w{{1,12}}['’]?\w?[ \t]){{0,4}}{any_of(LABELS('phone_links'))}"
    rf"|\s?\([a-z]{{1,8}}\))?{_GAP}"
)
_EXTENSION = rf"(?:,?\s?{any_of(LABELS('phone_extensions'))}\.?\s?\d{{1,5}})?"
# Separators between groups of digits, and the groups. Only after a plus may a group have one digit,
# since "pH 7.12 (7.32-7.42)" is no telephone number. No repetition takes more than linear time.
_SEPARATOR = r"(?:[ /-]|\.(?=\d)|\s-\s|(?<=\))){1,2}+"
_WITH_PLUS = rf"\+\(?\d{{1,15}}+\)?(?:{_SEPARATOR}\(?\d{{1,12}}+\)?){{0,6}}"
_WITHOUT_PLUS = rf"\(?\d{{1,10}}+\)?(?:{_SEPARATOR}\(?\d{{2,8}}+\)?){{0,5}}"
_NUMBER = rf"(?P<v>(?:{_WITH_PLUS}|{_WITHOUT_PLUS}){_EXTENSION})(?!\w)"
_FAX = rf"{any_of(LABELS('fax_labels'))}(?:\s{any_of(LABELS('fax_fillers'))}){{0,4}}"
_LEAST_DIGITS = 7  # digits of a number after a label
_LABELLED_NUMBERS = (
    plain_pattern(
        "fax",
        cues(LABELS("fax_labels")),
        label_pattern(_FAX, _GAP) + _NUMBER,
        least=_LEAST_DIGITS,
        score=SURE_SCORE,
    ),
    plain_pattern(
        "phone",
        cues(LABELS("phone_labels")),
        label_pattern(any_of(LABELS("phone_labels")), _GAP) + _CALL_WORDS + _NUMBER,
        least=_LEAST_DIGITS,
        score=SURE_SCORE,
    ),
)
_NORTH_AMERICAN_NUMBER = re.compile(
    r"(?<![\w.,/-])(?P<v>(?:\+?1[-. ]?)?(?:\(\d{3}\)\s?|\d{3}[-. ])\d{3}[-. ]\d{4}"
    rf"{_EXTENSION})(?![\w/-]|\.\d)",
    re.IGNORECASE,
)
# A hotline's number with an extension leads to somebody.
_WITH_EXTENSION = re.compile(r"(?:ext|extn|extension|x)\.?\s?\d{1,5}$", re.IGNORECASE)
# "bleep 4471", "ext. 4471": numbers within a hospital.
_INTERNAL_WORDS = trigger(("bleep", "pager", "beeper", "ext", "extn", "extension"))
_INTERNAL_NUMBER = re.compile(
    r"\b(?:(?i:bleep|pager|beeper)(?:\s(?i:no\.?|number|is|on))?[\s:#]{1,3}"
    r"|(?i:ext|extn|extension)(?:\.\s?|\s#?|:\s?)(?:(?i:no\.?|number)\s)?)(?P<v>\d{3,5})(?![\w°%-]|[.,]\d|\s(?:deg|cm|mm|years))"
)
# "call daughter @ 6175550142", "M: 98450 14471", "my number is 555-0142".
_SAID_NUMBER = re.compile(
    r"(?:@\s|\bnumber\sstill\s|\b(?i:mob|m|t|ph|p|h|c|w)[.:]{1,2}\s?|\b(?i:number(?:['’]s|\sis)|it['’]s)\s)"
    r"(?P<v>\d{10}|\d{5}[ -]\d{5,6}|\d{3}[ -]\d{4}|\d(?: \d){6,11})(?![\w/%-]|[.,]\d)"
)
# "0161 496 0123", "020 7946 0958", "01 42 68 53 00": a country must use the number.
_TRUNK_NUMBER = re.compile(
    r"(?<![\w.,/-])(?P<v>\(?0\d{1,4}\)?[ -]\d{2,4}(?:[ -]\d{2,4}){1,3})(?![\w/%-]|[.,]\d)"
)
_TRUNK_REGIONS = ("GB", "AU", "FR", "DE", "IE", "NZ", "ZA", "IN")
_INTERNATIONAL_NUMBER = re.compile(r"(?<!\w)(?=\+\d{1,3}[ .(-]?\d)" + _NUMBER, re.IGNORECASE)

# Regions whose rules apply to a number without a country code; the first that allows it decides.
# The texts are English. Germany's numbers have no fixed length, so its rules also allow the numbers
# of other countries. No North American number begins with 0.
_NORTH_AMERICA, _ELSEWHERE = ("US",), ("GB", "DE")
# Also matches invented hotlines such as 800-123-4567, which the rules of no country allow.
_TOLL_FREE_NUMBER = re.compile(r"\+?1?[-. (]{0,2}8(?:00|33|44|55|66|77|88)\b")
# Text after a number that is no part of it: "call 937-555-0142 20 times", or a second number.
_TEXT_AFTER_NUMBER = re.compile(r"(?<=[\d)])(?:\D{1,2}\d{1,3}|/[\d ().-]{7,})$")


def telephone_spans(text: ScannedText) -> Iterator[Span]:
    """The telephone and fax numbers of a text, without those of organizations."""
    if text.has_digit and text.marks.held & _INTERNAL_WORDS:
        for match in _INTERNAL_NUMBER.finditer(text.raw):
            yield Span("phone", *match.span("v"), SURE_SCORE)
    if text.has_number and (text.has_long_number or "+" in text.raw):
        for span in _all_spans(text):
            if not is_organizations(text.raw, span.start, span.end):
                yield span


def _all_spans(text: ScannedText) -> Iterator[Span]:
    if text.has_long_number:
        for labelled in _LABELLED_NUMBERS:
            if text.holds_any(labelled.words):
                yield from _labelled_spans(text.raw, labelled)
        yield from (
            Span("phone", *match.span("v"), 0.8) for match in _SAID_NUMBER.finditer(text.raw)
        )
        for pattern, is_telephone in _BARE_NUMBERS:
            for match in pattern.finditer(text.raw):
                if is_telephone(match["v"]):
                    yield Span("phone", *match.span("v"), 0.8)
    if "+" in text.raw:
        for match in _INTERNATIONAL_NUMBER.finditer(text.raw):
            if number := _international_number(match["v"]):
                yield Span("phone", match.start(), match.start() + len(number), 0.8)


def _labelled_spans(text: str, labelled: LabelledPattern) -> Iterator[Span]:
    for match in labelled.pattern.finditer(text, 0, len(text)):
        if number := _labelled_number(match["v"], labelled.least):
            start = match.start("v")
            yield Span(labelled.kind, start, start + len(number), labelled.score)


def _is_north_american(number: str) -> bool:
    """Whether a number in the North American form is one, and no hotline."""
    from phonenumbers import is_valid_number

    parsed = _parse(number, _NORTH_AMERICA)
    # "400 900 1800" are three numbers, unless North America uses the number.
    spaced = " " in number.strip("()") and ")" not in number
    if not parsed or (spaced and not is_valid_number(parsed)):
        return False
    return not _is_hotline(number, parsed)


def _labelled_number(found: str, least: int) -> str:
    """The part of the text after a label that is a telephone number; "" if there is none."""
    if is_date(found):
        return ""
    trunk = found.lstrip("(").startswith("0")
    for regions in (_ELSEWHERE,) if trunk else (_NORTH_AMERICA, _ELSEWHERE):
        for number in _readings(found):
            parsed = _parse(number, regions)
            if parsed and sum(map(str.isdigit, number)) >= least:
                return "" if is_date(number) or _is_hotline(number, parsed) else number
    return ""


def _international_number(found: str) -> str:
    """The part of a text after a plus that is a valid number; "" if there is none."""
    from phonenumbers import is_valid_number

    for number in _readings(found):
        # For a number with a country code, the library ignores the region.
        parsed = _parse(number, _NORTH_AMERICA)
        if parsed and is_valid_number(parsed):
            return "" if _is_hotline(number, parsed) else number
    return ""


def _is_in_use(number: str) -> bool:
    """Whether a number with a leading zero is valid in a country, and no hotline there."""
    from phonenumbers import NumberParseException, is_valid_number, parse

    for region in _TRUNK_REGIONS:
        try:
            parsed = parse(number, region)
        except NumberParseException:
            continue
        if is_valid_number(parsed):
            return not _is_hotline(number, parsed)
    return False


# Numbers that are known by their form alone, and the check of each form.
_BARE_NUMBERS: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = (
    (_NORTH_AMERICAN_NUMBER, _is_north_american),
    (_TRUNK_NUMBER, _is_in_use),
)


def _readings(number: str) -> Iterator[str]:
    """The number as found, then without a count or a second number at its end."""
    yield number
    if after := _TEXT_AFTER_NUMBER.search(number):
        yield number[: after.start()]


def _parse(number: str, regions: tuple[str, ...]) -> Any:
    """The number as the library reads it, by the first region that allows its length, or None.

    Args:
        number: the number.
        regions: their rules apply if the number has no country code.
    """
    from phonenumbers import NumberParseException, is_possible_number, parse

    for region in regions:
        try:
            parsed = parse(number, region)
        except NumberParseException:
            continue
        if is_possible_number(parsed):
            return parsed
    return None


def _is_hotline(number: str, parsed: Any) -> bool:
    from phonenumbers import PhoneNumberType, number_type

    if _WITH_EXTENSION.search(number):
        return False
    return _TOLL_FREE_NUMBER.match(number) is not None or number_type(parsed) in {
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
    }
