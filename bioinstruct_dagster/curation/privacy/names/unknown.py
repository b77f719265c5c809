"""Single names that no list holds, where only a person can stand: "Hi, Kateryna.", "Pietro, born".

Belongs here: the few places in a text that announce a person by themselves. Does not: known names
(lone, patterns), or full names (announced). Every repetition is bounded.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from bioinstruct_dagster.curation.privacy.names.forms import (
    ANY_WORD,
    FULL_NAME,
    NON_NAME_WORDS,
    UPPER,
    WORD,
    names_of,
)
from bioinstruct_dagster.curation.privacy.names.stretches import Stretch
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import (
    NAMES,
    all_words,
    cues,
    last_words,
    longest_words,
    pieces,
)

# Words for persons begin sentences as names do: "Mother states".
_NO_NAMES = NON_NAME_WORDS | all_words(
    *map(NAMES, ("relatives", "many_relatives", "staff", "persons", "patient_words", "no_callers"))
)
_GREETED = re.compile(
    rf"(?:^|[\n.!?]\s?|: )(?i:{names_of('greetings')}),? (?P<v>{FULL_NAME}|{WORD})(?= ?[.,!?])"
)
# "How old are you, Lachlan?", but not a list: "Motrin, Advil, Tylenol?"
_ASKED = re.compile(
    rf"(?:^|[\n.!?:] )[^\n.!?:,]{{8,90}}\b(?:you|your|yourself|that|it|today|now|feeling|going)\b"
    rf"[^\n.!?:,]{{0,40}}, (?P<v>{FULL_NAME}|{WORD})(?= ?\?)"
)
_CLOSE_WORDS = longest_words(NAMES("close_persons"))
_CLOSE = re.compile(
    rf"\b(?i:{names_of('close_persons')})(?:, (?P<v>{WORD})(?=[,.;] )| \((?P<w>{WORD})\))"
)
_TELLING_WORDS = longest_words(NAMES("only_persons_do"))
_TELLS = re.compile(
    rf"(?:^|[.!?\n] {{0,2}})(?P<v>{FULL_NAME}|{WORD}) (?={names_of('only_persons_do')}\b)"
)
_MINE_WORDS = longest_words(NAMES("ends_of_life"))
_MINE = re.compile(rf"\b[Mm]y (?P<v>{WORD}) (?={names_of('ends_of_life')}\b)")
# "Patient Singh, Harpreet, record ..."
_TURNED_HELD = trigger(("patient", "pt", "client", "re", "name"))
_TURNED = re.compile(
    rf"\b(?:[Pp]atient|PATIENT|[Pp]t|Client|R[eE]|[Nn]ame):? (?P<v>{ANY_WORD}, {ANY_WORD})"
    r"(?=[,.;:(]|\s(?:was|is|record|DOB|MRN|seen|presents|[(\d])|$)"
)
# 'Raymond "Ray" Dupree'.
_NICKNAMED = re.compile(rf"\b(?P<v>{ANY_WORD} [\"“]{ANY_WORD}[\"”] {ANY_WORD})(?![\w-])")
_QUOTED_HINT = re.compile(r"[\"“][A-Z]")
# A name in capitals right before or after them.
_TELLING, _CLOSING = trigger(cues(NAMES("only_persons_do"))), trigger(NAMES("close_persons"))
_GREETING = trigger(last_words(NAMES("greetings")))
_MY = trigger(("my",))
_BEFORE, _AFTER = 60, 60  # characters around the words of a pattern
_CLOSE_HINT = re.compile(rf"(?:, | \()[{UPPER}]")


def unknown_names(
    text: ScannedText, stretches: Sequence[Stretch], *, spoken: bool
) -> Iterator[tuple[int, int, float]]:
    """Names in places that announce a person: start, end and score.

    Args:
        text: the text.
        stretches: its parts around two words in capitals.
        spoken: whether it is a conversation.
    """
    marks = text.marks
    if marks.after_name & _TELLING:
        around = text.parts_around(_TELLING_WORDS, _BEFORE, _AFTER)
        yield from _names(_TELLS, 0.6, text.raw, around)
    if marks.before_capital & _CLOSING:
        around = text.parts_around(_CLOSE_WORDS, _BEFORE, _AFTER, _CLOSE_HINT)
        yield from _names(_CLOSE, 0.6, text.raw, around)
    if marks.before_capital & _MY:
        around = text.parts_around(_MINE_WORDS, _BEFORE, _AFTER)
        yield from _names(_MINE, 0.6, text.raw, around)
    if stretches and marks.before_capital & _TURNED_HELD and text.has_shape(b", A"):
        parts = [(stretch.begin, stretch.end) for stretch in stretches]
        yield from _names(_TURNED, 0.7, text.raw, parts)
    if '"' in text.raw or "“" in text.raw:
        quoted = pieces(_QUOTED_HINT, text.raw, _BEFORE, _AFTER)
        yield from _names(_NICKNAMED, 0.6, text.raw, quoted)
    if spoken:
        whole = [(0, len(text.raw))]
        if marks.before_capital & _GREETING:
            yield from _names(_GREETED, 0.6, text.raw, whole)
        if text.has_shape(b", A") and "?" in text.raw:
            yield from _names(_ASKED, 0.6, text.raw, whole)


def _names(
    pattern: re.Pattern[str], score: float, raw: str, parts: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int, float]]:
    for begin, end in parts:
        for match in pattern.finditer(raw, begin, end):
            group = str(match.lastgroup)
            if _NO_NAMES.isdisjoint(match[group].lower().replace(",", "").split()):
                yield (*match.span(group), score)
