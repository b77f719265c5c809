"""Places smaller than a state: which patterns are tried on a text, and which matches count.

Belongs here: this choice. Does not: the patterns (streets, abroad, homes, facilities, codes), or
which places are large (regions). A town without words that tie it to a person is no identifier,
since it may be the place of a company or a hospital.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import IDENTIFYING_SCORE, Span
from bioinstruct_dagster.curation.privacy.organizations import is_organizations
from bioinstruct_dagster.curation.privacy.places.abroad import ABROAD_PATTERNS
from bioinstruct_dagster.curation.privacy.places.codes import CODE_PATTERNS
from bioinstruct_dagster.curation.privacy.places.facilities import FACILITY_PATTERNS
from bioinstruct_dagster.curation.privacy.places.forms import PlacePattern
from bioinstruct_dagster.curation.privacy.places.homes import HOME_PATTERNS
from bioinstruct_dagster.curation.privacy.places.streets import STREET_PATTERNS
from bioinstruct_dagster.curation.privacy.regions import is_large
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import CAPITAL, trigger

_PATTERNS = (
    *HOME_PATTERNS,
    *STREET_PATTERNS,
    *FACILITY_PATTERNS,
    *ABROAD_PATTERNS,
    *CODE_PATTERNS,
)
# Each with the triggers of its words and of its further words; -1 stands for any words.
_TRIED = tuple(
    (trigger(entry.words), trigger(entry.also) if entry.also else -1, entry) for entry in _PATTERNS
)
_UNNUMBERED = tuple(tried for tried in _TRIED if not tried[-1].numbered)
_UNIT_OF_HOSPITAL = re.compile(r"\b(?:Unit|Department|Ward|Room)\b")
_NO_HOME = re.compile(r"[A-Z]*[a-z]?[A-Z]{2}")  # an abbreviation


def place_spans(text: ScannedText) -> Iterator[Span]:
    """The addresses, homes and postal codes of a text."""
    held = text.marks.held | CAPITAL
    for words, also, entry in _TRIED if text.has_digit else _UNNUMBERED:
        if held & also and (held & words or (entry.hinted and entry.hinted(text))):
            yield from _spans(entry, text)


def _spans(entry: PlacePattern, text: ScannedText) -> Iterator[Span]:
    for begin, end in entry.parts(text) if entry.parts else [(0, len(text.raw))]:
        for match in entry.pattern.finditer(text.raw, begin, end):
            span = match.span("v" if "v" in entry.pattern.groupindex else 0)
            if entry.score < IDENTIFYING_SCORE and _is_no_home(text.raw[slice(*span)]):
                continue
            if entry.is_place and not entry.is_place(text.raw, match):
                continue
            if entry.of_care or not is_organizations(text.raw, *span, care=True):
                yield Span("location", *span, entry.score)


def _is_no_home(place: str) -> bool:
    """Whether a place is large, an abbreviation or a part of a hospital."""
    return (
        is_large(place.split(". ", maxsplit=1)[0].rstrip("."))
        or _NO_HOME.match(place) is not None
        or _UNIT_OF_HOSPITAL.search(place) is not None
    )
