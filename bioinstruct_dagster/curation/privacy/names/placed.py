"""Names where the place in the text says that a person stands there: "Nurse Philbrick,", "s/o Ram".

Belongs here: callings before any name, relations of Indian records, names that are spelled or begin
a line, and full names beside a role. Does not: names that lists of words announce (announced), or
known pairs of names (persons). The words are in `words/names.yaml`. Every repetition is bounded.
"""

import re
from collections.abc import Iterable, Iterator

from bioinstruct_dagster.curation.privacy.names.forms import (
    ANY_WORD,
    FAMILY_NAMES,
    FULL_NAME,
    GIVEN_NAMES,
    NON_NAME_WORDS,
    WORD,
    is_known,
    names_of,
)
from bioinstruct_dagster.curation.privacy.names.stretches import Stretch
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import NAMES, all_words, cues, pieces

_NO_NAMES = NON_NAME_WORDS | all_words(
    *map(NAMES, ("relatives", "many_relatives", "staff", "persons", "patient_words", "no_callers"))
)
# What follows a name in a sentence, and no longer name of a thing.
_GOES_ON = r"(?=\s?[,.;:!?)\n]|['’]s\b|\s?$|\s[a-z(])"
_CALLED = re.compile(
    rf"\b(?:{names_of('any_callings')}|(?:Smt|Sri|Shri|Kum)\.)\s(?P<v>{FULL_NAME}|{WORD}){_GOES_ON}"
)
_CALLED_WORDS = cues(NAMES("any_callings"))
_RELATION = re.compile(
    rf"\b(?:[SDW]/[Oo]|[sd]/o|(?:Son|son|Daughter|daughter|Wife|wife)\sof)\.?:?\s(?:(?:late|Late|Mr|Mrs|Smt|Shri|Sri)\.?\s)?"
    rf"(?P<v>{FULL_NAME}|{WORD}){_GOES_ON}"
    rf"|\b(?:[Bb]/[Oo]|[Bb]aby\s(?:of|boy|girl)|BABY\s(?:OF|BOY|GIRL)|[Ii]nfant\sof|[Tt]wins?\sof|[Nn]ewborn\sof)\s"
    rf"(?P<w>{FULL_NAME}|{ANY_WORD}){_GOES_ON}"
)
_RELATION_WORDS = frozenset(
    ("o", "baby", "infant", "twin", "twins", "newborn", "son", "daughter", "wife")
)
_BOTH = trigger(_CALLED_WORDS | _RELATION_WORDS)
# "Yes, Yildirim, Y-I-L-D": a spelled name.
_SPELLED = re.compile(
    rf"\b(?P<v>{FULL_NAME}|{WORD})[,.:]\s(?:spelled\s|that['’]s\s)?(?:[A-Z](?:[-–.]|,?\s)){{3,12}}[A-Z]\b"
)
_SPELLED_HINT = re.compile(r"[A-Z][-–. ,]{1,2}[A-Z][-–. ,]{1,2}[A-Z]\b")
# A full name, then a role ("Solvei Amundsen, guardian"), a heading or a person's verb. Without a
# role, the name must begin a sentence and hold a known name.
_GOING_ON = re.compile(
    rf"(?<![\w'’-])(?P<v>{FULL_NAME})(?=(?P<role>(?:,\s|\s\()(?:(?:her|his|their|my|the|patient['’]s|a|study"
    rf"|research|site)\s)?(?:{names_of('roles_after_names')})\b)|:\s|\s(?:(?:--|–|-|\|)\s"
    r"|(?:has\sbeen\s(?:a|on|in|well|taking|having|seen|complaining)|developed|was\s(?:given|started|seen"
    r"|admitted|found|treated|born|brought|discharged|referred|noted|diagnosed)|presented|presents"
    r"|returns|returned|reports|is\s(?:a|an)\s(?:\d|pleasant|very|well)|comes|came"
    r"|had\s(?:a|an|his|her|been)|has\s(?:a|an|no|had|not)|takes|took|lives|works|smokes|feels"
    r"|continues|tolerated|received|did\snot|does\snot)\b))"
)
_SENTENCE_BEGINS = re.compile(r"(?:^|\n|[.!?:]\s{1,2})$")
# "Echeverri, Rosalba 54F", "ECHEVERRI, ROSALBA presents".
_TURNED = re.compile(
    rf"(?<![^\n])(?P<v>{ANY_WORD}, {ANY_WORD}(?: [A-Z]\b\.?)?)(?=\s\d{{1,3}}\s?(?:[MFyY]|years)|"
    rf"\s(?:presents|presented|was|is|seen|\()|\s?:)"
)
_BEFORE, _AFTER = 44, 60  # characters around the words of a pattern
_CAPITAL = re.compile(r"[/a-zA-Z.]\s[A-ZÀ-Þ]")


def placed_names(
    text: ScannedText, stretches: Iterable[Stretch], *, spoken: bool
) -> Iterator[tuple[int, int, float]]:
    """Names by the place where they stand: start, end and score.

    Args:
        text: the text.
        stretches: its parts around two words in capitals, which a full name needs.
        spoken: whether it is a conversation.
    """
    if text.marks.held & _BOTH:
        for pattern, words in ((_CALLED, _CALLED_WORDS), (_RELATION, _RELATION_WORDS)):
            for part in text.parts_around(words, 8, _AFTER, _CAPITAL):
                yield from _names(pattern, text.raw, part, 0.7)
    for stretch in stretches:
        yield from _going_on(text.raw, stretch)
    if spoken:
        for part in pieces(_SPELLED_HINT, text.raw, _BEFORE, _AFTER):
            yield from _names(_SPELLED, text.raw, part, 0.6)


def _going_on(raw: str, stretch: Stretch) -> Iterator[tuple[int, int, float]]:
    for match in stretch.matches(_TURNED, raw):
        if is_known(match["v"]) and _NO_NAMES.isdisjoint(re.split(r",? ", match["v"].lower())):
            yield (*match.span("v"), 0.7)
    for match in stretch.matches(_GOING_ON, raw):
        start, end = match.span("v")
        if match["role"] is None and not (
            _SENTENCE_BEGINS.search(raw, max(0, start - 3), start) and is_known(match["v"])
        ):
            continue
        words = match["v"].lower().split()
        # "Hyun-woo Park", "Buddy Lafferty": a family name after a given name may be a word, too.
        sure = words[-1] in FAMILY_NAMES and (words[0] in GIVEN_NAMES or "-" in words[0])
        if sure or _NO_NAMES.isdisjoint(words):
            yield start, end, 0.7 if match["role"] else 0.6


def _names(
    pattern: re.Pattern[str], raw: str, part: tuple[int, int], score: float
) -> Iterator[tuple[int, int, float]]:
    for match in pattern.finditer(raw, *part):
        group = str(match.lastgroup)
        name = match[group]
        contracted = name.startswith(("I'", "I’"))  # "I'll"
        if not contracted and _NO_NAMES.isdisjoint(name.lower().replace(",", "").split()):
            yield (*match.span(group), score)
