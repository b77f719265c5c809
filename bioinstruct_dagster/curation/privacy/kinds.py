"""The kinds of identifiers, and the spans of identifiers in a text.

The kinds follow the 18 items of HIPAA's Safe Harbor rule (45 CFR 164.514(b)(2)). Belongs here:
these types, which of two overlapping spans stays, and where a known identifier stands again. Does
not: recognising any kind (scan), or what is known of a text before (texts).
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

# The Safe Harbor list, in its order. Its item on dates includes ages over 89.
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

# A span of this score or more identifies a person by itself. A span of a lower score, such as
# "in Dayton" or "on 3 May", counts only beside a name or beside a span that identifies.
IDENTIFYING_SCORE = 0.7
# A span of exactly this score is flagged even if nothing else stands beside it: a full date or an
# age of which the text does not say enough.
DOUBTFUL_SCORE = 0.55


class Span(NamedTuple):
    """Kind, start, end and score of an identifier in a text; the text itself is not kept."""

    kind: str
    start: int
    end: int
    score: float


# Stands in a line of its own between the texts of a row, which are read as one.
TEXT_LIMIT = "\N{DOUBLE VERTICAL LINE}"

# An identifier of fewer letters and digits, such as a bed's number, also stands for other things.
_LEAST_REPEATED = 4
# From this many on, the characters tell a number however they are grouped: 8821 3774.
_LEAST_REGROUPED = 6
_SIGNS_BETWEEN = 2  # characters between two spans, such as a comma and a space
_LETTERS_AND_DIGITS = re.compile(r"[^\W_]")


def resolve_overlaps(spans: Iterable[Span]) -> list[Span]:
    """The spans without overlaps: the highest score stays, then the longest; sorted by start."""
    kept: list[Span] = []
    taken = bytearray()
    for span in sorted(spans, key=lambda span: (-span.score, span.start - span.end, span.start)):
        if span.end > len(taken):
            taken.extend(bytes(span.end - len(taken)))
        if not any(taken[span.start : span.end]):
            taken[span.start : span.end] = b"\1" * (span.end - span.start)
            kept.append(span)
    return sorted(kept, key=lambda span: span.start)


def uncovered(spans: Iterable[Span], others: Iterable[Span]) -> Iterator[Span]:
    """The parts of spans that other spans leave over."""
    taken = sorted((other.start, other.end) for other in others)
    for span in spans:
        start = span.start
        for begin, end in taken:
            if begin < span.end and start < end:
                if begin - start > _SIGNS_BETWEEN:
                    yield span._replace(start=start, end=begin)
                start = max(start, end)
        if span.end - start > _SIGNS_BETWEEN or start == span.start:
            yield span._replace(start=start)


def repeated_spans(text: str, found: Iterable[Span]) -> Iterator[Span]:
    """Where the text of a span stands as a whole word, also where no label tells what it is.

    A single word, such as a town's name, counts only in the same letters, small or capital.

    Args:
        text: all texts of a row.
        found: identifiers in it. `entities.confirmed` repeats names of one word.
    """
    known: dict[str, Span] = {}
    # What a label tells is surer than what a form tells.
    for span in sorted(found, key=lambda span: -span.score):
        known.setdefault(text[span.start : span.end].strip(), span)
    for told, span in known.items():
        signs = _LETTERS_AND_DIGITS.findall(told)
        one_word = len(signs) == len(told) and told.isalpha()
        if len(signs) >= _LEAST_REPEATED and not (one_word and span.kind == "name"):
            for match in re.finditer(_anywhere(told, signs, one_word=one_word), text):
                yield span._replace(start=match.start(), end=match.end())


def _anywhere(told: str, signs: list[str], *, one_word: bool) -> str:
    """The pattern of an identifier as a whole word; a number may touch letters, not digits."""
    if one_word:
        return rf"(?<![^\W_]){re.escape(told)}(?![^\W_])"
    regrouped = len(signs) >= _LEAST_REGROUPED and any(map(str.isdigit, signs))
    body = r"[ ./-]?".join(signs) if regrouped else r"\s+".join(map(re.escape, told.split()))
    before = r"(?<!\d)(?<!\d[.,])" if signs[0].isdigit() else r"(?<![^\W_])"
    after = r"(?![.,]?\d)" if signs[-1].isdigit() else r"(?![^\W_])"
    return f"(?i){before}{body}{after}"
