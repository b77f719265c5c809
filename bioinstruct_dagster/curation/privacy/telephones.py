"""Telephone and fax numbers, as the library phonenumbers sees them.

Belongs here: where a number may stand (after a label such as "Tel.", after a plus, in the North
American form), and what the library must say of it. Does not: the labels (`words/labels.yaml`).
The library's search over a whole text takes milliseconds, and without a label it takes laboratory
values and codes for telephones. So it only sees the characters after a place that a cheap pattern
found, and says there how far the number goes, whether its length is possible and whether it is a
hotline, which is nobody's.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from bioinstruct_dagster.curation.privacy.kinds import ScannedText, Span
from bioinstruct_dagster.curation.privacy.labelled import SURE, announced, is_date
from bioinstruct_dagster.curation.privacy.vocabulary import LABELS, any_of, cues

# A telephone number may begin with a bracket or a plus.
_GAP = r"[^\w\n.;!?(+]{0,6}"
_CALL = (
    rf"\.?(?:[ \t](?:\w{{1,12}}['’]?\w?[ \t]){{0,4}}{any_of(LABELS('phone_links'))}"
    rf"|\s?\([a-z]{{1,8}}\))?{_GAP}"
)
_BEGINS = r"(?=\+?\(?\d)"
_FAX = rf"{any_of(LABELS('fax_labels'))}(?:\s{any_of(LABELS('fax_fillers'))}){{0,4}}"


class TelephoneLabel(NamedTuple):
    """The labels of a kind: a number of that kind stands where the pattern ends."""

    kind: str
    words: frozenset[str]
    pattern: re.Pattern[str]


_LABELLED = (
    TelephoneLabel(
        "fax",
        cues(LABELS("fax_labels")),
        re.compile(announced(_FAX, _GAP) + _BEGINS, re.IGNORECASE),
    ),
    TelephoneLabel(
        "phone",
        cues(LABELS("phone_labels")),
        re.compile(
            announced(any_of(LABELS("phone_labels")), _GAP) + _CALL + _BEGINS, re.IGNORECASE
        ),
    ),
)
_NORTH_AMERICAN = re.compile(
    r"(?<![\w.,/-])(?:\+?1[-. ]?)?(?:\(\d{3}\)\s?|\d{3}[-. ])\d{3}[-. ]\d{4}(?!\d)"
)
_INTERNATIONAL = re.compile(r"\+\d{1,3}[ .(-]?\d")

# Whose rules a number without a country's code must meet. The texts are English; Germany's numbers
# have no fixed length, so its rules take in what other countries write.
_REGIONS = ("US", "GB", "DE")
_TRUNK_REGIONS = ("GB", "DE")  # no North American number begins with 0
_LONGEST = 48  # characters of a number with its extension
_LEAST, _LEAST_ALONE = 7, 10  # digits of a number with a label, and of one without
_POSSIBLE, _VALID = 0, 1  # of phonenumbers.Leniency, which is imported where it is needed
# Made-up hotlines too, such as 800-123-4567, which no rule of a country allows.
_TOLL_FREE = re.compile(r"\+?1?[-. (]{0,2}8(?:00|33|44|55|66|77|88)\b")


def telephone_spans(text: ScannedText) -> Iterator[Span]:
    """The telephone and fax numbers of a text."""
    if text.has_long_number:
        for label in _LABELLED:
            if text.says(label.words):
                places = (match.end() for match in label.pattern.finditer(text.raw))
                yield from _spans(text.raw, label.kind, places, SURE, least=_LEAST)
        places = (match.start() for match in _NORTH_AMERICAN.finditer(text.raw))
        yield from _spans(text.raw, "phone", places, 0.8, least=_LEAST_ALONE)
    if text.has_number and "+" in text.raw:
        places = (match.start() for match in _INTERNATIONAL.finditer(text.raw))
        yield from _spans(text.raw, "phone", places, 0.8, leniency=_VALID)


def _spans(
    text: str,
    kind: str,
    places: Iterable[int],
    score: float,
    *,
    least: int = 0,
    leniency: int = _POSSIBLE,
) -> Iterator[Span]:
    for start in places:
        length = _length(text[start : start + _LONGEST], leniency)
        number = text[start : start + length]
        if sum(map(str.isdigit, number)) >= max(1, least) and _is_whole(text, start, length):
            yield Span(kind, start, start + length, score)


def _is_whole(text: str, start: int, length: int) -> bool:
    """Whether a number is not part of a longer word, and no date."""
    around = text[start - 1 : start] + text[start + length : start + length + 1]
    return not any(map(str.isalnum, around)) and not is_date(text[start : start + length])


def _length(piece: str, leniency: int) -> int:
    """Characters of the number that a piece begins with; 0 where there is none, or a hotline."""
    if _TOLL_FREE.match(piece):
        return 0
    trunk = piece.lstrip("(").startswith("0")
    found = [
        match
        for region in (_TRUNK_REGIONS if trunk else _REGIONS)
        if (match := _first(piece, region, leniency))
    ]
    if not found or any(map(_is_hotline, found if trunk else found[:1])):
        return 0
    # Without a trunk's 0 the first region that knows the number is right.
    return max(match.end for match in found) if trunk else int(found[0].end)


def _first(piece: str, region: str, leniency: int) -> Any:
    """The library's match at the begin of a piece, or None."""
    from phonenumbers import PhoneNumberMatcher

    match = next(iter(PhoneNumberMatcher(piece, region, leniency=leniency)), None)
    return match if match and match.start == 0 else None


def _is_hotline(match: Any) -> bool:
    from phonenumbers import PhoneNumberType, number_type

    return number_type(match.number) in {
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.UAN,
    }
