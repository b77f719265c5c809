"""The patterns of a person's name in running text.

Belongs here: how a name is written, and the titles, labels and relations before it. Does not: where
the patterns are tried (persons), or eponyms and placeholders (not_persons). The words are in
`words/names.yaml`. Every repetition is bounded.
"""

import re
from typing import NamedTuple

from bioinstruct_dagster.curation.privacy.vocabulary import NAMES, any_of, cues

GIVEN_NAMES, NON_NAME_WORDS = NAMES("given_names"), NAMES("not_names")


def _of(*names: str) -> str:
    return any_of(*map(NAMES, names))


_WORD = (
    r"(?:(?:Mc|Mac|O['’]|D['’]|De|Di|La|Le|Van|Al-|El-)?[A-ZÀ-Þ][a-zß-ÿ'’]{1,20}"
    r"(?:-[A-ZÀ-Þ][a-zß-ÿ]{1,20})?)"
)
_UPPER_WORD = r"(?:[A-ZÀ-Þ]{2,20}(?:['’-][A-ZÀ-Þ]{2,20})?)"
_ANY_WORD = rf"(?:{_WORD}|{_UPPER_WORD})"
_PARTICLE = rf"(?:{_of('name_particles')}[ ])?"
_MIDDLE = rf"(?:(?:[A-Z]\.?|{_WORD})[ ])?"
# A given name, perhaps a middle one, and a family name; then perhaps "Jr."
_FULL_NAME = rf"{_WORD}[ ]{_MIDDLE}{_PARTICLE}{_WORD}(?:,?[ ]{_of('name_suffixes')}\b\.?)?"
_UPPER_NAME = rf"{_UPPER_WORD}[ ](?:[A-Z]\.?[ ])?{_UPPER_WORD}"
_COMMA_NAME = rf"{_ANY_WORD},[ ](?!{_of('credentials')}\b){_ANY_WORD}(?:[ ][A-Z]\b\.?)?"
_NAME = rf"(?P<v>{_COMMA_NAME}|{_FULL_NAME}|{_UPPER_NAME})"
_RELATIVE = _of("relatives")
LONE_NAME_WORDS = cues(NAMES("relatives")) | {"named"}
CAPITALIZED_WORDS = re.compile(
    rf"[A-ZÀ-Þ][\w'’.-]{{1,22}},?[ ](?:[A-Z]\.?[ ])?{_PARTICLE}[A-ZÀ-Þ][\w'’]|\b(?i:name)\b"
)


class NamePattern(NamedTuple):
    """A name and the words before it; each text that the pattern matches holds one of `words`."""

    words: frozenset[str]
    pattern: re.Pattern[str]
    score: float


NAME_PATTERNS: tuple[NamePattern, ...] = (
    NamePattern(
        cues(NAMES("titles")),
        re.compile(
            rf"\b{_of('titles')}\b\.?\s(?P<v>(?:(?:[A-Z]\.|{_WORD})\s){{0,2}}?{_PARTICLE}{_ANY_WORD}"
            rf"(?:\s{_WORD})?)"
        ),
        0.85,
    ),
    NamePattern(
        frozenset(("name", "surname")),
        re.compile(
            rf"(?:(?:^|[\n.;,(|*]\s{{0,3}})|\b(?i:{_of('name_owners')})\s)(?i:(?:sur)?name)"
            r"(?:\s(?:is|was)\s|\s?(?:\([A-Za-z, ]{1,20}\)\s?)?[*_]{0,2}[:=|–-][*_]{0,2}\s{0,2})"
            rf"{_NAME}"
        ),
        0.9,
    ),
    NamePattern(
        frozenset(("name", "surname")),
        re.compile(
            rf"\b(?i:{_of('single_name_owners')})\s?(?i:name)"
            rf"(?:\s(?:is|was)\s|[*_]{{0,2}}[:=|][*_]{{0,2}}\s{{0,2}})(?P<v>{_WORD})\b"
        ),
        0.7,
    ),
    NamePattern(
        cues(*map(NAMES, ("relatives", "staff", "name_labels"))),
        re.compile(
            rf"\b(?i:{_of('relatives', 'staff', 'name_labels')})"
            rf"[*_]{{0,2}}[:=|][*_]{{0,2}}\s{{0,2}}{_NAME}"
        ),
        0.85,
    ),
    NamePattern(
        cues(*map(NAMES, ("relatives", "staff", "name_announcers"))),
        re.compile(
            rf"\b(?i:{_of('relatives', 'staff', 'name_announcers')})"
            rf"(?:['’]s name)?(?:\sis)?,?\s(?:(?:his|her|their)\s{_RELATIVE},?\s)?"
            rf"(?P<v>{_FULL_NAME}|{_UPPER_NAME})"
        ),
        0.75,
    ),
)
LONE_NAME = re.compile(rf"\b(?:named|(?:his|her|their)\s{_RELATIVE},?)\s(?P<v>{_WORD})\b")
# Only a person is described as "X Y, 45, ...", "X Y is a 45-year-old" or "X Y (DOB ...)".
DESCRIBED_HINT = re.compile(
    r"(?:,\s(?:an?\s)?(?:aged?\s)?\d{1,3}(?:[- ]years?|[- ]?y/?o\b|[,;.]\s|\s?[MF]\b|[- ]month)"
    r"|,?\sis\san?\s\d{1,3}[- ]|,?\s\(?(?i:d\.?o\.?b\b|mrn\b|born\b|date of birth|ssn\b|aged?\s\d)"
    r"|\s\(\d{1,3}\s?(?:y/?o|M\b|F\b|years?|,)|\s[-–|]\s(?:DOB|MRN))"
)
NAME_BEFORE_HINT = re.compile(rf"(?<![\w-])(?:{_FULL_NAME}|{_UPPER_NAME}|{_COMMA_NAME})$")
NAME_PAIR = re.compile(
    rf"(?<![\w'’-])(?P<g>{_WORD}|[A-Z]{{3,15}})[ ](?:(?:[A-Z]\.?|{_WORD})[ ])?"
    rf"{_PARTICLE}(?P<f>{_ANY_WORD})\b"
)
