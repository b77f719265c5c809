"""The patterns of a person's name in running text: titles, labels and relations before it.

Belongs here: what announces a name in a report or a note. Does not: how a name is written (forms),
or eponyms (not_persons). The words are in `words/names.yaml`. Every repetition is bounded.
"""

import re
from typing import NamedTuple

from bioinstruct_dagster.curation.privacy.names.forms import (
    ANNOUNCED_NAME,
    ANY_WORD,
    COMMA_NAME,
    FAMILY_NAMES,
    FULL_NAME,
    INITIALS_NAME,
    KNOWN_NAMES,
    PARTICLE,
    UPPER_NAME,
    UPPER_WORD,
    WORD,
    names_of,
)
from bioinstruct_dagster.curation.privacy.triggers.marks import Marks, trigger
from bioinstruct_dagster.curation.privacy.vocabulary import NAMES, all_words, cues, last_words


class NamePattern(NamedTuple):
    """A pattern whose group `v` is a name.

    A pattern with a group `k` matches only if that word is a known name. It begins with the name
    unless it is `titled`.

    Attributes:
        words: the trigger of the words of which each text that it matches holds one.
        pattern: the expression.
        score: the score of its spans.
        before_capital: the trigger of words right before the name; 0 for any.
        after_capital: the trigger of words right after the name; 0 for any.
        capitalized: the trigger of words of which the name holds one; 0 for any.
        titled: whether a title stands before the name.
    """

    words: int
    pattern: re.Pattern[str]
    score: float
    before_capital: int = 0
    after_capital: int = 0
    capitalized: int = 0
    titled: bool = False

    def may_match(self, marks: Marks) -> bool:
        """Whether a text with these marks may hold a match."""
        return bool(
            marks.held & self.words
            and (not self.before_capital or marks.before_capital & self.before_capital)
            and (not self.after_capital or marks.after_capital & self.after_capital)
            and (not self.capitalized or marks.capitalized & self.capitalized)
        )


