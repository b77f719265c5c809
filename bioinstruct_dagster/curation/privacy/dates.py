"""Dates that are tied to a person.

Belongs here: how a sentence ties a date to a person (by a birth, a visit, a stay) and not to a
study, a guideline or a publication. Does not: ages (old_ages) or names (names.persons). The words
are in `words/dates.yaml`. Every repetition is bounded.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from bioinstruct_dagster.curation.privacy.kinds import DOUBTFUL_SCORE, TEXT_LIMIT, Span
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import DATES, any_of, cues

_BIRTH_SCORE, _EVENT_SCORE, _WEAK_SCORE = 0.85, 0.75, 0.5

MONTHS = DATES("months") | DATES("month_abbreviations")
MONTH_WORDS = cues(MONTHS)
_MONTHS_HELD = trigger(MONTH_WORDS)
_CAPITALIZED_LENGTH = 3  # letters of an abbreviation that is written in capitals, as in "03-MAR-21"
_MONTH = any_of(
    MONTHS,
    {name.upper() for name in DATES("month_abbreviations") if len(name) == _CAPITALIZED_LENGTH},
)
MONTH_NUMBER, DAY_NUMBER = r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
DAY = rf"{DAY_NUMBER}(?:st|nd|rd|th)?"
_YEAR = r"(?:19|20)\d\d"
# With the day: "March 3", "March 3rd, 2021", "3 March 2021", "03-Mar-21".
_DATES_WITH_DAY = re.compile(
    rf"(?<![\w.-])(?:{_MONTH}\b\.?\s{DAY}\b(?:,?\s(?P<y1>{_YEAR})\b)?"
    rf"|{DAY}(?:\sof)?[\s-]{_MONTH}\b(?:\.?,?[\s-](?P<y2>{_YEAR}\b|\d\d(?!\s(?:day|hour|week|month|year|patient))(?=[\s,.;)]"
    rf"|$)))?|{DAY}{_MONTH}(?P<y3>{_YEAR}))(?![%/\w]|,?\s1[0-8]\d\d\b)"
)
# Right after a label of a birth: "19490411", "April eleventh nineteen forty nine", "04 11 1949".
_ONES = "(?:one|two|three|four|five|six|seven|eight|nine)"
_TENS = "(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
_SPOKEN_DAY = r"(?:(?:twenty|thirty)[- ])?(?:first|second|third|[a-z]{2,8}th|twentieth|thirtieth)"
_SPOKEN_YEAR = (
    r"(?:nineteen|twenty|two thousand(?:[ ]and)?)"
    rf"(?:[ -](?:{_TENS}|{_ONES}|[a-z]{{1,4}}teen|ten|eleven|twelve|oh)){{0,2}}"
)
_NUMBER_WORDS = (
    rf"(?:{_ONES}|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
    rf"|twenty|thirty|oh[- ]{_ONES})"
)
_SPOKEN_YEAR_WORDS = trigger(
    (
        *("nineteen", "twenty", "thousand", "first", "second", "third", "fourth", "fifth", "sixth"),
        *("seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth"),
        *("fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth"),
        "thirtieth",
    )
)
_SHORT_YEAR = re.compile(r"['’]\d\d\b")
_BIRTH_LABEL, _BIRTH_CUES = any_of(DATES("birth_labels")), cues(DATES("birth_labels"))
_BIRTHS = trigger(_BIRTH_CUES)
_WITHOUT_DIGIT = _BIRTHS | _SPOKEN_YEAR_WORDS
_SHORT_SHAPE = re.compile(rb" 0(?:/0|0/0)")
_LABELLED_BIRTHS = re.compile(
    rf"\b(?i:{_BIRTH_LABEL})(?:\s\([\w/ -]{{2,16}}\))?(?i:\s(?:is|was|on|of|in)\b)?[^\w\n]{{0,6}}"
    r"(?:\n?Patient:\s(?:(?:It['’]s|It\sis|Yes|Sure|Oh|Um)[,.]?\s){0,2}(?:the\s)?)?"
    r"(?P<v>(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    r"|\d\d?[ ./-]\d\d?[ ./-](?:19|20)?\d\d|\d\d? ?[./-] \d\d? ?[./-] (?:19|20)?\d\d"
    rf"|(?i:{_NUMBER_WORDS}[ ,]{_NUMBER_WORDS}(?:[ -]{_ONES})?,?[ ](?:{_SPOKEN_YEAR}|{_TENS}[- "
    rf"]?{_ONES}?|oh {_ONES}))"
    rf"|(?i:{_MONTH})\.?[ ](?:the[ ])?(?:{_SPOKEN_DAY}|{DAY}),?[ ](?:of[ ])?"
    rf"(?:{_SPOKEN_YEAR}|['’]\d\d)"
    rf"|(?:the[ ])?{DAY}(?:[ ]of)?[ ](?i:{_MONTH}),?[ ](?:{_SPOKEN_YEAR}|['’]?\d\d))(?![\w/-])"
)
# "May sixth two thousand nine", "March 8 of twenty eleven", "the fourth of July 2012".
_SPOKEN_DATES = re.compile(
    rf"(?<![\w.-]){_MONTH}\.?[ ](?:the[ ])?(?:{_SPOKEN_DAY}|{DAY}),?[ ](?:(?:of|in)[ ])?"
    rf"(?:{_SPOKEN_YEAR}|['’]\d\d)(?!\w)"
    rf"|\b(?:the[ ])?{_SPOKEN_DAY}[ ](?:of[ ])?{_MONTH},?[ ](?:{_SPOKEN_YEAR}|{_YEAR}|['’]\d\d)"
    rf"(?!\w)"
    rf"|(?<![\w.-]){DAY}[ ](?:of[ ])?{_MONTH},?[ ](?:{_SPOKEN_YEAR}|['’]\d\d)(?!\w)"
)
_MONTHS_WITH_YEAR = re.compile(rf"(?<![\w.-]){_MONTH}\b\.?,?\s(?:of\s)?{_YEAR}\b")
_SHORT_DATES = re.compile(rf"(?<=\s){MONTH_NUMBER}/{DAY_NUMBER}(?![\w/%]|\.\d)")
_SHORT_DATE_CUE = re.compile(
    rf"\b(?:{any_of(DATES('short_date_cues'))}(?:\s(?:on|of))?|dob|on)[:\s]{{1,2}}$",
    re.IGNORECASE,
)


def _whole_words(*names: str) -> re.Pattern[str]:
    return re.compile(rf"\b{any_of(*map(DATES, names))}(?!\w)", re.IGNORECASE)


def _word_beginnings(beginnings: str, whole: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{any_of(DATES(beginnings))}|{any_of(DATES(whole))}\b)", re.IGNORECASE)


_BIRTH_WORDS, _EVENT_WORDS = _whole_words("births"), _whole_words("events")
# A stay, a visit or a death belongs to a person even if the text names no person.
_STAY_WORDS = _whole_words("stays")
# These words tie a date to no person: publications, studies, approvals, ranges of time.
_WORLD_WORDS = _word_beginnings("world_beginnings", "world_words")
_NOTE_WORDS = _word_beginnings("note_beginnings", "note_words")
_ONE_PERSON = re.compile(
    rf"\b(?:{any_of(DATES('one_person'))}|\d{{1,3}}[- ](?:year|yr|month)s?[- ]old)\b(?!s)",
    re.IGNORECASE,
)
# Several people: "adults admitted to the ICU from", "the records of 90 women".
_MANY_PERSONS = re.compile(
    rf"\b(?:{any_of(DATES('many_persons'))})\b|\b(?:{any_of(DATES('studied'))})\b", re.IGNORECASE
)
# A date right after such a word is a patient's, even if a trial or a search is in the sentence.
_DATE_LABEL = re.compile(
    rf"\b{any_of(DATES('stays'))}(?!\w)[^.;!?\n\w]{{0,4}}(?:\w{{2,12}}\s){{0,2}}?(?:(?:on|to|from|date|in)\b[^.;!?\n\w]{{0,4}}){{0,2}}$",
    re.IGNORECASE,
)
# The records of a person are released, too.
_RELEASED = re.compile(
    r"\b(?:records?|results|notes?|chart|information) (?:were |was )?released\b", re.IGNORECASE
)
# "Enrolled 14 March 2011", where one line says no more.
_LONE_LABEL = re.compile(
    r"\s*(?:enrol(?:led|ment)|randomi[sz]ed|consented|screened|withdrawn|withdrew|registered|ty"
    r"ped|released|issued|updated|updated by \w+)"
    r"(?:\sdate)?[:,]?\s(?:on\s)?",
    re.IGNORECASE,
)
_RANGE_AFTER = re.compile(
    rf",?\s?(?:to|through|until|till|and|[-–—])\s?(?:(?:{_MONTH}|\d{{1,2}}(?:st|nd|rd|th)?|of)[\s./,-]{{1,2}}){{0,3}}(?P<y>{_YEAR})\b"
)
_RANGE_BEFORE = re.compile(
    rf"\b(?P<y>{_YEAR}),?\s?(?:to|through|until|till|and|[-–—])\s?(?:the\s)?$"
)
_YEAR_OF = re.compile(_YEAR)
_LATE_MONTH, _EARLY_MONTH = (
    re.compile(pattern) for pattern in (r"Nov|Dec|1[12][/.-]", r"Jan|Feb|\b0?[12][/.-]")
)
_SENTENCE_END = re.compile(r"(?<!\bb)(?<!\bMr)(?<!\bDr)(?<!\bMs)(?<!Mrs)(?<!\b[A-Z])[.!?;]\s|\n")
_BEFORE, _AFTER = 160, 80  # characters of a sentence that are read


def date_spans(text: ScannedText, numeric: Sequence[Span], named: Sequence[Span]) -> Iterator[Span]:
    """The dates of a text that belong to a person; their context decides the score.

    Args:
        text: the text.
        numeric: dates in figures, as Presidio found them.
        named: the names of persons in the text.
    """
    if not text.has_digit and not text.marks.held & _WITHOUT_DIGIT:
        return
    names = sorted(span.start for span in named)
    spoken: set[tuple[int, int]] = set()
    dates = [(span.start, span.end, True) for span in numeric]
    if months_in(text):
        if text.has_digit:
            dates += (
                (*match.span(), bool(match["y1"] or match["y2"] or match["y3"]))
                for match in _DATES_WITH_DAY.finditer(text.raw)
            )
            yield from _month_spans(text.raw, names)
        if text.marks.held & _SPOKEN_YEAR_WORDS or _SHORT_YEAR.search(text.raw):
            spoken = {match.span() for match in _SPOKEN_DATES.finditer(text.raw)}
            dates += ((*span, True) for span in sorted(spoken))
    if text.has_digit and text.may_match(_SHORT_SHAPE):
        dates += (
            (*match.span(), False)
            for match in _SHORT_DATES.finditer(text.raw)
            if _SHORT_DATE_CUE.search(text.raw[max(0, match.start() - 30) : match.start()])
        )
    for match in _LABELLED_BIRTHS.finditer(text.raw) if text.marks.held & _BIRTHS else ():
        yield Span("date", *match.span("v"), _BIRTH_SCORE)
    notes = [match.start() for match in _NOTE_WORDS.finditer(text.raw)] if dates else []
    for start, end, full in dates:
        score = _score(text.raw, start, end, names, note=_is_in_note(text.raw, start, notes))
        if score:
            # What is said in words identifies only beside a name.
            doubtful = score == _WEAK_SCORE or (start, end) in spoken
            sure = DOUBTFUL_SCORE if doubtful else score
            yield Span("date", start, end, sure if full else _WEAK_SCORE)


def months_in(text: ScannedText) -> frozenset[str]:
    """The months in a text, in small letters; most texts say "may" and mean no month."""
    if not text.marks.held & _MONTHS_HELD:
        return frozenset()
    held = text.words & MONTH_WORDS
    if "may" in held and "May" not in text.raw and "MAY" not in text.raw:
        return held - {"may"}
    return held


def _is_in_note(text: str, start: int, notes: Sequence[int]) -> bool:
    """Whether the text of a row in which a date stands is a note; `notes` are places of words."""
    if not notes:
        return False
    begin, end = text.rfind(TEXT_LIMIT, 0, start), text.find(TEXT_LIMIT, start)
    return any(begin < place and (place < end or end < 0) for place in notes)


_DAY_BEFORE = re.compile(r"\d(?:st|nd|rd|th)?(?:\sof)?[\s-]$")


def _month_spans(text: str, names: Sequence[int]) -> Iterator[Span]:
    """Dates of a month and a year; each counts only if its sentence is about one person."""
    for match in _MONTHS_WITH_YEAR.finditer(text):
        before, after = _sentence(text, *match.span())
        if _BIRTH_WORDS.search(before[-24:]) and not _DAY_BEFORE.search(before):
            yield Span("date", *match.span(), DOUBTFUL_SCORE)
        tied = (
            _BIRTH_WORDS.search(before) or _STAY_WORDS.search(before) or _EVENT_WORDS.search(before)
        )
        if (
            tied
            and not _WORLD_WORDS.search(before + after)
            and (
                _ONE_PERSON.search(before + after) or _is_near(names, match.start(), before, after)
            )
        ):
            yield Span("date", *match.span(), _WEAK_SCORE)


def _score(text: str, start: int, end: int, names: Sequence[int], *, note: bool) -> float:
    """How certain it is that a date belongs to a person; 0.0 if it does not."""
    before, after = _sentence(text, start, end)
    around = f"{before} {after}"
    one = _ONE_PERSON.search(around) is not None
    if is_long_range(text[start:end], before, after) or (not one and _MANY_PERSONS.search(around)):
        return 0.0
    if labelled := _labelled_score(before):
        return labelled
    if _LONE_LABEL.fullmatch(before) or _RELEASED.search(before):
        return _WEAK_SCORE
    if _WORLD_WORDS.search(before) or _WORLD_WORDS.search(after):
        return 0.0
    one = one or _is_near(names, start, before, after)
    if _STAY_WORDS.search(before) or (one and _STAY_WORDS.search(after)):
        return _EVENT_SCORE
    event = _EVENT_WORDS.search(before) or _EVENT_WORDS.search(after)
    return _EVENT_SCORE if event and (one or note) else _WEAK_SCORE


def is_of_no_person(text: str, start: int, end: int) -> bool:
    """Whether its sentence ties a date to a study, a publication or many persons."""
    before, after = _sentence(text, start, end)
    around = f"{before} {after}"
    if _labelled_score(before) or _ONE_PERSON.search(around):
        return False
    words = _WORLD_WORDS.search(around) or _MANY_PERSONS.search(around)
    return words is not None or is_long_range(text[start:end], before, after)


def _labelled_score(before: str) -> float:
    """The score of a date right after a word of a birth or a stay; 0.0 without one."""
    if _BIRTH_WORDS.search(before[-60:]):
        return _BIRTH_SCORE
    return _EVENT_SCORE if _DATE_LABEL.search(before) else 0.0


def is_long_range(date: str, before: str, after: str) -> bool:
    """Whether a date is one end of a range over several years, as studies have them.

    A stay may pass the end of a year: "from December 28, 2020 to January 4, 2021".
    """
    own = _YEAR_OF.search(date)
    if not own:
        return False
    if match := _RANGE_AFTER.match(after):
        first, last, early, late = own[0], match["y"], date, match[0]
    elif match := _RANGE_BEFORE.search(before):
        first, last, early, late = match["y"], own[0], before[-24:], date
    else:
        return False
    years = int(last) - int(first)
    if years == 1:
        return not (_LATE_MONTH.search(early) and _EARLY_MONTH.search(late))
    return years > 1


def _is_near(names: Sequence[int], start: int, before: str, after: str) -> bool:
    """Whether a name begins in the sentence of a date; `names` are the sorted starts of names."""
    first = bisect_left(names, start - len(before))
    return first < len(names) and names[first] <= start + len(after) + _AFTER


def _sentence(text: str, start: int, end: int) -> tuple[str, str]:
    """The text before the span and the text after it, within its sentence or line."""
    before, after = (
        text[max(0, start - _BEFORE) : start],
        text[end : end + _AFTER],
    )
    begins = 0
    for match in _SENTENCE_END.finditer(before):
        begins = match.end()
    ends = _SENTENCE_END.search(after)
    return before[begins:], after[: ends.start()] if ends else after
