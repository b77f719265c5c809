"""What the reader finds in a text: doubtful spans, which reject no row by themselves.

Belongs here: which score counts, and the span of a kind. Does not: candidates (candidates), their
features (features), the weights (weights), or what a doubtful span does (scan).
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

from bioinstruct_dagster.curation.privacy.dates import is_of_no_person
from bioinstruct_dagster.curation.privacy.kinds import DOUBTFUL_SCORE, Span
from bioinstruct_dagster.curation.privacy.reader.candidates import (
    HIGH_AGES,
    Candidate,
    candidates,
    tells_little,
)
from bioinstruct_dagster.curation.privacy.reader.features import (
    TextFacts,
    facts_of,
    features_of,
)
from bioinstruct_dagster.curation.privacy.reader.weights import CandidateScore, shipped_weights
from bioinstruct_dagster.curation.privacy.reader.word_features import WordSigns
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.vocabulary import NOTED, any_of

# The logarithm of the odds that flag a row.
SURE_MARGIN = 0.5
# What a language model's label adds to it, beside another detail: alone, it is too often wrong.
SEEN_BONUS = 1.0
# In a text that speaks of groups only, such as the report of a study, the hospitals and towns of
# the study are many and identify nobody.
GROUP_MARGINS = {"facility": 3.5, "town": 3.5, "address": 3.5, "name": 1.5}
_GROUP_MARGIN = 0.8
_TWO_CAPITALS = re.compile(r"[A-Z](?<=[a-z,] .)[\w'’-]+\.? [A-Z][\w'’]+")
_CODE_SHAPES = b"A-0000", b"A/0000", b"A0000", b"00-0000", b"0-A", b"AA 0000"
# In a text that holds another detail of a person, less is enough, least of all for words: of
# numbers, the patterns already see most that identify.
BESIDE_MARGINS = {"words": -2.5, "figures": -1.0, "web": -1.0, "age": -1.5}
_SMALL_MARGIN = -0.5  # of words in small letters, which are mostly no names
_AGE_MARGIN = -0.5  # of an age in figures, which groups have, too
_BESIDE_SCORE = 0.5
# Enough for the surname beside a given name that is surer.
_PARTNER_MARGIN, _COMMAS = -4.0, frozenset((", ", ","))
_KINDS = {
    "name": "name", "facility": "location", "town": "location", "address": "location",
    "date": "date", "age": "age_over_89",
}  # fmt: skip
# What of an address stands before and after its words in capitals.
_NUMBER_BEFORE = re.compile(
    r"(?:\b\d{1,5}[A-Za-z]?(?:[/-]\d{1,4})?,?\s(?:bis|ter)?,?\s?)?"
    r"(?:\b(?:rue|avenue|impasse|chemin|place|boulevard|calle|via|rua|ulica)\s(?:\w{1,3}\s){0,2})?$"
)
_NUMBER_AFTER = re.compile(
    r",?\s(?:number|no\.?|apt\.?|apartment|flat|unit|lot|#)\s?(?:\d{1,5}[A-Za-z]?"
    r"|[a-z]{3,9}(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?)\b|,?\s\d{1,5}\b"
)
_TYPE = any_of(NOTED("facility_types"))
_AROUND = {
    "address": (_NUMBER_BEFORE, _NUMBER_AFTER),
    "facility": (
        re.compile(r"\b(?:Dr|Drs|St|the)\.? $"),
        re.compile(rf"(?: (?!and|or\b|the|for|with|from)[a-z]{{3,10}})? {_TYPE}\b(?! [A-Z])"),
    ),
    "date": (
        re.compile(
            r"\b(?:(?:the )?(?:middle|end|beginning|start|night|morning|evening) of |mid[- ]?"
            r"|early |late |the )$"
        ),
        re.compile(
            r" (?:inst|ult|prox)\b\.?|,? (?:of )?(?:this|last|next) year\b"
            r"|,? (?:['’]\d\d|(?:19|20)\d\d)\b"
        ),
    ),
    "age": (
        re.compile(r"\b(?:[Aa]ged?:?|(?:wo)?man of|lady of|gentleman of) $"),
        re.compile(r"[ -]?(?:years?|yrs?)(?:[ -](?:old|\d\d? (?:mths?|months?)))?\b| and a half\b"),
    ),
}


@cache
def _signs() -> WordSigns:
    return WordSigns(shipped_weights().known)


def read_spans(text: ScannedText, *, told: bool, seen: Sequence[Span] = ()) -> list[Span]:
    """The spans that the reader finds in a text.

    Args:
        text: the text.
        told: whether something else in the text tells of a person. If nothing does, a text that
            speaks of groups needs more.
        seen: the persons and places that a language model saw. Beside another
            detail, a candidate among them needs less.
    """
    facts = facts_of(text)
    if not told:
        if facts.of_many and not _may_tell_one(text):
            return []
        first = _read(text, facts, (), told=False)
        if not any(_is_sure(reading, of_many=facts.of_many) for _, reading in first):
            return []
    # Beside what is sure, less is enough: all candidates are read.
    return list(_spans(text.raw, list(_read(text, facts, seen, told=True))))


def _read(
    text: ScannedText, facts: TextFacts, seen: Sequence[Span], *, told: bool
) -> Iterator[tuple[Candidate, CandidateScore]]:
    """The candidates of a text with their scores; unless `told`, those that may be sure alone."""
    weights, signs = shipped_weights(), _signs()
    for one in candidates(text, weights.known, told=told):
        if not told and (
            (facts.of_many and len(one.words) == 1 and one.form == "words")
            or tells_little(text.raw, one, weights.known)
        ):
            continue
        reading = weights.read(features_of(text, one, facts, signs))
        if (
            told
            and one.form == "words"
            and any(span.start < one.end and one.start < span.end for span in seen)
        ):
            reading = reading._replace(margin=reading.margin + SEEN_BONUS)
        yield one, reading


def _may_tell_one(text: ScannedText) -> bool:
    """Whether a text of groups holds two capitals within a sentence, a mail address or a code."""
    return (
        "@" in text.raw
        or text.has_shape(*_CODE_SHAPES)
        or _TWO_CAPITALS.search(text.raw) is not None
    )


def _is_sure(reading: CandidateScore, *, of_many: bool) -> bool:
    """Whether a candidate is an identifier though nothing else tells of a person."""
    if of_many:
        return reading.margin > GROUP_MARGINS.get(reading.kind, _GROUP_MARGIN)
    return reading.margin > SURE_MARGIN


def _spans(raw: str, read: Sequence[tuple[Candidate, CandidateScore]]) -> Iterator[Span]:
    partners = set(_partners(raw, read))
    for one, reading in read:
        small = one.form == "words" and raw[one.start].islower()
        least = _SMALL_MARGIN if small else BESIDE_MARGINS[one.form]
        if one.words[0] in HIGH_AGES:
            least = _AGE_MARGIN
        if reading.margin > least or one in partners:
            score = DOUBTFUL_SCORE if reading.margin > SURE_MARGIN else _BESIDE_SCORE
            start, end = one.start, one.end
            if reading.kind == "date" and is_of_no_person(raw, start, end):
                continue
            start, end = _whole(raw, start, end, reading.kind)
            yield Span(_kind(one, reading), start, end, score)


def _partners(raw: str, read: Sequence[tuple[Candidate, CandidateScore]]) -> Iterator[Candidate]:
    """The other half of a name with a comma: "WEATHERSPOON, ODESSA" is two candidates."""
    named = [
        (one, reading)
        for one, reading in read
        if one.form == "words" and reading.kind == "name" and reading.margin > _PARTNER_MARGIN
    ]
    for (first, reading), (second, other) in pairwise(named):
        if raw[first.end : second.start] in _COMMAS and (
            max(reading.margin, other.margin) > BESIDE_MARGINS["words"]
        ):
            yield from (first, second)


def _kind(one: Candidate, reading: CandidateScore) -> str:
    if one.form == "web":
        word = one.words[0]
        return "email" if "@" in word else "url" if "/" in word or "www." in word else "photo"
    return _KINDS.get(reading.kind, "other_id")


def _whole(raw: str, start: int, end: int, kind: str) -> tuple[int, int]:
    """The identifier with what belongs to it and is in no capitals: "Kilbride post office"."""
    if kind not in _AROUND:
        return start, end
    expression_before, expression_after = _AROUND[kind]
    before = expression_before.search(raw, max(0, start - 40), start)
    after = expression_after.match(raw, end)
    return before.start() if before else start, after.end() if after else end
