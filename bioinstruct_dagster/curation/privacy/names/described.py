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
    UPPER,
    UPPER_NAME,
    WORD,
    names_of,
)
from bioinstruct_dagster.curation.privacy.names.stretches import Stretch
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import NAMES, all_words, longest_words
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
_PATIENT_WORDS = trigger(("patient", "admitted", "aged", "born", "man", "woman", "old"))
_BEFORE_PATIENT = trigger(
    ("in", "of", "to", "for", "with", "by", "was", "is", "from", "patient", "case")
)
_BEFORE_PRESENTED = trigger(("present", "report", "describe"))
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
_NUMBERED_WORDS = trigger(("patient", "case", "participant", "subject", "volunteer", "donor"))
_NUMBERED_HINT = re.compile(rf"\d(?: was| is|:|,| \() ?[{UPPER}]")
_BEFORE_MET = trigger(("be", "here", "are", "re", "is", "meet", "name", "cousin", "friend"))
_CALLERS = trigger(("doctor", "nurse", "dr"))
_DETAILS, _IS, _OLD = trigger(_DETAIL_WORDS), trigger(("is",)), trigger(("old",))
_CHILDREN_PARTS = trigger(all_words(_CHILDREN))
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
    marks = text.marks
    if stretches:
        for full in _of_full_names(text, spoken=spoken):
            yield from _in_stretches(full, text.raw, stretches)
    if marks.held & _DETAILS:
        yield from _around(_DETAILED, text, _DETAIL_WORDS, _DETAIL_HINT)
    if marks.before_capital & _BEFORE_PRESENTED:
        yield from _around(_PRESENTED, text, frozenset(("present", "report", "describe")))
    if marks.after_name & _IS and marks.held & _OLD:
        yield from _around(_AGED, text, frozenset(("old",)))
    if spoken and marks.after_name & _IS and marks.capitalized & _CHILDREN_PARTS:
        for found in _names(_COUNTED, text.raw, 0, len(text.raw)):
            if text.lowered[found[0] : found[1]] in _CHILDREN:
                yield found


def _of_full_names(text: ScannedText, *, spoken: bool) -> Iterator[BegunPattern]:
    """The patterns of full names that a text may match."""
    marks = text.marks
    if marks.held & _PATIENT_WORDS and marks.before_capital & _BEFORE_PATIENT:
        yield _OF_PATIENT
    if text.has_digit and marks.held & _NUMBERED_WORDS and _NUMBERED_HINT.search(text.raw):
        yield _NUMBERED
    if spoken and marks.before_capital & _BEFORE_MET:
        yield _MET
    if spoken and marks.before_capital & _CALLERS:
        yield _CALLED


def _around(
    pattern: re.Pattern[str],
    text: ScannedText,
    words: frozenset[str],
    hint: re.Pattern[str] | None = None,
) -> Iterator[tuple[int, int, float]]:
    for begin, end in text.parts_around(words, _BEFORE, _AFTER, hint):
        yield from _names(pattern, text.raw, begin, end)


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