_FAMILY, _KNOWN = trigger(FAMILY_NAMES), trigger(all_words(KNOWN_NAMES))
NAME_PATTERNS: tuple[NamePattern, ...] = (
    NamePattern(
        trigger(cues(NAMES("titles"), NAMES("title_abbreviations"))),
        re.compile(
            rf"\b(?:{names_of('title_abbreviations')}\b\.?"
            rf"|(?<![Yy]our )(?<!a )(?<!the )(?<!The )(?<!my ){names_of('titles')})\s"
            rf"(?P<v>{INITIALS_NAME}|(?:{WORD}\s){{0,2}}?{PARTICLE}{ANY_WORD}(?:\s{PARTICLE}{WORD})?)"
        ),
        0.85,
        titled=True,
    ),
    NamePattern(
        trigger(cues(NAMES("upper_titles"))),
        re.compile(rf"\b{names_of('upper_titles')}\.[ ](?P<v>{UPPER_WORD}(?:[ ]{UPPER_WORD})?)"),
        0.85,
        before_capital=trigger(last_words(NAMES("upper_titles"))),
        titled=True,
    ),
    # "Tadeo Quispe complains of".
    NamePattern(
        trigger(cues(NAMES("person_verbs"))),
        re.compile(rf"(?<![\w-])(?P<v>{FULL_NAME})(?=\s{names_of('person_verbs')}\b)"),
        0.7,
        after_capital=trigger(cues(NAMES("person_verbs"))),
    ),
    # "J. Weaver", but not "C. Difficile" nor the author of a reference.
    NamePattern(
        _FAMILY,
        re.compile(
            rf"(?<![\w.,&-]\s)(?<![\w.-])(?P<v>(?:[A-Z]\.[ ]?){{1,3}}{PARTICLE}(?P<k>{WORD}))\b"
            r"(?!,?\s(?:et\b|and\s[A-Z]\.|\(?(?:19|20)\d\d))"
        ),
        0.65,
        capitalized=_KNOWN,
    ),
    # A signature at the end of a sentence: "Otherwise well. P. Chaudhry, next visit as needed".
    NamePattern(
        _FAMILY,
        re.compile(
            rf"(?<=[a-z][.!?]\s)(?P<v>(?:[A-Z]\.[ ]?){{1,2}}{PARTICLE}(?P<k>{WORD}))"
            r"(?=,\s(?!et\b|and\b)[a-z]|\.?\s*$|\n)"
        ),
        0.6,
        capitalized=_KNOWN,
    ),
    NamePattern(
        trigger(cues(NAMES("person_verbs"), NAMES("patient_verbs"))),
        re.compile(
            rf"(?<![\w.-]\s)(?<![\w.'’-])(?P<v>(?P<k>{WORD}))"
            rf"(?=\s{names_of('person_verbs', 'telling_verbs')}\b)"
        ),
        0.6,
        after_capital=trigger(cues(NAMES("person_verbs"), NAMES("telling_verbs"))),
        capitalized=_KNOWN,
    ),
    # "Karen Holloway, MD", "R. Fontaine, RN".
    NamePattern(
        trigger(word.lower() for word in NAMES("credentials") if word.isalpha()),
        re.compile(
            rf"(?<!\w)(?<!\w-)(?P<v>{ANNOUNCED_NAME})(?=,?\s{names_of('credentials')}\b(?![\w:#]|\s\d))"
        ),
        0.75,
    ),
)
# After a label that holds the word "name", in a text that holds it; each with its score.
LABELLED_NAMES: tuple[tuple[re.Pattern[str], float], ...] = (
    (
        re.compile(
            rf"(?:(?:^|[\n.;,(|*]\s{{0,3}})|\b(?i:{names_of('name_owners')})\s)(?i:(?:sur)?name)"
            r"(?:\s(?:is|was)\s|\s?(?:\([A-Za-z, ]{1,20}\)\s?)?[*_]{0,2}[:=|–-][*_]{0,2}\s{0,2})"
            rf"(?P<v>{COMMA_NAME}|{ANNOUNCED_NAME})"
        ),
        0.9,
    ),
    (
        re.compile(
            rf"\b(?i:{names_of('single_name_owners')})\s?(?i:name)"
            rf"(?:\s(?:is|was)\s|[*_]{{0,2}}[:=|][*_]{{0,2}}\s{{0,2}})(?P<v>{WORD})\b"
        ),
        0.7,
    ),
)
# Only a person is described as "X Y, 45, ...", "X Y is a 45-year-old" or "X Y (DOB ...)".
DESCRIBED_HINT = re.compile(
    r"(?:,\s(?:an?\s)?(?:aged?\s)?\d{1,3}(?:[- ]years?|[- ]?y/?o\b|[,;.]\s|\s?[MF]\b|[- ]month)"
    r"|,?\sis\san?\s\d{1,3}[- ]|,?\s\(?(?i:d\.?o\.?b\b|mrn\b|born\b|date of birth|ssn\b|aged?\s\d)"
    r"|\s\(\d{1,3}\s?(?:y/?o|M\b|F\b|years?|,)|\s[-–|]\s(?:DOB|MRN))"
)
# Each match of it holds a digit or one of these words.
DESCRIBING = trigger(("dob", "d", "mrn", "born", "date", "ssn"))
NAME_BEFORE_HINT = re.compile(
    rf"(?<![\w-])(?:{FULL_NAME}|{UPPER_NAME}|{COMMA_NAME}|{INITIALS_NAME})$"
)
TURNED_NAME = re.compile(rf"(?<![\w'’-])(?P<f>{ANY_WORD}),[ ](?P<g>{ANY_WORD})(?![\w,])")
NAME_PAIR = re.compile(
    rf"(?<![\w'’-])(?P<g>{WORD}(?:-[a-z]{{2,5}}(?<!type)(?<!like)(?<!based))?|[A-Z]{{3,15}})[ ]"
    rf"(?:(?:[A-Z]\.?|{WORD})[ ])?"
    rf"{PARTICLE}(?P<f>{ANY_WORD})\b"
)
