"""Names that no list holds, by a telling form: "TYRELL M. is a 13-year-old", "hello Ezekiel how".

Belongs here: names at the beginning of a line, in greetings, after a calling and a comma, and in
brackets. Does not: names after a word that announces any (names). The words are in
`words/noted.yaml`. Every repetition is bounded.
"""

import re
from collections.abc import Iterator
from functools import reduce
from operator import or_

from bioinstruct_dagster.curation.privacy.kinds import DOUBTFUL_SCORE, Span
from bioinstruct_dagster.curation.privacy.names.forms import GIVEN_NAMES, WORD
from bioinstruct_dagster.curation.privacy.names.not_persons import is_eponym
from bioinstruct_dagster.curation.privacy.noted.names import NO_NAMES
from bioinstruct_dagster.curation.privacy.regions import is_large
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import NAMES, NOTED, any_of, cues

_CALLING = any_of(NOTED("callings_before_comma"))
_AGED = r"is\san?\s(?:\w{2,12}\s)?\d"
_UPPER = r"[A-Z][A-Z'’-]{2,20}"
# "NAKAMURA, TOSHIO J 03/19/24", "TYRELL M. is a 13-year-old", at the beginning of a line.
_AT_START = re.compile(
    rf"(?:(?P<a>{_UPPER},\s{_UPPER}(?:\s[A-Z]\b\.?)?)(?=\s(?:\d{{1,2}}[/-]\d|DOB|MRN|\(|\d{{1,3}}\s?(?:[MF]\b|y)))"
    rf"|(?P<b>(?:{WORD}|{_UPPER})\s[A-Z]\.)(?=\s{_AGED})"
    rf"|(?P<c>[a-z]{{3,15}})(?=\s(?:is\sa|is\san|has\s(?:a|been|no)|denies|states|reports|lives|works)\b))"
)
# Each with the trigger of the words of which a match holds one.
_FORMS: tuple[tuple[int, re.Pattern[str]], ...] = (
    # "Well, hello Ezekiel how are you"
    (
        trigger(("hello", "hi", "hey")),
        re.compile(
            rf"\b(?i:hello|hi|hey)(?:\sthere)?,?\s(?P<v>{WORD})(?=[,.!?]|\s(?:how|what|nice|good|it|I|my|come|have|and|please|this|thanks|are)\b)"
        ),
    ),
    # "another doctor, Fitzwilliam I think", "the surgeon you like, Szczepanski."
    (
        trigger(cues(NOTED("callings_before_comma"))),
        re.compile(
            rf"\b(?:[Aa]nother|[Aa]|[Tt]he|[Mm]y|[Oo]ur|[Tt]hat|[Hh]er|[Hh]is)\s(?:\w{{2,12}}\s)?{_CALLING}(?:\s\w{{2,12}}){{0,4}},\s(?P<v>{WORD})(?=[.,;)]|\sI\s(?:think|believe|guess)|\n)"
        ),
    ),
    # The end of a report: read by Yamaguchi
    (
        trigger(("read", "drawn", "ordered", "verified", "dispensed", "reported")),
        re.compile(
            rf"\b(?:read|drawn|ordered|verified|dispensed|reported)\sby\s(?P<v>{WORD})(?=\s?[:;)\n])"
        ),
    ),
    # The case of Yamashiro (MR# 552; then little Dariela, a child
    (
        trigger(("case",)),
        re.compile(
            rf"\bcase\sof\s(?P<v>{WORD})(?=\s\((?:MRN?\b|RN\b|ID\b|DOB|[Ff]ile|[Cc]hart|[Rr]ecord|age)|,\s(?:an?\s\d|aged|born))"
        ),
    ),
    (
        trigger(("little", "baby", "young")),
        re.compile(
            rf"\b(?:little|baby|young)\s(?P<v>{WORD})(?=,\s(?:an?|the|who|her|his|our)\b|['’]s\b)"
        ),
    ),
    # In brackets: a badge and its number, then Calloway
    (
        trigger(("badge",)),
        re.compile(rf"\([^()\n]{{0,20}}\bbadge\b[^()\n]{{1,20}},\s(?P<v>{WORD})\)"),
    ),
    (
        trigger(("name",)),
        re.compile(
            rf"\b(?:[Ll]ast|[Ff]irst|[Ff]amily|[Gg]iven|[Mm]iddle)\sname(?:\sis|:|,)?\s(?P<v>{WORD})(?=[,.;\n])"
        ),
    ),
)
_RANKED = re.compile(rf"\((?:{any_of(NOTED('ranks'))})\.?\s(?P<v>{WORD})\)")
_ANY_FORM = reduce(or_, (words for words, _ in _FORMS))
_BEGINS_LINES = trigger(("is", "has", "denies", "states", "reports", "lives", "works"))
_NOT_LONE = NAMES("not_lone_names")


def called_name_spans(text: ScannedText) -> Iterator[Span]:
    """The names of a text by their telling form."""
    raw, marks = text.raw, text.marks
    capitals = text.has_shape(b"AAA, AAA", b". is a")
    start = 0 if capitals or marks.after_given & _BEGINS_LINES else -1
    while start >= 0:
        first = raw[start : start + 1]
        if (first.islower() or (capitals and first.isupper())) and (
            match := _AT_START.match(raw, start)
        ):
            group = str(match.lastgroup)
            if group != "c" or (match["c"] in GIVEN_NAMES and match["c"] not in _NOT_LONE):
                yield from _name(raw, match, group)
        start = raw.find("\n", start) + 1 or -1
    for words, pattern in _FORMS if marks.held & _ANY_FORM else ():
        if marks.held & words:
            for match in pattern.finditer(raw):
                yield from _name(raw, match, "v")
    if text.has_shape(b"(A"):
        for match in _RANKED.finditer(raw):
            yield from _name(raw, match, "v")


def _name(raw: str, match: re.Match[str], group: str) -> Iterator[Span]:
    start, end = match.span(group)
    # An initial is a word of the lists, too.
    words = [word for word in re.split(r"[,.]? ", match[group].lower()) if len(word.strip(".")) > 1]
    if (
        NO_NAMES.isdisjoint(words)
        and not is_eponym(raw, end)
        and (" " in match[group] or not is_large(match[group]))
    ):
        yield Span("name", start, end, DOUBTFUL_SCORE)
