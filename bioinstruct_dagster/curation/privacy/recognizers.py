"""Presidio's recognisers, run on the parts of a text that they can match.

Presidio takes milliseconds a text and seconds to import. So a cheap expression (the hint) selects
the parts of a text that a recogniser sees. Belongs here: the recognisers of each kind, their hints,
and the score that a result must reach. Does not: our own patterns (labels, pictures), or telephone
numbers (telephones), for which Presidio too calls phonenumbers.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from bioinstruct_dagster.curation.privacy.entities.model_libraries import without_model_libraries
from bioinstruct_dagster.curation.privacy.kinds import Span
from bioinstruct_dagster.curation.privacy.organizations import is_organizations_email
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.vocabulary import pieces

_AROUND = 80  # characters on either side of what could be a match


@dataclass(frozen=True)
class PresidioRecognizer:
    """One of Presidio's recognisers, and when to run it.

    Attributes:
        kind: the kind of its results.
        recognizer: the name of its class.
        hint: an expression that matches wherever the recogniser could match.
        least_score: the score that a result must reach; Presidio gives 1.0 for a passed checksum.
        word: a word, in lower case, that the text must hold too; empty for none.
    """

    kind: str
    recognizer: str
    hint: str
    least_score: float
    word: str = ""


_DIGITS_13 = r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)"
PRESIDIO_RECOGNIZERS: tuple[PresidioRecognizer, ...] = (
    PresidioRecognizer("email", "EmailRecognizer", r"\w@\w", 0.5),
    PresidioRecognizer(
        "ip", "IpRecognizer", r"\d\.\d{1,3}\.\d{1,3}\.\d|[0-9a-fA-F]:{1,2}[0-9a-fA-F]{1,4}:", 0.6
    ),
    PresidioRecognizer(
        "device", "MacAddressRecognizer", r"[0-9A-Fa-f]{2}[:.-][0-9A-Fa-f]{2}[0-9A-Fa-f:.-]{7}", 0.6
    ),
    PresidioRecognizer("other_id", "UuidRecognizer", r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-", 0.5),
    PresidioRecognizer("account", "CreditCardRecognizer", _DIGITS_13, 1.0),
    PresidioRecognizer(
        "account", "IbanRecognizer", r"\b[A-Z]{2}\d\d ?[A-Z0-9]{4} ?[A-Z0-9]{4}", 1.0
    ),
    PresidioRecognizer("account", "CryptoRecognizer", r"\b(?:bc1|[13])[a-zA-HJ-NP-Z0-9]{25}", 1.0),
    PresidioRecognizer(
        "ssn", "UsSsnRecognizer", r"(?<![\d-])\d{3}[- .]\d\d[- .]\d{4}(?![\d-])", 0.5
    ),
    PresidioRecognizer(
        "other_id", "UsItinRecognizer", r"(?<![\d-])9\d\d[- ]\d\d[- ]\d{4}(?![\d-])", 0.5
    ),
    PresidioRecognizer(
        "license",
        "UsNpiRecognizer",
        r"(?<!\d)[12]\d{9}(?!\d)|[12]\d{3}[ -]\d{3}[ -]\d{3}",
        1.0,
        "npi",
    ),
    PresidioRecognizer(
        "license", "MedicalLicenseRecognizer", r"\b[A-Za-z][A-Za-z9]\d{7}\b", 1.0, "dea"
    ),
    PresidioRecognizer(
        "health_plan",
        "UsMbiRecognizer",
        r"\b\d[A-Z][A-Z0-9]\d-?[A-Z][A-Z0-9]\d-?[A-Z]{2}\d\d\b",
        0.3,
    ),
    PresidioRecognizer(
        "date", "DateRecognizer", r"\d[/.-]\d{1,2}[/.-]\d|\d\d?-[A-Za-z]{3}-\d\d", 0.6
    ),
)
_NO_ADDRESS = re.compile(
    r"\b(?:version|ver|release|v|section|chapter|ec|e\.c|enzyme|number)\.?\s?$", re.IGNORECASE
)
_RESERVED_HOST = re.compile(r"\.(?:example|test|invalid|localhost|local)$", re.IGNORECASE)
_Hint = tuple[PresidioRecognizer, re.Pattern[str]]
_HINTS: tuple[_Hint, ...] = tuple((entry, re.compile(entry.hint)) for entry in PRESIDIO_RECOGNIZERS)
_EMAIL_HINTS = tuple(hint for hint in _HINTS if hint[0].kind == "email")
_NUMBER_HINTS = tuple(hint for hint in _HINTS if hint[0].kind != "email")
# Every match of a hint but an e-mail's holds one of these shapes. Each begins with one character
# of a small set, because the search for that is the fastest.
_DIGIT_SHAPES = re.compile(
    r"\d(?:[/.-]\d{1,2}[/.-]\d|\d?-[A-Za-z]{3}-\d|\.\d{1,3}\.\d{1,3}\.\d|(?:[ -]?\d){8}"
    r"|[A-Z][A-Z0-9]\d-?[A-Z]|\d ?[A-Z0-9]{4} ?[A-Z0-9]{4}|[a-zA-HJ-NP-Z0-9]{24})"
)
_MARK_SHAPES = re.compile(r"[:.-][0-9A-Fa-f]{1,4}[:.-][0-9A-Fa-f]")
# The first of them in the shape of a text, which is quicker to search for.
_DIGITS_SHAPE = re.compile(
    rb"0(?:[/.-]00?[/.-]0|0?-[A-Za-z]{3}-0|\.0{1,3}\.0{1,3}\.0|(?:[ -]?0){8}"
    rb"|A[A0]0-?A| ?[A0]{4} ?[A0]{4}|[a-zA0]{24})"
)


def presidio_spans(text: ScannedText) -> Iterator[Span]:
    """The spans that Presidio's recognisers find in a text."""
    if "@" in text.raw:
        yield from _spans_of(_EMAIL_HINTS, text)
    # Two quick searches tell whether any of the other hints can match.
    if text.has_number and (
        (text.may_match(_DIGITS_SHAPE) and _DIGIT_SHAPES.search(text.raw))
        or "bc1" in text.raw
        or _MARK_SHAPES.search(text.raw)
    ):
        yield from _spans_of(_NUMBER_HINTS, text)


