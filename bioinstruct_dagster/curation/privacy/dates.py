"""Dates that are tied to a person.

Belongs here: what makes a date a person's (a birth, a visit, a stay) and not a study's, a
guideline's or a publication's. Does not: ages (ages), persons' names (persons), nor the words that
decide (`words/dates.yaml`). Every repetition is bounded.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from bioinstruct_dagster.curation.privacy.kinds import ScannedText, Span
from bioinstruct_dagster.curation.privacy.vocabulary import DATES, any_of, cues

_BORN, _EVENT_SCORE, _WEAK = 0.85, 0.75, 0.5

_MONTHS_WRITTEN = DATES("months") | DATES("month_abbreviations")
_MONTH_WORDS = cues(_MONTHS_WRITTEN)
_CAPITALS = 3  # letters of an abbreviation that is written in capitals, as in "03-MAR-21"
_MONTH = any_of(
    _MONTHS_WRITTEN,
    {name.upper() for name in DATES("month_abbreviations") if len(name) == _CAPITALS},
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?:19|20)\d\d"
# With the day: "March 3", "March 3rd, 2021", "3 March 2021", "03-Mar-21".
_DAYS = re.compile(
    rf"(?<![\w.-])(?:{_MONTH}\b\.?\s{_DAY}\b(?:,?\s(?P<y1>{_YEAR})\b)?"
    rf"|{_DAY}(?:\sof)?[\s-]{_MONTH}\b(?:\.?,?[\s-](?P<y2>{_YEAR}\b|\d\d(?=[\s,.;)]"
    rf"|$)))?)(?![%/\w])"
)
_MONTHS = re.compile(rf"(?<![\w.-]){_MONTH}\b\.?,?\s(?:of\s)?{_YEAR}\b")
_SHORT = re.compile(r"(?<=\s)(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01])(?![\w/%]|\.\d)")
_SHORT_CUE = re.compile(
    rf"\b(?:{any_of(DATES('short_date_cues'))}(?:\s(?:on|of))?|dob|on)[:\s]{{1,2}}$",
    re.IGNORECASE,
)


def _whole(*names: str) -> re.Pattern[str]:
    return re.compile(rf"\b{any_of(*map(DATES, names))}(?!\w)", re.IGNORECASE)


def _beginnings(beginnings: str, whole: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{any_of(DATES(beginnings))}|{any_of(DATES(whole))}\b)", re.IGNORECASE)


_BIRTH, _EVENT = _whole("births"), _whole("events")
# A stay, a visit or a death is a person's even where the person is not named.
_STAY = _whole("stays")
# Of the world, not of a person: publications, studies, approvals, ranges of time.
_WORLD = _beginnings("world_beginnings", "world_words")
_NOTE = _beginnings("note_beginnings", "note_words")
_ONE_PERSON = re.compile(
    rf"\b(?:{any_of(DATES('one_person'))}|\d{{1,3}}[- ](?:year|yr|month)s?[- ]old)\b(?!s)",
    re.IGNORECASE,
)
_BREAK = re.compile(r"(?<!\bMr)(?<!\bDr)(?<!\bMs)(?<!Mrs)(?<!\b[A-Z])[.!?;]\s|\n")
_BEFORE, _AFTER = 160, 80


def date_spans(text: ScannedText, numeric: Sequence[Span], named: Sequence[Span]) -> Iterator[Span]:
    """The dates of a text that are a person's, at the score that their context gives them.

    Args:
        text: the text.
        numeric: dates in figures, as Presidio sees them.
        named: the persons that the text names.
    """
    if not text.has_digit:
        return
    names = sorted(span.start for span in named)
    dates = [(span.start, span.end, True) for span in numeric]
    if text.says(_MONTH_WORDS):
        dates += (
            (*match.span(), bool(match["y1"] or match["y2"])) for match in _DAYS.finditer(text.raw)
        )
        yield from _months(text.raw, names)
    if "/" in text.raw:
        dates += (
            (*match.span(), False)
            for match in _SHORT.finditer(text.raw)
            if _SHORT_CUE.search(text.raw[max(0, match.start() - 30) : match.start()])
        )
    note = bool(dates) and _NOTE.search(text.raw) is not None
    for start, end, full in dates:
        score = _score(text.raw, start, end, names, note=note)
        if score:
            yield Span("date", start, end, score if full else _WEAK)


def _months(text: str, names: Sequence[int]) -> Iterator[Span]:
    """A month and a year tell of a person only where the sentence speaks of one."""
    for match in _MONTHS.finditer(text):
        before, after = _sentence(text, *match.span())
        tied = _BIRTH.search(before) or _STAY.search(before) or _EVENT.search(before)
        if (
            tied
            and not _WORLD.search(before + after)
            and (
                _ONE_PERSON.search(before + after) or _is_near(names, match.start(), before, after)
            )
        ):
            yield Span("date", *match.span(), _WEAK)


def _score(text: str, start: int, end: int, names: Sequence[int], *, note: bool) -> float:
    """How surely a date is a person's; 0.0 where it is not."""
    before, after = _sentence(text, start, end)
    if _BIRTH.search(before[-60:]):
        return _BORN
    if _WORLD.search(before) or _WORLD.search(after):
        return 0.0
    if _STAY.search(before):
        return _EVENT_SCORE
    one = _ONE_PERSON.search(before + after) is not None
    one = one or _is_near(names, start, before, after)
    if _EVENT.search(before) or _EVENT.search(after):
        return _EVENT_SCORE if one or note else _WEAK
    return _WEAK if one or note or names else 0.0


def _is_near(names: Sequence[int], start: int, before: str, after: str) -> bool:
    """Whether a name begins in the sentence; `names` are sorted places."""
    first = bisect_left(names, start - len(before))
    return first < len(names) and names[first] <= start + len(after) + _AFTER


def _sentence(text: str, start: int, end: int) -> tuple[str, str]:
    """What stands before and after the span in its sentence or line."""
    before, after = text[max(0, start - _BEFORE) : start], text[end : end + _AFTER]
    begins = 0
    for match in _BREAK.finditer(before):
        begins = match.end()
    ends = _BREAK.search(after)
    return before[begins:], after[: ends.start()] if ends else after
