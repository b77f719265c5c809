"""All recognisers over the texts of a row, and the decision whether the row identifies a person.

A name without any other identifier is a placeholder; a name beside another identifier identifies.
Belongs here: this rule, and the order of the recognisers. Does not: any pattern (labels, pictures,
places, names.patterns), or the findings of the gate (gate).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.privacy.ages import age_spans
from bioinstruct_dagster.curation.privacy.dates import date_spans
from bioinstruct_dagster.curation.privacy.kinds import (
    IDENTIFYING_SCORE,
    ScannedText,
    Span,
    resolve_overlaps,
)
from bioinstruct_dagster.curation.privacy.labelled_numbers import labelled_spans
from bioinstruct_dagster.curation.privacy.labels import LABEL_PATTERNS, PLATE_PATTERNS
from bioinstruct_dagster.curation.privacy.names.not_persons import (
    is_clinician,
    is_placeholder,
    placeholder_spans,
)
from bioinstruct_dagster.curation.privacy.names.persons import (
    is_confirmed,
    name_in,
    name_spans,
    repeated_name_spans,
)
from bioinstruct_dagster.curation.privacy.organizations import is_organizations_email
from bioinstruct_dagster.curation.privacy.pictures import BIOMETRIC_PATTERNS, PICTURE_PATTERNS
from bioinstruct_dagster.curation.privacy.places import place_spans
from bioinstruct_dagster.curation.privacy.recognizers import presidio_spans
from bioinstruct_dagster.curation.privacy.telephones import telephone_spans
from bioinstruct_dagster.curation.privacy.web_addresses import url_spans

# Per text, the spans that a language model finds; their kinds are name and location.
Entities = Sequence[Sequence[Span]]


class ScanResult(NamedTuple):
    """The spans in the texts of a row, one list per text, in the order of the texts.

    Attributes:
        found: identifiers.
        placeholders: names of a row that identifies nobody; empty if the row has identifiers.
    """

    found: tuple[list[Span], ...]
    placeholders: tuple[list[Span], ...]


NO_ENTITIES: Entities = ((), (), ())


def scan(task: RowTexts, entities: Entities = NO_ENTITIES) -> ScanResult:
    """Find the identifiers and placeholders in the texts of a row.

    Args:
        task: the texts.
        entities: the names and places that a language model found in them.
    """
    texts = [ScannedText(raw) for raw in task]
    names = [list(name_spans(text)) for text in texts]
    words = _words(texts, names)
    details = [list(_details(text, spans, words)) for text, spans in zip(texts, names, strict=True)]
    sure = _is_sure(details)
    for text, of_text, seen in zip(texts, names, entities, strict=True):
        of_text += _persons(text, seen, sure=sure)
    if not (sure or (any(details) and _names_a_patient(texts, names))):
        bare = (placeholder_spans(text) for text in texts)
        placeholders = (resolve_overlaps((*n, *b)) for n, b in zip(names, bare, strict=True))
        return ScanResult(([], [], []), tuple(placeholders))
    words = _words(texts, names)
    found = (
        resolve_overlaps(
            (*of_text, *spans, *_of_kind("location", seen), *repeated_name_spans(text.raw, words))
        )
        for text, of_text, spans, seen in zip(texts, details, names, entities, strict=True)
    )
    return ScanResult(tuple(found), ([], [], []))


def _words(texts: Sequence[ScannedText], names: Sequence[Sequence[Span]]) -> list[str]:
    """The names in the texts of a row, as they stand there."""
    return [
        text.raw[span.start : span.end]
        for text, spans in zip(texts, names, strict=True)
        for span in spans
    ]


def _is_sure(details: Sequence[Sequence[Span]]) -> bool:
    """Whether a span identifies by itself."""
    return any(span.score >= IDENTIFYING_SCORE for spans in details for span in spans)


def _names_a_patient(texts: Sequence[ScannedText], names: Sequence[Sequence[Span]]) -> bool:
    """Whether a name is neither a placeholder nor a clinician's.

    Beside a clinician's name, the date of a visit identifies nobody.
    """
    return any(
        not is_placeholder(text.raw[span.start : span.end])
        and not is_clinician(text.raw, span.start)
        for text, spans in zip(texts, names, strict=True)
        for span in spans
    )


def _details(text: ScannedText, names: Sequence[Span], words: Iterable[str]) -> Iterator[Span]:
    """All identifiers of a text but its names."""
    if text.has_number:
        yield from labelled_spans(text, (*LABEL_PATTERNS, *BIOMETRIC_PATTERNS))
    yield from telephone_spans(text)
    for span in labelled_spans(text, (*PLATE_PATTERNS, *PICTURE_PATTERNS)):
        if span.kind != "email" or not is_organizations_email(text.raw, span.start, span.end):
            yield span
    yield from place_spans(text)
    yield from age_spans(text)
    yield from url_spans(text, {part for name in words for part in name.split()})
    presidio = list(presidio_spans(text))
    yield from (span for span in presidio if span.kind != "date")
    yield from date_spans(text, _of_kind("date", presidio), names)


def _persons(text: ScannedText, entities: Iterable[Span], *, sure: bool) -> Iterator[Span]:
    """The persons that a model saw; if nothing identifies, only those that the text confirms."""
    for span in _of_kind("name", entities):
        trimmed = name_in(text.raw, span)
        if trimmed and (sure or is_confirmed(text.raw, trimmed)):
            yield trimmed


def _of_kind(kind: str, spans: Iterable[Span]) -> list[Span]:
    return [span for span in spans if span.kind == kind]