def _spans_of(hints: tuple[_Hint, ...], text: ScannedText) -> Iterator[Span]:
    for entry, hint in hints:
        if not entry.word or entry.word in text.words:
            for start, end in pieces(hint, text.raw, _AROUND, _AROUND):
                yield from _result_spans(entry, text.raw, start, end)


def _result_spans(entry: PresidioRecognizer, text: str, start: int, end: int) -> Iterator[Span]:
    for result in _recognizer(entry.recognizer).analyze(text[start:end], [], None):
        # A result at the edge of a piece may be a part of a longer text.
        cut = (start and not result.start) or (end < len(text) and result.end == end - start)
        span = Span(entry.kind, start + result.start, start + result.end, 0.8)
        if result.score < entry.least_score or cut or not _is_whole(text, span):
            continue
        if span.kind != "email" or not is_organizations_email(text, span.start, span.end):
            yield span


def _is_whole(text: str, span: Span) -> bool:
    """Whether a result is not part of a longer word, and not the number of a version."""
    before, after = text[max(0, span.start - 2) : span.start], text[span.end : span.end + 1]
    if before[-1:].isalnum() or after.isalnum():
        return False
    # "B.1.1.28" is no date.
    if span.kind == "date" and before[-1:] == "." and before[:1].isalnum():
        return False
    return span.kind != "ip" or not _NO_ADDRESS.search(text[max(0, span.start - 12) : span.start])


@cache
def _recognizer(name: str) -> Any:
    with without_model_libraries():
        from presidio_analyzer import predefined_recognizers

    if name == "EmailRecognizer":
        return _email_recognizer()
    return getattr(predefined_recognizers, name)()


def _email_recognizer() -> Any:
    from presidio_analyzer.predefined_recognizers import EmailRecognizer
    from tldextract import TLDExtract

    # Presidio would fetch the list of public suffixes from the network; the package holds a copy.
    suffixes = TLDExtract(suffix_list_urls=(), cache_dir=None)

    class OfflineEmailRecognizer(EmailRecognizer):
        def validate_result(self, pattern_text: str) -> bool:
            # Invented addresses end in the names that RFC 2606 reserves.
            return suffixes(pattern_text).fqdn != "" or bool(_RESERVED_HOST.search(pattern_text))

    return OfflineEmailRecognizer()
