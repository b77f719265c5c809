"""Street addresses: "12 Oak Street", "lives on Maple Street", "the corner of 5th and Main".

Belongs here: addresses in the order of English-speaking countries, and what only looks like one.
Does not: addresses of other countries (abroad), or towns (homes). Every repetition is bounded.
"""

import re

from bioinstruct_dagster.curation.privacy.kinds import DOUBTFUL_SCORE
from bioinstruct_dagster.curation.privacy.places.forms import (
    AFTER_STREET,
    STREET,
    STREET_ABBREVIATION,
    STREET_WORDS,
    TOWN_WORD,
    UNIT_PART,
    PlacePattern,
)
from bioinstruct_dagster.curation.privacy.places.homes import HOME_WORDS, home_parts, is_from_home
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.vocabulary import PLACES, any_of, any_start_of, pieces

_ADDRESS = re.compile(
    r"(?<![\w.,/-])\d{1,5}[A-Z]?(?:-\d{1,4})?\s(?:[NSEW]{1,2}\.?\s|(?:North|South|East|West)\s)?"
    rf"(?:(?:{TOWN_WORD}|\d{{1,3}}(?:st|nd|rd|th)|of|the|de|la)\s){{1,4}}?"
    rf"(?:{STREET}\b|{STREET_ABBREVIATION}\b(?:\.|(?=[,;)]|\n|$|\s(?:Apt|Unit|Suite|#|in\b|and\b"
    rf"|[A-Z]))))"
    rf"{UNIT_PART}{AFTER_STREET}"
)
# These end a street too, but more often other things: "Step 2 Close the loop".
_DOUBTFUL_STREETS = PLACES("doubtful_streets")
_NO_STREET_BEFORE = re.compile(rf"\b{any_of(PLACES('not_before_streets'))}\.?\s$", re.IGNORECASE)
_STREET_SUPPORT = re.compile(
    r"\b(?:at|to|discharged|address|lives?|home|resid\w{2,5}|flat|of|on)\b[^.\n]{0,24}$",
    re.IGNORECASE,
)
_NO_STREET_WORDS = re.compile(r"\d+[A-Z]?\s(?:The|A|An|Of|In|For)\b")
_NO_STREET_NAMES = PLACES("no_street_names")
# "lives on Maple Street", without a number.
_HOME_STREET = re.compile(
    rf"\b(?:{any_start_of(PLACES('living'))}\s(?:in|of|at|on|from|near|to|off)|[Hh]ome\son|[Aa]ddress:?)\s"
    rf"(?P<v>(?:{TOWN_WORD}\s){{1,3}}{STREET}\b{UNIT_PART}{AFTER_STREET})"
)
_PO_BOX = re.compile(rf"\b(?i:P\.?\s?O\.?\s?Box)\s#?\d{{1,7}}\b{AFTER_STREET}")
# "RR 2 Box 118", "14 Rue des Lilas", "Hauptstraße 14", "Calle Mayor 12", "Trailer 12, Sunny Acres".
_RURAL = re.compile(
    rf"\b(?:RR|R\.R\.|Rural Route|HC|RFD)\s?#?\d{{1,3}},?\s(?i:box)\s#?\d{{1,5}}\b{AFTER_STREET}"
)
# "picked up from the corner of 5th and Main", "we're over on Kettle Creek Road".
_NAMED_STREET = re.compile(
    rf"\b(?:over\son|over\sat|house\son|home\son|corner\sof|down\son|up\son|out\son|apartment\son|place\son|flat\son|wife,\s[A-Z][\w'’-]{{1,20}},\son)\s"
    rf"(?P<v>(?:{TOWN_WORD}\s){{1,3}}{STREET}\b(?:\s\d{{1,4}})?|\d{{1,3}}(?:st|nd|rd|th)\sand\s{TOWN_WORD}|{TOWN_WORD}\sand\s{TOWN_WORD}(?=[.,]))"
)
_NAMED_STREET_WORDS = frozenset(
    ("over", "house", "home", "corner", "down", "up", "out", "apartment", "place", "flat", "wife")
)
_WRITTEN_STREET = re.compile(
    rf"\b(?:at|from|on|to|address is|is) (?:number )?(?P<v>(?i:one|two|three|four|five|six|seve"
    rf"n|eight|nine|ten|eleven|twelve"
    rf"|[a-z]{{3,5}}teen|twenty|thirty|forty|fifty|[a-z]{{3,6}} hundred)(?:[ -]\w{{2,8}}){{0,"
    rf"3}}? (?:{TOWN_WORD} ){{1,2}}{STREET}\b)"
)
_ADDRESS_HINT = re.compile(r"\d[A-Z]?\s(?:[A-ZÀ-Þ]|\d{1,3}(?:st|nd|rd|th)\b|of |the |de |la )")


def _address_parts(text: ScannedText) -> list[tuple[int, int]]:
    return list(pieces(_ADDRESS_HINT, text.raw, 8, 160))


def _is_street(text: str, match: re.Match[str]) -> bool:
    """Whether what looks like a street address is one; chapters and steps look so too."""
    if _NO_STREET_WORDS.match(match[0]) or _NO_STREET_BEFORE.search(text[: match.start()][-20:]):
        return False
    words = re.split(r"[\s,]+", match[0])
    if not _DOUBTFUL_STREETS.intersection(words) or re.search(r"\d{5}|[A-Z]{2}\b", match[0][4:]):
        return True
    if len(words[0]) > 1 and words[1] not in _NO_STREET_NAMES:
        return True
    return _STREET_SUPPORT.search(text[max(0, match.start() - 40) : match.start()]) is not None


STREET_PATTERNS = (
    PlacePattern(_HOME_STREET, 0.8, HOME_WORDS, is_from_home, STREET_WORDS, parts=home_parts),
    PlacePattern(_WRITTEN_STREET, 0.75, HOME_WORDS, is_from_home, STREET_WORDS),
    PlacePattern(
        _NAMED_STREET, DOUBTFUL_SCORE, _NAMED_STREET_WORDS, also=STREET_WORDS | {"corner"}
    ),
    PlacePattern(
        _ADDRESS, 0.9, STREET_WORDS, numbered=True, parts=_address_parts, is_place=_is_street
    ),
    PlacePattern(_PO_BOX, 0.9, frozenset(("box",)), numbered=True),
    PlacePattern(_RURAL, 0.9, frozenset(("box",)), numbered=True),
)
