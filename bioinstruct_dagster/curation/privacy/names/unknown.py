"""Single names that no list holds, where only a person can stand: "Hi, Kateryna.", "Pietro, born".

Belongs here: the few places in a text that announce a person by themselves. Does not: known names
(lone, patterns), or full names (announced). Every repetition is bounded.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import ScannedText
from bioinstruct_dagster.curation.privacy.names.forms import (
    ANY_WORD,
    FULL_NAME,
    NON_NAME_WORDS,
    WORD,
    names_of,
)
from bioinstruct_dagster.curation.privacy.vocabulary import NAMES, all_words, cues

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
_GREETING_WORDS = cues(NAMES("greetings"))
_CLOSE_WORDS = cues(NAMES("close_persons"))
_CLOSE = re.compile(
    rf"\b(?i:{names_of('close_persons')})(?:, (?P<v>{WORD})(?=[,.;] )| \((?P<w>{WORD})\))"
)
_TELLING_WORDS = cues(NAMES("only_persons_do"))
_TELLS = re.compile(
    rf"(?:^|[.!?\n] {{0,2}})(?P<v>{FULL_NAME}|{WORD}) (?={names_of('only_persons_do')}\b)"
)
_MINE_WORDS = cues(NAMES("ends_of_life"))
_MINE = re.compile(rf"\b[Mm]y (?P<v>{WORD}) (?={names_of('ends_of_life')}\b)")
# "Patient Singh, Harpreet, record ..."
_TURNED_WORDS = frozenset(("patient", "pt", "client", "re", "name"))
_TURNED = re.compile(
    rf"\b(?:[Pp]atient|PATIENT|[Pp]t|Client|R[eE]|[Nn]ame):? (?P<v>{ANY_WORD}, {ANY_WORD})"
    r"(?=[,.;:(]|\s(?:was|is|record|DOB|MRN|seen|presents|[(\d])|$)"
)
# 'Raymond "Ray" Dupree'.
_NICKNAMED = re.compile(rf"\b(?P<v>{ANY_WORD} [\"“]{ANY_WORD}[\"”] {ANY_WORD})(?![\w-])")


def unknown_names(text: ScannedText, *, spoken: bool) -> Iterator[tuple[int, int, float]]:
    """Names in places that announce a person: start, end and score.

    Args:
        text: the text.
        spoken: whether it is a conversation.
    """
    for pattern, score in _patterns(text, spoken=spoken):
        for match in pattern.finditer(text.raw):
            group = str(match.lastgroup)
            if _NO_NAMES.isdisjoint(match[group].lower().replace(",", "").split()):
                yield (*match.span(group), score)


def _patterns(text: ScannedText, *, spoken: bool) -> Iterator[tuple[re.Pattern[str], float]]:
    """The patterns that could match a text, each with its score."""
    if text.holds_any(_TELLING_WORDS):
        yield _TELLS, 0.6
    if text.holds_any(_CLOSE_WORDS):
        yield _CLOSE, 0.6
    if text.holds_any(_MINE_WORDS):
        yield _MINE, 0.6
    if text.holds_any(_TURNED_WORDS) and ", " in text.raw:
        yield _TURNED, 0.7
    if '"' in text.raw or "“" in text.raw:
        yield _NICKNAMED, 0.6
    if spoken:
        if text.holds_any(_GREETING_WORDS):
            yield _GREETED, 0.6
        yield _ASKED, 0.6
