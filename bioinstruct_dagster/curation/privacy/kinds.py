"""The kinds of identifiers, the spans where they stand, and a text that is to be searched.

Belongs here: the kinds, after the 18 of HIPAA's Safe Harbor rule (45 CFR 164.514(b)(2)), and what
to do where two spans overlap. Does not: how any kind is recognised.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from bioinstruct_dagster.curation.privacy.vocabulary import WORD

# The Safe Harbor list, in its order; ages over 89 stand in its item on dates.
KINDS: dict[str, str] = {
    "name": "names of the person, of relatives and of others around the person",
    "location": "places smaller than a state: street, home town, postal code",
    "date": "dates, but for the year, that are tied to a person",
    "age_over_89": "ages over 89",
    "phone": "telephone numbers",
    "fax": "fax numbers",
    "email": "e-mail addresses",
    "ssn": "social security numbers",
    "mrn": "medical record numbers",
    "health_plan": "health plan beneficiary numbers",
    "account": "account numbers",
    "license": "certificate and licence numbers",
    "vehicle": "vehicle identifiers and number plates",
    "device": "device identifiers and serial numbers",
    "url": "web addresses of a person",
    "ip": "IP addresses",
    "biometric": "fingerprints, voiceprints and other biometric identifiers",
    "photo": "full-face photographs and the like",
    "other_id": "any other unique number, characteristic or code",
}

# Below this, a span counts only beside a name or a surer identifier: "in Dayton", "on 3 May".
ALONE = 0.7


class Span(NamedTuple):
    """Where a text holds an identifier. The text itself is never carried along."""

    kind: str
    start: int
    end: int
    score: float


# Four digits, or a letter and three, as near as in one number.
_NUMBER = re.compile(r"\d(?:[A-Za-z./*: -]{0,6}\d){3}|[A-Za-z]-?\d(?:[A-Za-z./-]{0,6}\d){2}")
_LONG_NUMBER = re.compile(r"\d(?:[ ().+/-]{0,3}\d){6}")


class ScannedText:
    """A text, and what is cheap to know about it before any pattern is tried."""

    __slots__ = ("has_digit", "has_long_number", "has_number", "lowered", "raw", "words")

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self.lowered = raw.lower()
        self.words = frozenset(WORD.findall(self.lowered))
        self.has_digit = any(digit in raw for digit in "0123456789")
        self.has_number = self.has_digit and _NUMBER.search(raw) is not None
        self.has_long_number = self.has_number and _LONG_NUMBER.search(raw) is not None

    def says(self, any_of: frozenset[str]) -> bool:
        """Whether one of the words, all in lower case, stands in the text."""
        return not self.words.isdisjoint(any_of)


def without_overlaps(spans: Iterable[Span]) -> list[Span]:
    """The surest of overlapping spans, the longest of equally sure ones, in order of place."""
    kept: list[Span] = []
    taken = bytearray()
    for span in sorted(spans, key=lambda span: (-span.score, span.start - span.end, span.start)):
        if span.end > len(taken):
            taken.extend(bytes(span.end - len(taken)))
        if not any(taken[span.start : span.end]):
            taken[span.start : span.end] = b"\1" * (span.end - span.start)
            kept.append(span)
    return sorted(kept, key=lambda span: span.start)
