"""Places that a capital tells: "Lakemont Drug", "the Shriners in Spokane", "Desert Willow Lane".

Belongs here: names before a type in capitals, names before a town, and streets without a number.
Does not: types that small letters tell too (facilities). The words are in `words/noted.yaml`. Every
repetition is bounded.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import DOUBTFUL_SCORE, Span
from bioinstruct_dagster.curation.privacy.noted.persons import ONE_PERSON
from bioinstruct_dagster.curation.privacy.noted.towns import NOT_TOWNS
from bioinstruct_dagster.curation.privacy.regions import is_large
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import NOTED, WORD, any_of, places_of

_WORD = r"(?:[A-ZÀ-Þ][a-zà-ÿ'’]{2,20}|St\.?|Mt\.?|Mount)"
_TYPES = NOTED("capital_facility_types")
_NAMED = re.compile(
    rf"(?<![\w'’-])(?P<v>(?P<n>{_WORD}(?:\s{_WORD}){{0,2}}?)\s{any_of(_TYPES)})(?![\w-])"
)
# What stands before the name of a place, and seldom before another name.
_PLACED = re.compile(
    r"(?:\b(?:at|to|in|from|by|call|called|near|via|of|for|the|phone|phoned)|[,:])\s$|\($"
)
_TREATED = re.compile(r"\b(?:treat\w{2,5}|admi\w{3,6}|seen|care|patient|case)\b[^.;]{0,40}$")
_IN_TOWN = re.compile(
    rf"\b(?:at|to|from)\s(?:the\s)?(?P<v>{_WORD}(?:\s{_WORD}){{0,2}})\s(?:in|near|outside|over\sin)\s(?P<t>[A-ZÀ-Þ][a-zà-ÿ]{{3,20}})(?![\w-])"
)
_IN_TOWN_HINT = re.compile(r" (?:in|near|outside) [A-ZÀ-Þ][a-zà-ÿ]{3}")
_STREET = re.compile(
    rf"\b(?:by|on|near|off|at|along|to|down|from|up)\s(?P<v>{_WORD}(?:\s{_WORD}){{0,2}}\s{any_of(NOTED('capital_streets'))})(?![\w-])(?!\s(?:Journal|criteria|[A-Z][a-z]+\s(?:Hospital|Clinic)))"
)
# What is looked for, by the last word in small letters; most texts hold none of them.
_BY_LAST_WORD: dict[str, list[tuple[re.Pattern[str], str]]] = {}
for _pattern, _ends in ((_NAMED, _TYPES), (_STREET, NOTED("capital_streets"))):
    for _end in sorted(_ends):
        _BY_LAST_WORD.setdefault(WORD.findall(_end.lower())[-1], []).append((_pattern, f" {_end}"))
_LAST_WORDS = frozenset(_BY_LAST_WORD)
_LAST_HELD = trigger(_LAST_WORDS)
_NO_NAMES = NOT_TOWNS | NOTED("not_facility_names")
_NO_NAME_STARTS = NOTED("not_place_starts")
_BEFORE, _AFTER, _NEAR = 60, 30, 90


def named_place_spans(text: ScannedText, *, tied: bool) -> Iterator[Span]:
    """The places in a text.

    Args:
        text: the text.
        tied: whether a word for one person must stand near.
    """
    raw = text.raw
    for pattern, place in _tried(text, tied=tied):
        for match in pattern.finditer(raw, max(0, place - _BEFORE), place + _AFTER):
            start, end = match.span("v")
            if _is_name(match) and _stands_there(raw, match, tied=tied):
                yield Span("location", start, end, DOUBTFUL_SCORE)


def _tried(text: ScannedText, *, tied: bool) -> Iterator[tuple[re.Pattern[str], int]]:
    raw = text.raw
    for word in text.words & _LAST_WORDS if text.marks.held & _LAST_HELD else ():
        for pattern, spaced in _BY_LAST_WORD[word]:
            if pattern is _STREET and tied:
                continue
            for place in places_of(raw, spaced):
                yield pattern, place
    if not tied and text.has_shape(b" in A", b" near A", b" outside A"):
        for match in _IN_TOWN_HINT.finditer(raw):
            yield _IN_TOWN, match.start()


def _is_name(match: re.Match[str]) -> bool:
    name = match.group("n" if match.re is _NAMED else "v").lower()
    words = name.split()[:-1] if match.re is _STREET else name.split()
    if match.re is _IN_TOWN and (match["t"].lower() in _NO_NAMES or is_large(match["v"])):
        return False
    # "Two Rivers", "Old Quarry": one of the words must be a name.
    return words[0] not in _NO_NAME_STARTS and not all(
        word.strip(".'’") in _NO_NAMES for word in words
    )


def _stands_there(raw: str, match: re.Match[str], *, tied: bool) -> bool:
    start, end = match.span("v")
    if match.re is _NAMED:
        begin = max(0, start - _BEFORE)
        if not _PLACED.search(raw, max(0, start - 8), start):
            return False
        return not tied or bool(_TREATED.search(raw, begin, start))
    return not tied or ONE_PERSON.search(raw, max(0, start - _NEAR), end + _NEAR) is not None
