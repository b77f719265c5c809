"""Days of events in a text about one person, in any notation: "the third of March", "14MAR21".

Belongs here: the notations, and the words that make a day a publication's or a study's. Does not:
what makes a date surely a person's (dates). The words are in `words/noted.yaml` and
`words/dates.yaml`. Every repetition is bounded.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.dates import (
    DAY,
    DAY_NUMBER,
    MONTH_NUMBER,
    MONTH_WORDS,
    MONTHS,
    is_long_range,
    months_in,
)
from bioinstruct_dagster.curation.privacy.kinds import DOUBTFUL_SCORE, Span
from bioinstruct_dagster.curation.privacy.noted.persons import ONE_PERSON, sentence_around
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import (
    NOTED,
    any_of,
    around_words,
    cues,
    pieces,
)

_MONTH = any_of(MONTHS, {name.upper() for name in MONTHS if name != "May"})
_YEAR = r"(?:(?:19|20)\d\d|['’]\d\d)"
_ORDINAL = (
    r"(?:(?:[Tt]wenty|[Tt]hirty)[-\s])?(?:[Ff]irst|[Ss]econd|[Tt]hird|[Ff]ourth|[Ff]ifth|[Ss]ixth|[Ss]eventh|[Ee]ighth|[Nn]inth"
    r"|[Tt]enth|[Ee]leventh|[Tt]welfth|[a-z]{4,5}teenth|[Tt]wentieth|[Tt]hirtieth)"
)
_ONE_DAY = rf"(?:{DAY}|{_ORDINAL})"
_TO = r"\s?(?:-|–|to|and|or|/|&|through|until|till)\s?"
_WEEKDAY = rf"{any_of(NOTED('weekdays'))}\.?,?"
_WORDED = re.compile(
    rf"(?<![\w.-]){_MONTH}\b\.?,?\s(?:the\s)?{_ONE_DAY}(?:{_TO}(?:the\s)?{_ONE_DAY})?\b(?!\s?(?:%|mg|hours|days|weeks|percent|years|patients|of\sthe))(?:,?\s{_YEAR}\b)?"
    rf"|(?<![\w./-])(?:{_ONE_DAY}{_TO}(?:the\s)?)?{_ONE_DAY}(?:\sday)?(?:,?\s(?:of\s)?|-|/|\.(?=[A-Z]))?{_MONTH}\b(?!['’-]s)(?:[.,]{{0,2}}[\s/-]?(?:of\s)?(?:{_YEAR}|\d\d)\b)?"
    rf"|(?<![\w.-]){DAY}{_MONTH}(?:19|20)?\d\d\b|(?<![\w.-]){_MONTH}-?{DAY}-?(?:19|20)?\d\d\b"
)
_MONTH_OF_YEAR = re.compile(rf"(?<![\w.-]){_MONTH}\b\.?,?\s?(?:of\s|in\s|/|-)?{_YEAR}\b")
_FIGURES_OF_MONTH = re.compile(r"(?<![\w./-])(?:0?[1-9]|1[0-2])/(?:19|20)\d\d(?![/\d])")
_FIGURES_OF_MONTH_HINT = re.compile(r"\d/(?:19|20)\d\d(?![/\d])")
_FIGURES = re.compile(
    r"(?<![\w./$€£,-])(?:\d\d?/\d\d?/(?:(?:19|20)\d\d|\d\d)|\d\d?\.\d\d?\.(?:(?:19|20)\d\d|\d\d)|\d\d?-\d\d?-(?:(?:19|20)\d\d|\d\d)"
    r"|(?:19|20)\d\d([-/.])\d\d?\1\d\d?|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|\d\d?\s?/\s?\d\d?\s?/\s?(?:19|20)\d\d"
    r"|(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:19|20)\d\d)(?![\w/%-]|[.,:]\d)"
)
_FIGURES_HINT = re.compile(
    r"\d(?:\d?\s?[./-]\s?\d\d?\s?[./-]\s?\d\d|\d{3}[./-]\d\d?[./-]\d|\d{7}(?!\d))"
)
# Texts without one of these shapes hold no day in figures; they are quicker to search for.
_FIGURES_SHAPE = re.compile(rb"0(?:[./-]00?[./-]0|0{7}| ?/ ?00? ?/ ?0)")
_SLASHED_SHAPE = re.compile(rb"0(?:/0(?<=[ (]0/0)|0/0(?<=[ (]00/0))")
_OTHER_SHAPE = re.compile(rb"0(?:0?\.00?\.| ?[/.] ?A)")
_MONTH_AND_DAY = f"{MONTH_NUMBER}/{DAY_NUMBER}"
_SHORT = re.compile(
    r"(?<![\w./-])(?:on|since|until|till|by|dated|due|through|before|after|starting|from|for|[Ss]een|[Aa]dmitted|[Dd]ischarged|[Dd]rawn|date|[Oo]n|[Ss]ince)\s"
    rf"(?P<v>{_MONTH_AND_DAY}(?:\s?(?:-|–|to|through|and)\s?{_MONTH_AND_DAY})?)(?![\w/%-]|[.,:]\d|\s?(?:mg|ml|of|to|on|in\s(?:the|all)|strength|pain|%|positive|patients|x))"
)
_FRACTIONS = frozenset(("1/2", "1/3", "2/3", "1/4", "3/4"))
_SHORT_HINT = re.compile(r"\d/(?<=[\s(]\d/)\d|\d\d/(?<=[\s(]\d\d/)\d")
_NO_SHORT = re.compile(rf"\b{any_of(NOTED('no_short_dates_before'))}\b", re.IGNORECASE)
# Forms that are no score and no strength: "19/6", "3/22", "2/3-2/9".
_BARE = re.compile(
    r"(?<![\w./$-])(?P<v>(?:1[3-9]|2[1-35-9]|3[01])/(?:0?[1-9]|1[0-2])|(?:0?[1-9]|1[0-2])/(?:1[134679]|1[68]|2[1236789]|31)"
    rf"|{_MONTH_AND_DAY}\s?[-–]\s?{_MONTH_AND_DAY})(?![\w/%-]|[.,:]\d|\s?\(|\s?(?:mg|ml|of|in\s(?:the|all)|strength|pain|%|positive|patients|x|inch|mm|cm))"
)
# "3/III", "on 29.11., ".
_OTHER_FIGURES = re.compile(
    r"(?<![\w./])\d{1,2}\s?[/.]\s?(?:I{1,3}|IV|VI{1,3}|IX|XI{0,2})(?:[/.]\s?(?:19|20)?\d\d)?(?![\w/])"
    rf"|\b(?:on|since|until|till|dated|seen|from|by|of|[Oo]n)\s(?P<v>{DAY_NUMBER}\.{MONTH_NUMBER}\.)(?=[\s,;)]|$)"
)
_OTHER_HINT = re.compile(r"\d(?:\s?[/.]\s?[IVX]|\d?\.\d{1,2}\.(?!\d))")
_ORDINAL_DAY = re.compile(
    rf"\b(?:[Oo]n\s)?{_WEEKDAY}\s(?:the\s)?(?P<v>\d{{1,2}}(?:st|nd|rd|th)|{_ORDINAL})(?=[,.;)\n]|\s(?:of|at|and|for|with|by|when|after|in\sthe)\b|$)"
    rf"|\b(?:started|began|since|until|till|on|due|seen|admitted|discharged)\s(?P<x>\d{{1,2}}(?:st|nd|rd|th))(?=[,.;)\n]|$)"
    rf"|\b(?:on|since|until|till|by|from|before|after)\sthe\s(?P<w>\d{{1,2}}(?:st|nd|rd|th))(?=[,.;)\n]|\s(?:at|of\s(?:this|last|next|the)\smonth|and\s(?:has|was|is|he|she|I)|with|when|he|she|I|for|by|in\sthe\s(?:morning|evening|afternoon))\b|$)"
)
_SIGNS = trigger(("st", "nd", "rd", "th"))
_ORDINAL_SIGN = re.compile(r"\d(?:st|nd|rd|th)\b")
_HOLIDAY = re.compile(rf"\b{any_of(NOTED('holidays'))}(?![\w])(?:,?\s{_YEAR})?")
_HOLIDAY_WORDS = cues(NOTED("holidays"))
_HOLIDAYS = trigger(_HOLIDAY_WORDS)
# A day without a figure holds one of them.
DAY_HELD = trigger(MONTH_WORDS - {"may"}, _HOLIDAY_WORDS, cues(NOTED("weekdays")))

_WORLD = re.compile(rf"\b(?:{any_of(NOTED('world_events'))})", re.IGNORECASE)
_YEAR_DIGITS = re.compile(r"\d{4}")
_MANY = re.compile(r"\bwere\b", re.IGNORECASE)  # in a text about one, "were" tells of its parts
_LAST_DAY, _LAST_MONTH, _YEAR_LENGTH = 31, 12, 4
_BEFORE, _AFTER = 110, 60


def noted_day_spans(text: ScannedText, *, tied: bool) -> Iterator[Span]:
    """The days of events in a text.

    Args:
        text: the text.
        tied: whether a word for one person must stand beside a month without a day.
    """
    raw = text.raw
    months = months_in(text)
    for begin, end in around_words(text.lowered, months, 40, 40) if months else ():
        yield from _days(_WORDED, raw, begin, end, tied=tied)
        yield from _days(_MONTH_OF_YEAR, raw, begin, end, tied=tied)
    if text.has_digit:
        yield from _in_figures(text, tied=tied)
    for begin, end in (
        text.parts_around(_HOLIDAY_WORDS, 2, 40) if text.marks.held & _HOLIDAYS else ()
    ):
        yield from _days(_HOLIDAY, raw, begin, end, tied=tied)


def _in_figures(text: ScannedText, *, tied: bool) -> Iterator[Span]:
    raw = text.raw
    if text.has_number and text.may_match(_FIGURES_SHAPE):
        for span in _tried(_FIGURES, _FIGURES_HINT, raw, tied=tied):
            if _is_day(re.findall(r"\d+", raw[span.start : span.end])):
                yield span
    dotted = text.has_number and ("., " in raw or not tied)
    if (dotted or "/I" in raw or "/V" in raw or "/X" in raw) and text.may_match(_OTHER_SHAPE):
        yield from _tried(_OTHER_FIGURES, _OTHER_HINT, raw, tied=tied)
    if "/" in raw:
        yield from _with_slash(text, tied=tied)
    if text.marks.held & _SIGNS:
        yield from _tried(_ORDINAL_DAY, _ORDINAL_SIGN, raw, tied=tied)


def _with_slash(text: ScannedText, *, tied: bool) -> Iterator[Span]:
    raw = text.raw
    if text.may_match(_SLASHED_SHAPE):
        for begin, end in pieces(_SHORT_HINT, raw, 20, 24):
            yield from _short_days(raw, begin, end, tied=tied)
    if "/1" in raw or "/2" in raw:
        yield from _tried(_FIGURES_OF_MONTH, _FIGURES_OF_MONTH_HINT, raw, tied=tied)


def _tried(
    pattern: re.Pattern[str], hint: re.Pattern[str], raw: str, *, tied: bool
) -> Iterator[Span]:
    for begin, end in pieces(hint, raw, 30, 30):
        yield from _days(pattern, raw, begin, end, tied=tied)


def _short_days(raw: str, begin: int, end: int, *, tied: bool) -> Iterator[Span]:
    for pattern in (_SHORT,) if tied else (_SHORT, _BARE):
        for match in pattern.finditer(raw, begin, end):
            if match["v"] not in _FRACTIONS and not _NO_SHORT.search(
                raw, max(0, match.start() - 40), match.end() + 20
            ):
                yield Span("date", *match.span("v"), DOUBTFUL_SCORE)


def _days(
    pattern: re.Pattern[str], raw: str, begin: int, finish: int, *, tied: bool
) -> Iterator[Span]:
    for match in pattern.finditer(raw, begin, finish):
        start, end = match.span(match.lastgroup) if match.lastgroup else match.span()
        before, after = sentence_around(raw, start, end, _BEFORE, _AFTER)
        if (
            (
                (tied or _YEAR_DIGITS.search(raw, start, end))
                and (_MANY.search(before) or _MANY.search(after))
            )
            or _WORLD.search(before)
            or _WORLD.search(after)
            or is_long_range(raw[start:end], before, raw[end : end + _AFTER])
        ):
            continue
        if not tied or ONE_PERSON.search(before) or ONE_PERSON.search(after):
            yield Span("date", start, end, DOUBTFUL_SCORE)


def _is_day(parts: list[str]) -> bool:
    """Whether figures can be a day, a month and a year in any order."""
    if len(parts) == 1:
        return True
    numbers = [int(part) for part in parts]
    days = [number for number in numbers if 0 < number <= _LAST_DAY]
    return (
        any(number <= _LAST_MONTH for number in days)
        and len(days) > 1
        and min(numbers[:2]) > 0
        and (_YEAR_LENGTH in map(len, (parts[0], parts[-1])) or len(parts[-1]) < _YEAR_LENGTH)
    )
