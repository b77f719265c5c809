"""All recognisers over the texts of a row, and what their results mean together.

Belongs here: in which order they look, and that a name alone is a placeholder but a name beside
another identifier identifies. Does not: any pattern, nor what follows from it (gate).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.privacy.ages import age_spans
from bioinstruct_dagster.curation.privacy.dates import date_spans
from bioinstruct_dagster.curation.privacy.kinds import ALONE, ScannedText, Span, without_overlaps
from bioinstruct_dagster.curation.privacy.labelled_numbers import labelled_spans
from bioinstruct_dagster.curation.privacy.labels import NUMBERED, PLATES
from bioinstruct_dagster.curation.privacy.names.not_persons import (
    is_no_person,
    is_placeholder,
    placeholder_spans,
)
from bioinstruct_dagster.curation.privacy.names.persons import again, name_spans
from bioinstruct_dagster.curation.privacy.pictures import MARKS, NUMBERED_MARKS
from bioinstruct_dagster.curation.privacy.places import place_spans
from bioinstruct_dagster.curation.privacy.recognizers import presidio_spans
from bioinstruct_dagster.curation.privacy.telephones import telephone_spans
from bioinstruct_dagster.curation.privacy.web_addresses import url_spans

# What a language model sees in each of the texts: spans of the kinds name and location.
Entities = Sequence[Sequence[Span]]


class Scan(NamedTuple):
    """What the texts of a row hold, one list per text, in the order of the texts.

    Attributes:
        found: identifiers.
        placeholders: persons without any identifying detail; empty where there is one.
    """

    found: tuple[list[Span], ...]
    placeholders: tuple[list[Span], ...]


NOTHING: Entities = ((), (), ())


def scan(task: RowTexts, entities: Entities = NOTHING) -> Scan:
    """What the texts of a row hold. `entities` is what a language model sees in them."""
    texts = [ScannedText(raw) for raw in task]
    names = [
        [*name_spans(text), *_persons(text, seen)]
        for text, seen in zip(texts, entities, strict=True)
    ]
    bare = [list(placeholder_spans(text)) for text in texts]
    words = [
        text.raw[span.start : span.end]
        for text, spans in zip(texts, names, strict=True)
        for span in spans
    ]
    details = [
        [*_details(text, spans, words), *_of_kind("location", seen)]
        for text, spans, seen in zip(texts, names, entities, strict=True)
    ]
    if not _identifies(details, words):
        placeholders = (without_overlaps((*n, *b)) for n, b in zip(names, bare, strict=True))
        return Scan(([], [], []), tuple(placeholders))
    found = (
        without_overlaps((*of_text, *spans, *again(text.raw, words)))
        for text, of_text, spans in zip(texts, details, names, strict=True)
    )
    return Scan(tuple(found), ([], [], []))


def _identifies(details: Sequence[Sequence[Span]], names: Iterable[str]) -> bool:
    """Whether there is something that identifies by itself, or any detail beside a real name."""
    if any(span.score >= ALONE for spans in details for span in spans):
        return True
    return any(details) and not all(map(is_placeholder, names))


def _details(text: ScannedText, names: Sequence[Span], words: Iterable[str]) -> Iterator[Span]:
    """Everything but names."""
    if text.has_number:
        yield from labelled_spans(text, (*NUMBERED, *NUMBERED_MARKS))
    yield from telephone_spans(text)
    yield from labelled_spans(text, (*PLATES, *MARKS))
    yield from place_spans(text)
    yield from age_spans(text)
    yield from url_spans(text, {part for name in words for part in name.split()})
    presidio = list(presidio_spans(text))
    yield from (span for span in presidio if span.kind != "date")
    yield from date_spans(text, _of_kind("date", presidio), names)


def _persons(text: ScannedText, entities: Iterable[Span]) -> Iterator[Span]:
    for span in _of_kind("name", entities):
        if not is_no_person(text.raw, span.start, span.end):
            yield span


def _of_kind(kind: str, spans: Iterable[Span]) -> list[Span]:
    return [span for span in spans if span.kind == kind]
