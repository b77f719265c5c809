"""Full names that no list holds, by what stands around them: "(mobile ...", "in X Y, a patient".

Belongs here: such surroundings in notes, abstracts and conversations. Does not: single names
(unknown), or names by the words right before them alone (announced). Every repetition is bounded.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from bioinstruct_dagster.curation.privacy.names.forms import (
    FULL_NAME,
    GIVEN_NAMES,
    NON_NAME_WORDS,
    UPPER_NAME,
    WORD,
    names_of,
)
from bioinstruct_dagster.curation.privacy.names.stretches import Stretch
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.vocabulary import NAMES, longest_words
from bioinstruct_dagster.sign_beginnings import BegunPattern

_NAME = rf"(?:{FULL_NAME}|{UPPER_NAME})"
_DETAIL = rf"(?i:{names_of('details_after_names')})\b[^.\n]{{0,16}}[\d@]"
_DETAILED = re.compile(
    rf"(?:(?:^|[\n.;:(]\s{{0,3}})(?P<w>{WORD})(?= \()"
    rf"|\b(?P<v>{_NAME}(?: [A-Z]\.)?))(?:,? \(|, | )(?"
    rf"={_DETAIL})"
)
_DETAIL_WORDS = longest_words(NAMES("details_after_names"))
_DETAIL_HINT = re.compile(r"[\d@]")
_OF_PATIENT = BegunPattern(
    rf"\b(?:in|of|to|for|with|by|was|is|from|patient|case) (?P<v>{FULL_NAME}), "
    r"(?=(?:a|an|the|one|our) (?:[\w-]{2,20} )?(?:patient|man|woman|boy|girl|infant|volunteer|m"
    r"ale|female)\b"
    r"|admitted\b|aged\b|born\b|mobile\b|tel|phone|who (?:was|had|is|developed|presented))"
)
_PRESENTED = re.compile(
    rf"\b(?:present|report|describe) (?P<v>{FULL_NAME}|{WORD}), (?=an? (?:\d|patient|man|woman|"
    rf"boy|girl))"
)
_PATIENT_WORDS = frozenset(("patient", "admitted", "aged", "born", "man", "woman", "old"))
_NUMBERED = BegunPattern(
    r"\b(?i:patient|case|participant|subject|volunteer|donor) (?:no\. ?)?\d{1,3}(?: was| is|:|,"
    r"| \()"
    rf" ?(?P<v>{_NAME})(?=[,.;)\n]|$)"
)
_AGED = re.compile(
    rf"(?:^|\n)(?P<v>{FULL_NAME}|{WORD}) (?=is an? (?:[\w-]{{2,30}}-(?:month|year|week|day)s?-o"
    rf"ld\b|\d{{1,2}} ?(?:month|year|week|y)))"
)
# In conversations: "You must be X Y.", "Doctor: X Y?", "Doctor: X Y, why ...", "X is four".
_MET = BegunPattern(
    rf"\b(?i:must be|sign here:?|you are|you're|this is|meet|name,|name is|a cousin,|a friend,)"
    rf" (?P<v>{FULL_NAME})(?= ?[.,?!])"
)
_CALLED = BegunPattern(
    rf"\b(?:Doctor|Nurse|Dr): (?P<v>{FULL_NAME})(?= ?\?|, (?:{names_of('words_to_called')})\b)"
)
_CHILDREN = GIVEN_NAMES | NAMES("doubtful_given_names")  # "Pain is ten" names nobody
_COUNTED = re.compile(
    rf"(?:: |\. |\band )(?P<v>{WORD}) (?=is (?:{names_of('small_numbers')}|\d{{1,2}})(?: and|[.,]))"
)
_NUMBERED_WORDS = frozenset(("patient", "case", "participant", "subject", "volunteer", "donor"))
# Each with its words, and whether it needs a digit.
_OF_FULL_NAMES = ((_OF_PATIENT, _PATIENT_WORDS, False), (_NUMBERED, _NUMBERED_WORDS, True))
_OF_WORDS = (
    (_DETAILED, _DETAIL_WORDS, _DETAIL_HINT),
    (_PRESENTED, frozenset(("present", "report", "describe")), None),
    (_AGED, frozenset(("old",)), None),
)
_ALL_WORDS = frozenset[str]().union(*(words for _, words, _ in _OF_WORDS))
_BEFORE, _AFTER = 70, 60  # characters around these words


def described_names(
    text: ScannedText, stretches: Sequence[Stretch], *, spoken: bool
) -> Iterator[tuple[int, int, float]]:
    """Names by what stands around them: start, end and score.

    Args:
        text: the text.
        stretches: its parts around two words in capitals, which a full name needs.
        spoken: whether it is a conversation.
    """
    for full, words, numbered in _OF_FULL_NAMES if stretches else ():
        if (text.has_digit or not numbered) and text.holds_any(words):
            yield from _in_stretches(full, text.raw, stretches)
    if spoken:
        for met in (_MET, _CALLED):
            yield from _in_stretches(met, text.raw, stretches)
    held = text.words & _ALL_WORDS
    for pattern, words, hint in _OF_WORDS if held else ():
        for begin, end in text.parts_around(words & held, _BEFORE, _AFTER, hint):
            yield from _names(pattern, text.raw, begin, end)
    if spoken:
        for found in _names(_COUNTED, text.raw, 0, len(text.raw)):
            if text.lowered[found[0] : found[1]] in _CHILDREN:
                yield found


def _in_stretches(
    pattern: BegunPattern, raw: str, stretches: Iterable[Stretch]
) -> Iterator[tuple[int, int, float]]:
    for stretch in stretches:
        yield from _names(pattern, raw, stretch.begin, stretch.end)


def _names(
    pattern: re.Pattern[str] | BegunPattern, raw: str, begin: int, end: int
) -> Iterator[tuple[int, int, float]]:
    for match in pattern.finditer(raw, begin, end):
        group = str(match.lastgroup)
        if NON_NAME_WORDS.isdisjoint(match[group].lower().split()):
            yield (*match.span(group), 0.6)
