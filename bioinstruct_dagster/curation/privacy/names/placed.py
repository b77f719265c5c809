"""Names where the place in the text says that a person stands there: "Nurse Philbrick,", "s/o Ram".

Belongs here: callings before any name, relations of Indian records, names that are spelled or begin
a line, and full names beside a role. Does not: names that lists of words announce (announced), or
known pairs of names (persons). The words are in `words/names.yaml`. Every repetition is bounded.
"""

import re
from collections.abc import Iterable, Iterator

from bioinstruct_dagster.curation.privacy.kinds import ScannedText
from bioinstruct_dagster.curation.privacy.names.forms import (
    ANY_WORD,
    FULL_NAME,
    NON_NAME_WORDS,
    WORD,
    is_known,
    names_of,
)
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
_RELATION_WORDS = frozenset(("o", "baby", "infant", "twin", "twins", "newborn", "son", "daughter", "wife"))
# "Yes, Yildirim, Y-I-L-D": a spelled name.
_SPELLED = re.compile(rf"\b(?P<v>{FULL_NAME}|{WORD})[,.:]\s(?:spelled\s|that['’]s\s)?(?:[A-Z](?:[-–.]|,?\s)){{3,12}}[A-Z]\b")
_SPELLED_HINT = re.compile(r"[A-Z][-–. ,]{1,2}[A-Z][-–. ,]{1,2}[A-Z]\b")
# A full name beside a role: "Solvei Amundsen, guardian", "contact person Ludmila Hrabovská".
_ROLE_AFTER = re.compile(
    rf"(?<![\w'’-])(?P<v>{FULL_NAME})(?=(?:,\s|\s\()(?:(?:her|his|their|my|the|patient['’]s|a|study|research|site)\s)?"
    rf"(?:{names_of('roles_after_names')})\b)"
)
# The first words of a text or a line: "Hyun-woo Park: review of systems", "cecilia håkansson -- ...".
_HEADED = re.compile(rf"(?:^|\n)(?P<v>{FULL_NAME})(?=:\s|\s(?:--|–|-|\|)\s)")
# "Buddy Lafferty has been a smoker"; `unknown` has such verbs after single names.
_PERSON_GOES_ON = re.compile(
    rf"(?:^|[.!?\n:]\s{{0,2}})(?P<v>{FULL_NAME})(?=\s(?:has\sbeen\s(?:a|on|in|well|taking|having|seen|complaining)|developed|was\s(?:given|started|seen|admitted"
    r"|found|treated|born|brought|discharged|referred|noted|diagnosed)|presented|presents|returns|returned|reports|is\s(?:a|an)\s(?:\d|pleasant|very|well)|comes|came|had\s(?:a|an|his|her|been)"
    r"|has\s(?:a|an|no|had|not)|takes|took|lives|works|smokes|feels|continues|tolerated|received|did\snot|does\snot)\b)"
)


_BEFORE, _AFTER = 44, 60  # characters around the words of a pattern
_CAPITAL = re.compile(r"[/a-zA-Z.]\s[A-ZÀ-Þ]")


def placed_names(
    text: ScannedText, stretches: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int, float]]:
    """Names by the place where they stand: start, end and score.

    Args:
        text: the text.
        stretches: its parts around two words in capitals, which a full name needs.
    """
    for pattern, words in ((_CALLED, _CALLED_WORDS), (_RELATION, _RELATION_WORDS)):
        for part in text.parts_around(words, 8, _AFTER, _CAPITAL):
            yield from _names(pattern, text.raw, part, 0.7)
    for part in stretches:
        yield from _names(_ROLE_AFTER, text.raw, part, 0.7)
        for pattern in (_HEADED, _PERSON_GOES_ON):
            yield from (
                found
                for found in _names(pattern, text.raw, part, 0.6)
                if is_known(text.raw[found[0] : found[1]])
            )
    for part in pieces(_SPELLED_HINT, text.raw, _BEFORE, _AFTER):
        yield from _names(_SPELLED, text.raw, part, 0.6)


def _names(
    pattern: re.Pattern[str], raw: str, part: tuple[int, int], score: float
) -> Iterator[tuple[int, int, float]]:
    for match in pattern.finditer(raw, *part):
        group = str(match.lastgroup)
        name = match[group]
        contracted = name.startswith(("I'", "I’"))  # "I'll"
        if not contracted and _NO_NAMES.isdisjoint(name.lower().replace(",", "").split()):
            yield (*match.span(group), score)
