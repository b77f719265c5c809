"""Names where the place in the text says that a person stands there: "Nurse Philbrick,", "s/o Ram".

Belongs here: callings before any name, relations of Indian records, names that are spelled or begin
a line, and full names beside a role. Does not: names that lists of words announce (announced), or
known pairs of names (persons). The words are in `words/names.yaml`. Every repetition is bounded.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import ScannedText
from bioinstruct_dagster.curation.privacy.names.forms import (
    ANNOUNCED_NAME,
    ANY_WORD,
    FULL_NAME,
    NON_NAME_WORDS,
    WORD,
    is_known,
    names_of,
)
from bioinstruct_dagster.curation.privacy.vocabulary import NAMES, all_words, cues

_NO_NAMES = NON_NAME_WORDS | all_words(
    *map(NAMES, ("relatives", "many_relatives", "staff", "persons", "patient_words", "no_callers"))
)
# What follows a name in a sentence, and no longer name of a thing.
_GOES_ON = r"(?=\s?[,.;:!?)\n]|['’]s\b|\s?$|\s[a-z(])"
_CALLED = re.compile(
    rf"\b(?:{names_of('any_callings')})\.?\s(?P<v>{FULL_NAME}|{WORD}){_GOES_ON}"
)
_CALLED_WORDS = cues(NAMES("any_callings"))
_RELATION = re.compile(
    rf"\b(?:[SDWCH]/[Oo]|[sdh]/o|(?:Son|son|Daughter|daughter|Wife|wife)\sof)\.?:?\s(?:(?:late|Late|Mr|Mrs|Smt|Shri|Sri)\.?\s)?"
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
    rf"(?<![\w'’-])(?P<v>{FULL_NAME})(?=,?\s\(?(?:(?:her|his|their|my|the|patient['’]s|a|study|research|site)\s)?"
    rf"(?:{names_of('roles_after_names')})\b)"
)
_ROLE_AFTER_WORDS = cues(NAMES("roles_after_names"))
_ROLE_BEFORE = re.compile(rf"\b(?i:{names_of('roles_before_names')})(?:\sis|\swas)?[:,]?\s(?:(?:Dr|Prof|Mrs?|Ms)\.?\s)?(?P<v>{ANNOUNCED_NAME})(?![\w-])")
_ROLE_BEFORE_WORDS = cues(NAMES("roles_before_names"))
# "Seen by Mulcahy.", "our patient Kimathi", "Subject Aaberg withdrew": one known word is enough.
_ONE_BEFORE = re.compile(
    rf"\b(?i:{names_of('one_name_announcers')})(?:\sis|\swas)?:?\s(?P<v>{WORD})(?=[,.;)]|['’]s\b|\s?$|\n|\s(?:\(|{names_of('patient_verbs', 'person_verbs')}\b"
    r"|in\sclinic|today|on\s|agrees|agreed|notified|aware|informed|at\s|to\s|will\s|withdrew|developed|recovered|who|and|died|for))"
)
_ONE_BEFORE_WORDS = cues(NAMES("one_name_announcers"))
# The first words of a text or a line: "Hyun-woo Park: review of systems", "cecilia håkansson -- ...".
_HEADED = re.compile(rf"(?:^|\n)(?P<v>{FULL_NAME})(?=\s?(?::\s|--\s|–\s|-\s|\|))")
# The same verbs follow single names at the beginning of sentences (unknown).
_PERSON_GOES_ON = re.compile(
    rf"(?:^|[.!?\n:]\s{{0,2}})(?P<v>{FULL_NAME})(?=\s(?:has\sbeen\s(?:a|on|in|well|taking|having|seen|complaining)|developed|was\s(?:given|started|seen|admitted"
    r"|found|treated|born|brought|discharged|referred|noted|diagnosed)|presented|presents|returns|returned|reports|is\s(?:a|an)\s(?:\d|pleasant|very|well)|comes|came|had\s(?:a|an|his|her|been)"
    r"|has\s(?:a|an|no|had|not)|takes|took|lives|works|smokes|feels|continues|tolerated|received|did\snot|does\snot)\b)"
)


def placed_names(text: ScannedText) -> Iterator[tuple[int, int, float]]:
    """Names by the place where they stand: start, end and score."""
    raw = text.raw
    if text.holds_any(_CALLED_WORDS):
        yield from _names(_CALLED, raw, 0.7)
    if text.holds_any(_RELATION_WORDS):
        yield from _names(_RELATION, raw, 0.7)
    if _SPELLED_HINT.search(raw):
        yield from _names(_SPELLED, raw, 0.6)
    if text.holds_any(_ROLE_AFTER_WORDS):
        yield from _names(_ROLE_AFTER, raw, 0.7)
    if text.holds_any(_ROLE_BEFORE_WORDS):
        yield from _names(_ROLE_BEFORE, raw, 0.7)
    if text.holds_any(_ONE_BEFORE_WORDS):
        yield from (found for found in _names(_ONE_BEFORE, raw, 0.6) if is_known(raw[found[0] : found[1]]))
    for pattern in (_HEADED, _PERSON_GOES_ON):
        yield from (found for found in _names(pattern, raw, 0.6) if is_known(raw[found[0] : found[1]]))


def _names(pattern: re.Pattern[str], raw: str, score: float) -> Iterator[tuple[int, int, float]]:
    for match in pattern.finditer(raw):
        group = str(match.lastgroup)
        if _NO_NAMES.isdisjoint(match[group].lower().replace(",", "").split()):
            yield (*match.span(group), score)
