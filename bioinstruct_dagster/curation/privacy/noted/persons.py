"""Which text, and which sentence, speaks of one person.

Belongs here: these tests. Does not: what such a text tells (numbers, days, facilities, towns).
"""

import re

from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import DATES, NOTED, any_of

ONE_PERSON = re.compile(
    rf"\b(?:{any_of(DATES('one_person'), NOTED('subjects'))}"
    rf"|\d{{1,3}}[- ](?:year|yr|month)s?[- ]old)\b(?!s)",
    re.IGNORECASE,
)
PERSONS = trigger(NOTED("single_persons"))
_ONE_PERSON_WORDS = trigger(NOTED("one_person"))
# A text that speaks of many persons must name one beside a detail.
_NOTE_WORDS = trigger(NOTED("note_words"))
_STUDY_WORDS = trigger(NOTED("studies"), NOTED("groups"))
_GROUP_WORDS = trigger(NOTED("groups"))
_SENTENCE_END = re.compile(r"[.!?;]\s|\n")


def sentence_around(raw: str, start: int, end: int, before: int, after: int) -> tuple[str, str]:
    """What stands before and after a place in its sentence, so many characters at most."""
    return (
        _SENTENCE_END.split(raw[max(0, start - before) : start])[-1],
        _SENTENCE_END.split(raw[end : end + after])[0],
    )


def is_about_one_person(text: ScannedText) -> bool:
    """Whether a text speaks of one person, or of nobody, as fragments of notes do."""
    held = text.marks.held
    return bool(held & _ONE_PERSON_WORDS) or not held & _STUDY_WORDS


def is_about_groups(text: ScannedText) -> bool:
    """Whether a text may speak of groups of persons, as reports of studies do."""
    held = text.marks.held
    return bool(held & _GROUP_WORDS or (held & _STUDY_WORDS and not held & _NOTE_WORDS))


def is_note(text: ScannedText) -> bool:
    """Whether a text holds a word that notes and conversations about one person hold."""
    return bool(text.marks.held & _NOTE_WORDS)
