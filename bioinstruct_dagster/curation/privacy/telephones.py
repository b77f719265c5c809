"""Telephone and fax numbers: found by cheap patterns, checked by the library phonenumbers.

Belongs here: where a number may stand (after a label such as "Tel.", after a plus, in the North
American form), and what the library must say of it. Does not: the labels (`words/labels.yaml`).
The library could search whole texts, but it takes milliseconds a text, and without a label it takes
laboratory values and codes for telephones. So it only checks the numbers that a pattern found:
whether a country uses numbers of that length, and whether the number is a hotline, which is
nobody's.
"""

import re
from collections.abc import Iterator
from typing import Any

from bioinstruct_dagster.curation.privacy.kinds import ScannedText, Span
from bioinstruct_dagster.curation.privacy.labelled_numbers import (
    SURE,
    LabelledPattern,
    announced,
    is_date,
    plain,
)
from bioinstruct_dagster.curation.privacy.vocabulary import LABELS, any_of, cues

# A telephone number may begin with a bracket or a plus.
_GAP = r"[^\w\n.;!?(+]{0,6}"
_CALL = (
    rf"\.?(?:[ \t](?:\w{{1,12}}['’]?\w?[ \t]){{0,4}}{any_of(LABELS('phone_links'))}"
    rf"|\s?\([a-z]{{1,8}}\))?{_GAP}"
)
_EXTENSION = rf"(?:,?\s?{any_of(LABELS('phone_extensions'))}\.?\s?\d{{1,5}})?"
# Between groups of digits, and a group: of one digit only after a plus, as "pH 7.12 (7.32-7.42)" is
# no number of anybody's. No repetition takes more than linear time.
_BETWEEN = r"(?:[ /-]|\.(?=\d)|\s-\s|(?<=\))){1,2}+"
_WITH_PLUS = rf"\+\(?\d{{1,15}}+\)?(?:{_BETWEEN}\(?\d{{1,12}}+\)?){{0,6}}"
_WITHOUT_PLUS = rf"\(?\d{{1,10}}+\)?(?:{_BETWEEN}\(?\d{{2,8}}+\)?){{0,5}}"
_NUMBER = rf"(?P<v>(?:{_WITH_PLUS}|{_WITHOUT_PLUS}){_EXTENSION})(?!\w)"
_FAX = rf"{any_of(LABELS('fax_labels'))}(?:\s{any_of(LABELS('fax_fillers'))}){{0,4}}"
_LEAST = 7  # digits of a number after a label
_LABELLED = (
    plain(
        "fax", cues(LABELS("fax_labels")), announced(_FAX, _GAP) + _NUMBER, least=_LEAST, score=SURE
    ),
    plain(
        "phone",
        cues(LABELS("phone_labels")),
        announced(any_of(LABELS("phone_labels")), _GAP) + _CALL + _NUMBER,
        least=_LEAST,
        score=SURE,
    ),
)
_NORTH_AMERICAN = re.compile(
    r"(?<![\w.,/-])(?P<v>(?:\+?1[-. ]?)?(?:\(\d{3}\)\s?|\d{3}[-. ])\d{3}[-. ]\d{4}"
    rf"{_EXTENSION})(?![\w/-]|\.\d)",
    re.IGNORECASE,
)
_INTERNATIONAL = re.compile(r"(?<!\w)(?=\+\d{1,3}[ .(-]?\d)" + _NUMBER, re.IGNORECASE)

# Whose rules a number without a country's code must meet: those of the first regions that allow it.
# The texts are English; Germany's numbers have no fixed length, so its rules take in what other
# countries write. No North American number begins with 0.
_NORTH_AMERICA, _REST = ("US",), ("GB", "DE")
# Made-up hotlines too, such as 800-123-4567, which no country's rules allow.
_TOLL_FREE = re.compile(r"\+?1?[-. (]{0,2}8(?:00|33|44|55|66|77|88)\b")
# What may follow a number and is none of it: "call 937-555-0142 20 times", or a second number.
_AFTER = re.compile(r"(?<=[\d)])(?:\D{1,2}\d{1,3}|/[\d ().-]{7,})$")


def telephone_spans(text: ScannedText) -> Iterator[Span]:
    """The telephone and fax numbers of a text."""
    if text.has_long_number:
        for labelled in _LABELLED:
            if text.says(labelled.words):
                yield from _labelled(text.raw, labelled)
        for match in _NORTH_AMERICAN.finditer(text.raw):
            parsed = _parsed(match["v"], _NORTH_AMERICA)
            if parsed and not _is_hotline(match["v"], parsed):
                yield Span("phone", *match.span("v"), 0.8)
    if text.has_number and "+" in text.raw:
        for match in _INTERNATIONAL.finditer(text.raw):
            if number := _international_number(match["v"]):
                yield Span("phone", match.start(), match.start() + len(number), 0.8)


def _labelled(text: str, labelled: LabelledPattern) -> Iterator[Span]:
    for match in labelled.pattern.finditer(text):
        if number := _labelled_number(match["v"], labelled.least):
            start = match.start("v")
            yield Span(labelled.kind, start, start + len(number), labelled.score)


def _labelled_number(found: str, least: int) -> str:
    """As much of what stands after a label as is a telephone number; "" if nothing is."""
    if is_date(found):
        return ""
    trunk = found.lstrip("(").startswith("0")
    for regions in (_REST,) if trunk else (_NORTH_AMERICA, _REST):
        for number in _readings(found):
            parsed = _parsed(number, regions)
            if parsed and sum(map(str.isdigit, number)) >= least:
                return "" if is_date(number) or _is_hotline(number, parsed) else number
    return ""


def _international_number(found: str) -> str:
    """As much of what begins with a plus as is a number that can be in use; "" if nothing is."""
    from phonenumbers import is_valid_number

    for number in _readings(found):
        # The region does not count where a number has its country's code.
        parsed = _parsed(number, _NORTH_AMERICA)
        if parsed and is_valid_number(parsed):
            return "" if _is_hotline(number, parsed) else number
    return ""


def _readings(number: str) -> Iterator[str]:
    """The number, and the number without a count or a second number that may follow it."""
    yield number
    if after := _AFTER.search(number):
        yield number[: after.start()]


def _parsed(number: str, regions: tuple[str, ...]) -> Any:
    """The number as the library reads it by the first region whose length it has, or None.

    Args:
        number: the number.
        regions: whose rules count if the number has no country's code.
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

    return _TOLL_FREE.match(number) is not None or number_type(parsed) in {
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
    }
