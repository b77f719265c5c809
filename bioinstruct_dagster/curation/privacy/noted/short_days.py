"""Short days that only their surroundings tell: "Tues 4/9", "in today, 12/12,", "dated 8.23.".

Belongs here: days without a year in figures or with a short month, beside a weekday, a preposition
or marks. Does not: other notations (days). The words are in `words/noted.yaml`. Every repetition is
bounded.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.dates import (
    DAY,
    DAY_NUMBER,
    MONTH_NUMBER,
    MONTH_WORDS,
    MONTHS,
)
from bioinstruct_dagster.curation.privacy.kinds import DOUBTFUL_SCORE, Span
from bioinstruct_dagster.curation.privacy.noted.persons import ONE_PERSON, sentence_around
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import NOTED, any_of, cues, pieces

_SLASHED = rf"(?:{MONTH_NUMBER}/{DAY_NUMBER}|{DAY_NUMBER}/{MONTH_NUMBER})(?![\w/%-]|[.,:]\d)"
_DOTTED = rf"(?:{MONTH_NUMBER}\.{DAY_NUMBER}|{DAY_NUMBER}\.{MONTH_NUMBER})\.(?![\w.])"
_MONTH = any_of(MONTHS)
_WEEKDAY = any_of(NOTED("weekdays"))
_TELLING = re.compile(
    # "Tues 4/9", "Thursday, the 25.7."
    rf"\b{_WEEKDAY}\.?,?\s(?:the\s)?\(?(?P<a>{_SLASHED}|{_DOTTED})"
    # "is in today, 12/12,"
    rf"|\b(?:[Tt]oday|[Yy]esterday|[Tt]omorrow|[Tt]onight|this\s(?:morning|afternoon|evening))(?:,\s|\s\()(?P<b>{_SLASHED})"
    # "dated 8.23.,": a full stop after both figures, and the sentence goes on
    rf"|\b(?:on|[Oo]n|since|until|till|dated|date|from|by|seen|due|after|before)\s(?P<c>{_DOTTED})(?=[,;)]|\s[a-z])"
    # "Mrs. Anneliese Brandt, 30.5., with"
    rf"|[a-z],\s(?P<d>{_DOTTED})(?=[,)])"
    # "on 6 Aug he died"
    rf"|\b[Oo]n\s(?:the\s)?(?P<e>{DAY}\s{_MONTH}\b\.?)(?!,?\s(?:of\s)?\d)"
)
_HINT = re.compile(r"\d(?:\d?[/.]\d|(?:\d|st|nd|rd|th|\dst|\dnd|\drd|\dth)?\s[A-Z][a-z]{2})")
# Beside a day with a slash stands a weekday or a word for a part of a day, and in "on 6 Aug" a
# month with a capital. All other days have a full stop after both figures.
_BESIDE_SLASH = trigger(
    cues(NOTED("weekdays")),
    ("today", "yesterday", "tomorrow", "tonight", "morning", "afternoon", "evening"),
)
_MONTHS_HELD = trigger(MONTH_WORDS)
_DOTTED_SHAPES = b"0.0.", b"0.00."
_NO_DAY = re.compile(rf"\b(?:{any_of(NOTED('no_event_words'))})", re.IGNORECASE)
# "On 6 Aug" alone may tell of any cup of tea.
_OF_ONE = re.compile(
    rf"{ONE_PERSON.pattern}|\b(?:fatal|die[ds]|death|admitted|discharged|developed|presented|recovered|hospital\w*)\b",
    re.IGNORECASE,
)
_BEFORE, _AFTER = 24, 24
_NEAR = 70  # characters in which a word makes the day nobody's


def short_day_spans(text: ScannedText) -> Iterator[Span]:
    """The short days of a text, also of a text about many."""
    raw = text.raw
    marks = text.marks
    if not (
        marks.held & _BESIDE_SLASH
        or marks.capitalized & _MONTHS_HELD
        or text.has_shape(*_DOTTED_SHAPES)
    ):
        return
    for begin, end in pieces(_HINT, raw, _BEFORE, _AFTER):
        for match in _TELLING.finditer(raw, begin, end):
            start, finish = match.span(str(match.lastgroup))
            told = "".join(sentence_around(raw, start, finish, _NEAR, _NEAR))
            if not _NO_DAY.search(told) and (not match["e"] or _OF_ONE.search(told)):
                yield Span("date", start, finish, DOUBTFUL_SCORE)
