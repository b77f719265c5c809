"""All details that a light context shows.

Belongs here: which text is about one person, and the order. Does not: any pattern.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import Span
from bioinstruct_dagster.curation.privacy.noted.ages import noted_age_spans
from bioinstruct_dagster.curation.privacy.noted.called import called_name_spans
from bioinstruct_dagster.curation.privacy.noted.codes import noted_code_spans
from bioinstruct_dagster.curation.privacy.noted.days import DAY_HELD, noted_day_spans
from bioinstruct_dagster.curation.privacy.noted.facilities import noted_facility_spans
from bioinstruct_dagster.curation.privacy.noted.handles import noted_handle_spans
from bioinstruct_dagster.curation.privacy.noted.named_places import named_place_spans
from bioinstruct_dagster.curation.privacy.noted.names import noted_name_spans
from bioinstruct_dagster.curation.privacy.noted.numbers import noted_number_spans
from bioinstruct_dagster.curation.privacy.noted.persons import (
    PERSONS,
    is_about_groups,
    is_about_one_person,
    is_note,
)
from bioinstruct_dagster.curation.privacy.noted.plates import noted_plate_spans
from bioinstruct_dagster.curation.privacy.noted.short_days import short_day_spans
from bioinstruct_dagster.curation.privacy.noted.towns import noted_town_spans
from bioinstruct_dagster.curation.privacy.texts import ScannedText

# A number in a link to an article is no record's.
_LINK = re.compile(r"https?://\S{1,300}", re.IGNORECASE)


def noted_spans(text: ScannedText) -> Iterator[Span]:
    """All details of a text that a light context shows."""
    links = [match.span() for match in _LINK.finditer(text.raw)] if "://" in text.raw else []
    for span in _spans(text):
        inside = any(start <= span.start and span.end <= end for start, end in links)
        if not inside or span.kind == "url":
            yield span


def _spans(text: ScannedText) -> Iterator[Span]:
    person, note = is_about_one_person(text), is_note(text)
    tied = not person or is_about_groups(text)
    if text.has_digit or text.marks.held & DAY_HELD:
        yield from noted_day_spans(text, tied=tied)
    if text.has_digit:
        yield from short_day_spans(text)
    yield from noted_code_spans(text)
    if text.has_number:
        yield from noted_number_spans(text, group=tied)
    if text.has_digit and not tied:
        yield from noted_plate_spans(text)
    if not tied or "@" in text.raw or "/" in text.raw:
        yield from noted_handle_spans(text, tied=tied, note=note)
    if person:
        yield from noted_age_spans(text)
    tied = tied or not note
    yield from named_place_spans(text, tied=tied)
    if not tied or text.marks.held & PERSONS:
        yield from noted_facility_spans(text, tied=tied)
        yield from noted_town_spans(text, tied=tied)


def noted_names(text: ScannedText) -> Iterator[Span]:
    """The names of a text that a light context announces."""
    yield from called_name_spans(text)
    if is_about_one_person(text):
        tied = is_about_groups(text)
        if not tied or text.marks.held & PERSONS:
            yield from noted_name_spans(text, tied=tied)
