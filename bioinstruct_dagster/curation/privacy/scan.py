"""All recognisers over the texts of a row, and the decision whether the row identifies a person.

A name without any other identifier is a placeholder; a name beside another identifier identifies.
Belongs here: this rule, and the order of the recognisers. Does not: any pattern (labels, pictures,
places, names.patterns), or the findings of the gate (gate).
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.privacy.dates import date_spans
from bioinstruct_dagster.curation.privacy.entities.confirmed import (
    is_confirmed,
    name_in,
    repeated_name_spans,
)
from bioinstruct_dagster.curation.privacy.kinds import (
    DOUBTFUL_SCORE,
    IDENTIFYING_SCORE,
    TEXT_LIMIT,
    Span,
    repeated_spans,
    resolve_overlaps,
    uncovered,
)
from bioinstruct_dagster.curation.privacy.labelled_numbers import PatternGroup, labelled_spans
from bioinstruct_dagster.curation.privacy.labels import LABEL_PATTERNS, PLATE_PATTERNS
from bioinstruct_dagster.curation.privacy.loose_numbers import (
    LOOSE_NUMBER_PATTERNS,
    LOOSE_WORDED_PATTERNS,
)
from bioinstruct_dagster.curation.privacy.names.not_persons import (
    is_clinician,
    is_placeholder,
    placeholder_spans,
)
from bioinstruct_dagster.curation.privacy.names.persons import name_spans
from bioinstruct_dagster.curation.privacy.noted.found import noted_names, noted_spans
from bioinstruct_dagster.curation.privacy.old_ages.found import old_age_spans
from bioinstruct_dagster.curation.privacy.organizations import is_organizations_email
from bioinstruct_dagster.curation.privacy.pictures import (
    BIOMETRIC_PATTERNS,
    HANDLE_PATTERNS,
    PICTURE_PATTERNS,
)
from bioinstruct_dagster.curation.privacy.places.found import place_spans
from bioinstruct_dagster.curation.privacy.reader.found import read_spans
from bioinstruct_dagster.curation.privacy.recognizers import presidio_spans
from bioinstruct_dagster.curation.privacy.telephones import telephone_spans
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.web_addresses import url_spans

# Per text, the spans that a language model finds; their kinds are name and location.
Entities = Sequence[Sequence[Span]]


class ScanResult(NamedTuple):
    """The spans in the texts of a row, one list per text, in the order of the texts.

    Attributes:
        found: identifiers.
        placeholders: names and doubtful details of a row that identifies nobody; empty if the row
            has identifiers.
    """

    found: tuple[Sequence[Span], ...]
    placeholders: tuple[Sequence[Span], ...]


_SEPARATOR = f"\n{TEXT_LIMIT}\n"
_NUMBERED_PATTERNS = PatternGroup(*LABEL_PATTERNS, *LOOSE_NUMBER_PATTERNS, *BIOMETRIC_PATTERNS)
_WORDED_PATTERNS = PatternGroup(*PLATE_PATTERNS, *LOOSE_WORDED_PATTERNS, *PICTURE_PATTERNS)
_HANDLE_PATTERNS = PatternGroup(*HANDLE_PATTERNS)
NO_ENTITIES: Entities = ((), (), ())


# What a span leaves over of another counts if it holds a capital or a figure.
_TELLING = re.compile(r"[A-ZÀ-ÖØ-Þ\d]")
_ADDRESSES = frozenset(("url", "email"))  # of which every part tells
_NO_SPANS: tuple[Sequence[Span], ...] = ((), (), ())
_NOTHING = ScanResult(_NO_SPANS, _NO_SPANS)


def scan(task: RowTexts, entities: Entities = NO_ENTITIES) -> ScanResult:
    """Find the identifiers and placeholders in the texts of a row.

    The texts are read as one, because each pass over a text has its price. The line between them
    ends every sentence, and no pattern matches across it.

    Args:
        task: the texts.
        entities: the names and places that a language model found in them.
    """
    text = ScannedText(_SEPARATOR.join(task))
    names = [*name_spans(text), *noted_names(text)]
    details = list(_details(text, names))
    sure = any(span.score >= IDENTIFYING_SCORE for span in details)
    seen = list(_shifted(task, entities)) if any(entities) else []
    names += _persons(text.raw, seen, sure=sure)
    told = sure or _is_doubtful(details) or any(not _is_placeholder(text, span) for span in names)
    read = read_spans(text, told=told, seen=seen)
    # The name that the reader alone finds counts beside the detail that something else tells.
    persons = [*names, *(span for span in _of_kind("name", read) if span.score >= DOUBTFUL_SCORE)]
    if not (sure or (details and _names_a_patient(text.raw, persons))):
        doubtful = details if names or _is_doubtful(details) else ()
        placeholders = resolve_overlaps((*names, *doubtful, *placeholder_spans(text)))
        placeholders = _with_read(text.raw, placeholders, read)
        return ScanResult(_NO_SPANS, _by_text(task, placeholders)) if placeholders else _NOTHING
    repeated = repeated_name_spans(text.raw, _words(text.raw, names))
    found = resolve_overlaps((*details, *names, *_of_kind("location", seen), *repeated))
    # What one text labels, another may say without a label: "MRN 8821377", then "(8821377)".
    found = resolve_overlaps((*found, *repeated_spans(text.raw, found)))
    found = _with_read(text.raw, found, read)
    # So may be what the reader found: "from Springfield", then "Springfield: location".
    found = _with_read(text.raw, found, list(repeated_spans(text.raw, found)))
    return ScanResult(_by_text(task, found), _NO_SPANS)


def _with_read(raw: str, spans: Sequence[Span], read: Sequence[Span]) -> list[Span]:
    """The spans, and what they leave over of the reader's spans; sorted."""
    left = [
        span
        for span in uncovered(resolve_overlaps(read), spans)
        if span in read or span.kind in _ADDRESSES or _TELLING.search(raw, span.start, span.end)
    ]
    return sorted((*spans, *left), key=lambda span: span.start)


