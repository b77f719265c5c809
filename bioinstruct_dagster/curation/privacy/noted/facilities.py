"""Named places of care, learning and work in notes: "the Oak Hollow nursing home".

Belongs here: names before a type, types before a town, and facilities known by a short name. Does
not: rooms of a hospital (places.facilities). The words are in `words/noted.yaml`. Every repetition
is bounded.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import DOUBTFUL_SCORE, Span
from bioinstruct_dagster.curation.privacy.noted.capitals import (
    BEFORE_PLACE,
    PLACE_WORDS,
    capitals_of,
)
from bioinstruct_dagster.curation.privacy.noted.persons import ONE_PERSON
from bioinstruct_dagster.curation.privacy.noted.towns import NOT_TOWNS
from bioinstruct_dagster.curation.privacy.regions import is_large
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import NOTED, any_of, cues, places_of

_CAPITALIZED = {
    " ".join(word.capitalize() for word in entry.split()) for entry in NOTED("facility_types")
}
_TYPES = any_of(
    NOTED("facility_types"),
    _CAPITALIZED,
    ("YMCA", "YWCA", "ER", "ICU", "A&E", "SNF", "VA", "VAMC", "NHS Trust"),
)
_WORD = r"(?:[A-ZÀ-Þ][a-zà-ÿ'’.]{1,20}(?:-[A-ZÀ-Þ]?[a-zà-ÿ]{1,20})?|St\.?|Mt\.?|[A-Z]\.)"
_NAME = rf"(?:{_WORD}|[A-Z]{{2,5}})(?:\s(?:{_WORD}|of|and|the|de|la|del|on|in|&)){{0,4}}?"
_NAMED = re.compile(
    rf"(?:\b(?P<at>at|to|from|in|by|of|near|with|for|through|the|via|called|attends|attended|attending|joined|visited|@)\s|(?<![\w'’-]))(?:(?:the|The)\s)?(?P<v>(?P<n>{_NAME})\s(?P<t>{_TYPES}))\b(?!['’-])"
)
_TYPE_WORDS = cues(NOTED("facility_types"), NOTED("lower_facility_types"))
_TYPES_HELD = trigger(_TYPE_WORDS)
# Alone in small letters, "health" and "medical" are seldom a part of a name.
_LOWER_TYPE_WORDS = cues(
    NOTED("facility_types") - NOTED("weak_facility_types"), NOTED("lower_facility_types")
) - NOTED("not_lower_types")
_GENERIC = NOTED("not_facility_names")
_WEAK = NOTED("weak_facility_types")
_SERVICE = re.compile(
    r"[A-Z]?[a-z]{2,12}(?:ology|ary|ic|al|ncy|ics|ive|gery|iatry|ine|ing|ed|ion|oma|itis|osis)$"
)
_TYPE_IN_TOWN = re.compile(
    rf"(?:{any_of(NOTED('lower_facility_types'))})\s(?:(?:back|over|down|up|out)\s)?(?:in|of|at|near|outside|on)\s(?P<v>[A-ZÀ-Þ][a-zà-ÿ'’-]{{2,20}}(?:\s(?:[A-ZÀ-Þ][a-zà-ÿ'’-]{{2,20}}|of|on|upon|or|and|de|le|the)){{0,3}})(?!['’]s|\w)"
)
_TYPE_ABROAD = re.compile(
    rf"(?<![\w-])(?:{any_of(NOTED('named_types_abroad'))})\s(?:de\s|of\s|in\s)?(?P<v>[A-ZÀ-Þ][a-zà-ÿ'’-]{{2,20}})(?!\w)"
)
_CUE = re.compile(
    rf"\b(?:{any_of(NOTED('facility_cues'))})\b[^.;!?\n]{{0,40}}?\b(?:at|to|from|in|by|near)\s(?:the\s)?$",
    re.IGNORECASE,
)
_KNOWN = re.compile(
    rf"(?P<v>{any_of(NOTED('known_facilities'))}"
    r"|(?P<s>(?:St|Saint|Mt|Mount)\.?\s[A-Z][a-zà-ÿ]{2,15}(?:['’]s?)?(?:\s(?:East|West|North|South))?))(?![\w-])(?!\s[A-Z]|\sconsensus)"
)
_AT = re.compile(
    rf"(?P<v>(?:St\.?|Mt\.?|[A-ZÀ-Þ][\wà-ÿ]{{1,15}}['’]?s?|[A-Z]{{3,5}})(?:\s(?:(?:de|del|of)\s)?{_WORD}){{0,3}})"
    r"(?=[,.;)\n]|\s[a-z]|$)"
)
_AT_CUE = re.compile(rf"\b{any_of(NOTED('at_cues'))}\b", re.IGNORECASE)
_TAKEN_TO = re.compile(rf"\b{any_of(NOTED('taken_to'))}\sto\s$")
_AT_BEFORE = re.compile(r"\bat\s$")
_PLACE_BEFORE = re.compile(r"\b(?:at|to|from|in|by|near)\s$")
_NOT_AT = NOTED("not_at")
_PREPOSITION = re.compile(r"(?: [a-z]{2,10}){0,2} (?:in|of|at|near|outside|on) [A-ZÀ-Þ]")
_BEFORE, _AFTER, _NEAR, _LONGEST, _CUE_AWAY = 70, 45, 80, 12, 50
_USUAL_TYPES = (" Hospital", " Clinic", " Cent", " Infirmary", " Hospice", " Home")
_ABROAD = trigger(cues(NOTED("named_types_abroad")))
_GROUPS = re.compile(
    r"\b(?:patients|participants|subjects|consecutive|adults|children|women|men|cases|methods|score|criteria|scale|classification|model|study|trial|cohort)\b"
)


def noted_facility_spans(text: ScannedText, *, tied: bool) -> Iterator[Span]:
    """The facilities in a text about one person.

    Args:
        text: the text.
        tied: whether a word for one person must stand near.
    """
    raw = text.raw
    typed = text.marks.held & _TYPES_HELD and (not tied or _holds_type(raw))
    for place in _places(text) if typed else ():
        for match in _NAMED.finditer(raw, max(0, place - _BEFORE), place + _AFTER):
            if _is_named(raw, match) and not (tied and _is_far(raw, match)):
                yield Span("location", *match.span("v"), DOUBTFUL_SCORE)
        town = _TYPE_IN_TOWN.match(raw, place)
        if (
            town
            and town["v"].split(maxsplit=1)[0].lower() not in NOT_TOWNS
            and not is_large(town["v"])
            and not (tied and _is_far(raw, town))
        ):
            yield Span("location", *town.span(), DOUBTFUL_SCORE)
    for match in _named_at(raw) if text.marks.before_capital & BEFORE_PLACE else ():
        if not (tied and _is_far(raw, match)):
            yield Span("location", *match.span("v"), DOUBTFUL_SCORE)
    if text.marks.held & _ABROAD:
        for match in _TYPE_ABROAD.finditer(raw):
            if match["v"].lower() not in NOT_TOWNS and match["v"].lower() not in _GENERIC:
                yield Span("location", *match.span(), DOUBTFUL_SCORE)


def _holds_type(raw: str) -> bool:
    """Whether a text holds a usual type of facility in capitals."""
    return any(word in raw for word in _USUAL_TYPES)


def _named_at(raw: str) -> Iterator[re.Match[str]]:
    """Names after "at", "to" and the like: known facilities, and others beside care in one."""
    for start, before in capitals_of(raw):
        if before not in PLACE_WORDS:
            continue
        begin = max(0, start - _LONGEST)
        known = _KNOWN.match(raw, start)
        if known and _PLACE_BEFORE.search(raw, begin, start) and _is_sure(raw, known):
            yield known
            continue
        match = _AT.match(raw, start)
        if match is None or not _is_unknown(match["v"]):
            continue
        sentence = re.split(r"[.;!?\n]\s", raw[max(0, start - _NEAR) : start])[-1]
        if _TAKEN_TO.search(sentence) or (_AT_BEFORE.search(sentence) and _AT_CUE.search(sentence)):
            yield match


def _is_sure(raw: str, match: re.Match[str]) -> bool:
    """Whether a known name has several words, or stands beside care."""
    begin = max(0, match.start() - _CUE_AWAY)
    several = " " in match["v"] and not match["s"]
    return several or _CUE.search(raw, begin, match.start()) is not None


def _is_unknown(name: str) -> bool:
    first = name.split(maxsplit=1)[0].lower()
    return first not in NOT_TOWNS and first not in _NOT_AT and first not in _GENERIC


def _places(text: ScannedText) -> Iterator[int]:
    """Where a type stands after a word in capitals, or before a preposition of place."""
    raw = text.raw
    for word in text.words & _TYPE_WORDS:
        for spaced in (f" {word}", f" {word.capitalize()}"):
            if spaced[1].islower() and word not in _LOWER_TYPE_WORDS:
                continue
            for start in places_of(raw, spaced):
                end = start + len(spaced)
                if not raw[end : end + 1].isalpha():
                    before = raw[max(0, start - 36) : start].split()[-2:]
                    if any(one[0].isupper() for one in before) or _PREPOSITION.match(raw, end):
                        yield start + 1


def _is_far(raw: str, match: re.Match[str]) -> bool:
    """Whether no word for one person stands near."""
    return ONE_PERSON.search(raw, max(0, match.start() - _NEAR), match.end() + _NEAR) is None


def _is_named(raw: str, match: re.Match[str]) -> bool:
    words = [word.strip(".,").lower() for word in match["n"].split()]
    if words[0] in _GENERIC or (_SERVICE.match(words[-1]) and len(words) == 1):
        return False
    if match["n"].isupper() and len(words) == 1 and match["t"].islower():
        return False
    if all(word in _GENERIC or _SERVICE.match(word) for word in words):
        return False
    if match["t"].lower() in _WEAK and not (
        match["at"] and match["at"] not in ("of", "with", "for")
    ):
        return False
    around = raw[max(0, match.start() - 60) : match.end() + 60]
    return _GROUPS.search(around) is None
