"""Names of persons in running text, without a language model.

Belongs here: where the patterns of names are tried, and where a name ends. Does not: the patterns
(patterns), names that stand for no person (not_persons), or whether a name identifies (scan).
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import Span
from bioinstruct_dagster.curation.privacy.names.announced import announced_names
from bioinstruct_dagster.curation.privacy.names.described import described_names
from bioinstruct_dagster.curation.privacy.names.forms import (
    FAMILY_NAMES,
    GIVEN_NAMES,
    KNOWN_NAMES,
    NON_NAME_WORDS,
    trim_name,
)
from bioinstruct_dagster.curation.privacy.names.joined import joined_names, listed_names
from bioinstruct_dagster.curation.privacy.names.lone import lone_names
from bioinstruct_dagster.curation.privacy.names.not_persons import is_no_person, is_placeholder
from bioinstruct_dagster.curation.privacy.names.patterns import (
    DESCRIBED_HINT,
    DESCRIBING,
    LABELLED_NAMES,
    NAME_BEFORE_HINT,
    NAME_PAIR,
    NAME_PATTERNS,
    TURNED_NAME,
    NamePattern,
)
from bioinstruct_dagster.curation.privacy.names.placed import placed_names
from bioinstruct_dagster.curation.privacy.names.small_letters import small_letter_names
from bioinstruct_dagster.curation.privacy.names.spoken import is_conversation, spoken_names
from bioinstruct_dagster.curation.privacy.names.stretches import (
    TWO_CAPITALS_SHAPE,
    Stretch,
    stretches_of,
)
from bioinstruct_dagster.curation.privacy.names.unknown import unknown_names
from bioinstruct_dagster.curation.privacy.texts import GIVEN, GIVEN_PARTS, ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import NAMES, any_of

_TITLED = re.compile(r"(?:M(?:rs?|s|iss)\.?|Nurse|Sister)\s$")
# "Dr. Papadakis's clinic" is no eponym.
_CARE_AFTER = re.compile(r"['’]s?\s(?:clinic|office|service|practice|team|list|care|note)")
# "Dr. Scholl's" is a brand; a doctor of that name lacks the "'s".
_BRAND = re.compile(rf"{any_of(NAMES('brands_with_titles'))}(?![\w])")
_DIGIT = re.compile(r"\d")
# A digit that may describe the person of the name before it.
_DESCRIBED_SHAPE = re.compile(rb"0(?:(?<=[,deA] 0)|(?<= a 0)|(?<=an 0)|(?<= \(0))")
_NAMED = trigger(("name", "surname"))
_SURE_SCORE = 0.8  # a title or a label announces the name
_EPONYM_THINGS = NAMES("eponym_things")
_SHORT_LENGTH = 3  # letters of a name in capitals that is an abbreviation too


def name_spans(text: ScannedText) -> Iterator[Span]:
    """The names of persons in a text, "John Doe" included, initials excluded."""
    ends: list[int] = []
    for start, end, score in _candidate_spans(text):
        begin, finish = trim_name(text.raw, start, end, sure=score >= _SURE_SCORE)
        titled = _TITLED.search(text.raw, max(0, begin - 7), begin) is not None
        if (
            finish > begin
            and _BRAND.match(text.raw, begin) is None
            and (
                not is_no_person(text.raw, begin, finish, titled=titled)
                or (
                    score >= _SURE_SCORE
                    and _CARE_AFTER.match(text.raw, finish)
                    and not is_placeholder(text.raw[begin:finish])
                )
            )
        ):
            yield Span("name", begin, finish, score)
            ends.append(finish)
    for start, end, score in joined_names(text.raw, ends):
        yield Span("name", start, end, score)


def _candidate_spans(text: ScannedText) -> Iterator[tuple[int, int, float]]:
    yield from small_letter_names(text)
    spoken = is_conversation(text)
    yield from announced_names(text, spoken=spoken)
    yield from spoken_names(text, spoken=spoken)
    yield from lone_names(text)
    stretches = stretches_of(text.raw) if text.may_match(TWO_CAPITALS_SHAPE) else []
    yield from listed_names(text, stretches)
    yield from unknown_names(text, stretches, spoken=spoken)
    if text.marks.held & _NAMED:
        for pattern, score in LABELLED_NAMES:
            for match in pattern.finditer(text.raw):
                yield (*match.span("v"), score)
    yield from described_names(text, stretches, spoken=spoken)
    yield from placed_names(text, stretches, spoken=spoken)
    if not stretches:
        return
    tried = [entry for entry in NAME_PATTERNS if entry.may_match(text.marks)]
    given = text.marks.held & GIVEN and text.marks.capitalized & GIVEN_PARTS
    aged = text.has_digit and text.may_match(_DESCRIBED_SHAPE)
    worded = text.has_digit and text.marks.held & DESCRIBING
    for stretch in stretches:
        for entry in tried:
            yield from _pattern_names(entry, text.raw, stretch)
        if worded or (aged and _DIGIT.search(text.raw, stretch.begin, stretch.end)):
            yield from _described_names(text.raw, stretch.begin, stretch.end)
        if given:
            yield from _given_names(text.raw, stretch.begin, stretch.end)
            yield from _turned_names(text.raw, stretch)


def _pattern_names(
    entry: NamePattern, text: str, stretch: Stretch
) -> Iterator[tuple[int, int, float]]:
    found = (
        entry.pattern.finditer(text, stretch.begin, stretch.end)
        if entry.titled
        else stretch.matches(entry.pattern, text)
    )
    for match in found:
        if "k" not in entry.pattern.groupindex or match["k"].lower() in KNOWN_NAMES:
            yield (*match.span("v"), entry.score)


def _given_names(text: str, begin: int, end: int) -> Iterator[tuple[int, int, float]]:
    match = NAME_PAIR.search(text, begin, end)
    while match:
        if _is_known_pair(match["g"], match["f"]):
            yield (*match.span(), 0.7)
            begin = match.end()
        elif match["g"].lower() in NON_NAME_WORDS:
            # "In Reginald Thorne": the name begins with the second word.
            begin = match.end("g")
        else:
            begin = match.end()
        match = NAME_PAIR.search(text, begin, end)


def _is_known_pair(given: str, family: str) -> bool:
    lowered = family.lower()
    # "ZOE" is a cement, too.
    doubtful = given.isupper() and lowered not in FAMILY_NAMES
    if doubtful and (len(given) <= _SHORT_LENGTH or not family.isupper()):
        return False
    if lowered.startswith(("i'", "i’")) or lowered in _EPONYM_THINGS:
        return False
    if lowered in NON_NAME_WORDS and lowered not in FAMILY_NAMES:
        return False
    # "Hyun-woo" is as good as "Hyun".
    return given.lower() in GIVEN_NAMES or given.split("-", maxsplit=1)[0].lower() in GIVEN_NAMES


def _turned_names(text: str, stretch: Stretch) -> Iterator[tuple[int, int, float]]:
    """Known family names before known given names: "Weaver, Thomas"."""
    for match in stretch.matches(TURNED_NAME, text):
        if match["f"].lower() in FAMILY_NAMES and match["g"].lower() in GIVEN_NAMES:
            yield (*match.span(), 0.7)


def _described_names(text: str, begin: int, end: int) -> Iterator[tuple[int, int, float]]:
    for hint in DESCRIBED_HINT.finditer(text, begin, end):
        before = max(0, hint.start() - 60)
        if name := NAME_BEFORE_HINT.search(text[before : hint.start()]):
            yield before + name.start(), hint.start(), 0.8
