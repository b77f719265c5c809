"""Addresses in the order of other countries, and parts of a house: "Hauptstraße 14", "Plot 44".

Belongs here: addresses of Europe and India, and names of houses. Does not: addresses of the
English-speaking countries (streets). Every repetition is bounded.
"""

import re

from bioinstruct_dagster.curation.privacy.places.forms import (
    STREET,
    STREET_WORDS,
    TOWN_WORD,
    PlacePattern,
)
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.vocabulary import pieces

_ABROAD = re.compile(
    rf"(?<![\w.,/-])\d{{1,4}}(?:bis|-?[A-Z])?,?\s(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Cc]hemin|[Pp]lace|Via|Viale|Calle|Rua|Avenida|Piazza|Plaza|Paseo|Camino|Impasse|Quai|Corso|Strada|Largo|Jalan)\s(?:(?:des?|du|la|le|les|dei|del|della|degli|di|da|do|los|las)\s){{0,2}}"
    rf"{TOWN_WORD}"
    rf"|\b(?:[A-ZÄÖÜ][a-zäöüß]{{2,20}}(?:straße|strasse|gasse|weg|platz|straat|gatan|vej)|"
    rf"(?:Calle|Via|Viale|Rua|Avenida|Piazza|Plaza|Ulica)\s(?:(?:de|del|della|da|la)\s)?{TOWN_WORD})"
    rf",?\s\d{{1,4}}[a-z]?\b(?:,?\s\d{{4,5}})?(?:,?\s{TOWN_WORD})?"
)
_ABROAD_WORDS = frozenset(
    (
        "rue",
        "avenue",
        "boulevard",
        "chemin",
        "calle",
        "via",
        "ul",
        "jl",
        "str",
        "viale",
        "rua",
        "avenida",
        "piazza",
        "ulica",
        *("plaza", "paseo", "camino", "impasse", "quai", "corso", "strada", "largo"),
    )
)
# The number after the street: "Old Mill Lane 17", "ul. Lipowa 14, 20-020 Lublin".
_TOWN_AFTER = rf"(?:,?\s\d{{2,3}}[- ]?\d{{2,3}}\b)?(?:,?\s{TOWN_WORD})?"
_STREET_FIRST = re.compile(
    rf"\b(?:{TOWN_WORD}\s){{1,2}}(?:Street|Avenue|Road|Lane|Drive|Crescent|Terrace|Boulevard)\s\d{{1,4}}[A-Za-z]?\b(?!\s?(?:%|mg|patients|study))"
    rf"|\b(?:[Uu]l\.|[Aa]l\.|[Oo]s\.|[Pp]l\.|C/|[Cc]alle|[Vv]ia|[Vv]iale|[Cc]orso|[Rr]ua|[Rr]ue|[Aa]v\.|[Uu]lica|[Pp]iazza|[Jj]alan|Jl\.|str\.|Str\.)\s"
    rf"(?:(?:de|del|della|da|do|la|le|les|des|du)\s){{0,2}}{TOWN_WORD}(?:\s{TOWN_WORD})?,?\s(?:n[.°º]\s?)?\d{{1,4}}[a-zA-Z]?\b(?:/\d{{1,3}})?{_TOWN_AFTER}"
    rf"|\b[A-ZÄÖÅ][a-zäöüåßæø]{{2,20}}(?:gatan|vägen|veien|gata|gade|vej|straat|laan|weg|gasse|allee|platz|katu|strasse|straße)\s\d{{1,4}}[a-zA-Z]?\b{_TOWN_AFTER}"
)
_STREET_FIRST_WORDS = frozenset(
    (
        *("street", "avenue", "road", "lane", "drive", "crescent", "terrace", "boulevard"),
        *(
            "calle",
            "via",
            "ul",
            "jl",
            "str",
            "viale",
            "corso",
            "rua",
            "rue",
            "ulica",
            "piazza",
            "jalan",
        ),
    )
)
# A number after a word with such an ending; the search for one character is the fastest.
_STREET_ENDINGS = (
    *("gatan ", "vägen ", "veien ", "gata ", "gade ", "vej ", "straat ", "laan ", "weg "),
    *("gasse ", "allee ", "platz ", "katu ", "strasse ", "straße "),
)
_ENDING_SHAPE = re.compile(
    rb"0(?:(?<=n 0)|(?<=a 0)|(?<=e 0)|(?<=j 0)|(?<=t 0)|(?<=g 0)|(?<=z 0)|(?<=u 0))"
)
_STREET_ENDING = re.compile(
    r"\d(?<=[a-z] \d)(?:" + "|".join(rf"(?<={one}\d)" for one in _STREET_ENDINGS) + ")"
)
# "Rose Cottage, Mill Lane", "412 Pomeroy, apartment 9", "14/2, MG Road, Pune".
_COUNTRY_HOME = re.compile(
    rf"\b(?:{TOWN_WORD}\s){{1,2}}(?:Cottage|Farm|Farmhouse|Villa|Lodge|Manor|Apartments|Grange|Bungalow|House|Mansions),\s"
    rf"(?:{TOWN_WORD}\s){{1,2}}{STREET}\b(?:,\s{TOWN_WORD})?"
)
_COUNTRY_HOME_WORDS = frozenset(
    (
        *(
            "cottage",
            "farm",
            "farmhouse",
            "villa",
            "lodge",
            "manor",
            "apartments",
            "grange",
            "bungalow",
        ),
        *("house", "mansions"),
    )
)
_PART_OF_HOUSE = re.compile(
    rf"(?<![\w.,/-])\d{{1,5}}\s(?:[NSEW]\.?\s)?{TOWN_WORD},?\s(?i:apartment|apt|unit|flat)\.?\s#?\d{{1,4}}\b"
    rf"|(?<![\w.,-])\d{{1,4}}(?:/\d{{1,4}})?[A-Z]?,?\s(?:{TOWN_WORD}\s){{1,3}}(?:Road|Marg|Nagar|Cross),\s{TOWN_WORD}"
)
_PART_WORDS = frozenset(("apartment", "apt", "unit", "flat", "road", "marg", "nagar", "cross"))
# "House No. 112, Sector 21, Gurgaon", "Plot 44, Jubilee Hills", "R/o 112, Gandhi Nagar, Jaipur".
_INDIAN = re.compile(
    rf"\b(?:H(?:ouse|\.)?\s?[Nn]o\.?|House\s(?:[Nn]umber|#)|Plot(?:\s[Nn]o\.?)?|Door\s[Nn]o\.?|D\.\s?[Nn]o\.?|Flat\s[Nn]o\.?|Qtr\.?\s?[Nn]o\.?|Shop\s[Nn]o\.?)\s?"
    rf"[:#-]?\s?\d[\w/-]{{0,10}}(?:,?\s(?:\d\w{{0,4}}\s)?{TOWN_WORD}(?:\s(?:{TOWN_WORD}|\d{{1,6}}))?){{1,4}}"
    rf"|\b[Nn]o\.?\s?\d{{1,4}}\w?(?:/\d{{1,4}})?,\s(?:\d\w{{1,3}}\s)?{TOWN_WORD}(?:\s{TOWN_WORD}){{0,2}},\s{TOWN_WORD}"
    rf"|\b(?:R/[Oo]|[Rr]/o)\s\d[\w/-]{{0,8}},?\s{TOWN_WORD}(?:,?\s{TOWN_WORD}){{0,3}}"
    rf"|\b{TOWN_WORD}\s(?:Nagar|Colony|Vihar|Layout|Puram|Enclave|Marg|Extension|Chowk|Bazaar|Mohalla|Basti|Garhi)\b(?:,\s{TOWN_WORD})?"
)
_INDIAN_WORDS = frozenset(
    (
        *(
            "house",
            "plot",
            "door",
            "flat",
            "nagar",
            "colony",
            "vihar",
            "layout",
            "puram",
            "enclave",
        ),
        *("marg", "qtr", "shop", "chowk", "mohalla"),
    )
)
# A number after a word that may end a street's name, or after "No.".
_ADDRESS_AROUND_HINT = re.compile(r"[a-zé.:#] ?\d[\w/-]{0,8}(?=[ ,.;\n]|$)")


def _parts(text: ScannedText) -> list[tuple[int, int]]:
    return list(pieces(_ADDRESS_AROUND_HINT, text.raw, 60, 90))


def _has_ending(text: ScannedText) -> bool:
    return text.may_match(_ENDING_SHAPE) and _STREET_ENDING.search(text.raw) is not None


def _is_indian(text: ScannedText) -> bool:
    return "No." in text.raw or "/o " in text.raw


def _is_german(text: ScannedText) -> bool:
    return "stra\u00dfe" in text.lowered or "strasse" in text.lowered


ABROAD_PATTERNS = (
    PlacePattern(_COUNTRY_HOME, 0.75, _COUNTRY_HOME_WORDS, also=STREET_WORDS),
    PlacePattern(
        _STREET_FIRST, 0.75, _STREET_FIRST_WORDS, _has_ending, numbered=True, parts=_parts
    ),
    PlacePattern(_PART_OF_HOUSE, 0.75, _PART_WORDS, numbered=True),
    PlacePattern(_INDIAN, 0.75, _INDIAN_WORDS, _is_indian, numbered=True, parts=_parts),
    PlacePattern(_ABROAD, 0.75, _ABROAD_WORDS, _is_german, numbered=True),
)