def _is_placeholder(text: ScannedText, span: Span) -> bool:
    return is_placeholder(text.raw[span.start : span.end])


def _is_doubtful(details: Iterable[Span]) -> bool:
    """Whether a detail is among them that is flagged even if nothing stands beside it."""
    return any(span.score == DOUBTFUL_SCORE for span in details)


def _by_text(task: RowTexts, spans: Iterable[Span]) -> tuple[list[Span], ...]:
    """The spans of the joined texts, by text; `spans` are sorted."""
    found: tuple[list[Span], ...] = tuple([] for _ in task)
    begins = [0, *accumulate(len(raw) + len(_SEPARATOR) for raw in task)]
    for span in spans:
        place = bisect_right(begins, span.start) - 1
        begin = begins[place]
        end = min(span.end - begin, len(task[place]))
        if span.start - begin < end:
            found[place].append(span._replace(start=span.start - begin, end=end))
    return found


def _shifted(task: RowTexts, entities: Entities) -> Iterator[Span]:
    """The spans of the single texts, where they stand in the joined texts."""
    begin = 0
    for raw, spans in zip(task, entities, strict=True):
        for span in spans:
            yield span._replace(start=span.start + begin, end=span.end + begin)
        begin += len(raw) + len(_SEPARATOR)


def _words(text: str, names: Iterable[Span]) -> list[str]:
    """The names in a text, as they stand there."""
    return [text[span.start : span.end] for span in names]


def _names_a_patient(text: str, names: Iterable[Span]) -> bool:
    """Whether a name is neither a placeholder nor a clinician's.

    Beside a clinician's name, the date of a visit identifies nobody.
    """
    return any(
        not is_placeholder(text[span.start : span.end]) and not is_clinician(text, span.start)
        for span in names
    )


def _details(text: ScannedText, names: Sequence[Span]) -> Iterator[Span]:
    """All identifiers of a text but its names."""
    if text.has_number:
        yield from labelled_spans(text, _NUMBERED_PATTERNS, near=True)
    yield from telephone_spans(text)
    for span in labelled_spans(text, _WORDED_PATTERNS):
        if span.kind != "email" or not is_organizations_email(text.raw, span.start, span.end):
            yield span
    if "@" in text.raw:
        yield from labelled_spans(text, _HANDLE_PATTERNS)
    yield from place_spans(text)
    yield from old_age_spans(text)
    yield from url_spans(text, {part for name in _words(text.raw, names) for part in name.split()})
    presidio = list(presidio_spans(text))
    yield from (span for span in presidio if span.kind != "date")
    yield from noted_spans(text)
    yield from date_spans(text, _of_kind("date", presidio), names)


def _persons(text: str, entities: Iterable[Span], *, sure: bool) -> Iterator[Span]:
    """The persons that a model saw; if nothing identifies, only those that the text confirms."""
    for span in _of_kind("name", entities):
        trimmed = name_in(text, span)
        if trimmed and (sure or is_confirmed(text, trimmed)):
            yield trimmed


def _of_kind(kind: str, spans: Iterable[Span]) -> list[Span]:
    return [span for span in spans if span.kind == kind]
