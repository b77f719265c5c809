"""Places smaller than a state: street addresses, homes, postal codes.

Belongs here: how such places are written, and which words tie a town to a person. Does not: which
places are large (regions). A town without such words is no identifier, since it may be the place of
a company or a hospital. The words are in `words/places.yaml`. Every repetition is bounded.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import DOUBTFUL_SCORE, IDENTIFYING_SCORE, Span
from bioinstruct_dagster.curation.privacy.organizations import is_organizations
from bioinstruct_dagster.curation.privacy.regions import is_large, state_codes, state_names
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.vocabulary import (
    PLACES,
    any_of,
    any_start_of,
    cues,
    pieces,
)

_TOWN_WORD = r"[A-ZÀ-Þ][A-Za-zÀ-ÿ'’.-]{0,24}(?!\w)"
_UK_POSTCODE = r"[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}"
_STREET, _STREET_ABBREVIATION = any_of(PLACES("streets")), any_of(PLACES("street_abbreviations"))
_STATE = any_of(state_codes(), state_names())
_CITY = rf"(?:{_TOWN_WORD})(?:\s(?:{_TOWN_WORD}|de|la|of|the|upon|del)){{0,3}}"
_ZIP = r"\d{5}(?:-\d{4})?"
_UNIT_PART = rf"(?:,?\s{any_of(PLACES('units'))}\.?\s?#?[\w-]{{1,6}})?"
_AFTER_STREET = rf"(?:,?\s{_CITY})?(?:,?\s{_STATE}\b)?(?:,?\s(?:{_ZIP}|{_UK_POSTCODE})\b)?"
_ADDRESS = re.compile(
    r"(?<![\w.,/-])\d{1,5}[A-Z]?(?:-\d{1,4})?\s(?:[NSEW]{1,2}\.?\s|(?:North|South|East|West)\s)?"
    rf"(?:(?:{_TOWN_WORD}|\d{{1,3}}(?:st|nd|rd|th)|of|the|de|la)\s){{1,4}}?"
    rf"(?:{_STREET}\b|{_STREET_ABBREVIATION}\b(?:\.|(?=[,;)]|\n|$|\s(?:Apt|Unit|Suite|#|in\b|and\b"
    rf"|[A-Z]))))"
    rf"{_UNIT_PART}{_AFTER_STREET}"
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
# A bed: "St. Mary's Hospital, Room 412", "Ward 7, Bed 14".
_CARE_NAME = rf"(?:(?:St\.?|[A-Z][\w'’.-]{{1,20}})\s){{1,4}}{any_of(PLACES('hospitals'))}"
_BED = rf"(?i:{any_of(PLACES('rooms'))})\.?\s?(?:(?:no|number)\.?\s|#\s?)?[A-Z]?-?\d{{1,4}}[A-Z]?\b"
_BEDS = rf"{_BED}(?:(?:,|\sand|/)?\s?{_BED}){{0,2}}"
# "lives on Maple Street", without a number.
_HOME_STREET = re.compile(
    rf"\b(?:{any_start_of(PLACES('living'))}\s(?:in|of|at|on|from|near|to|off)|[Hh]ome\son|[Aa]ddress:?)\s"
    rf"(?P<v>(?:{_TOWN_WORD}\s){{1,3}}{_STREET}\b{_UNIT_PART}{_AFTER_STREET})"
)
_HOSPITAL_ROOM = re.compile(
    rf"{_CARE_NAME}(?:,|:|\s\(|\s[-–]|\sin|,\sin)?\s?{_BEDS}"
    rf"|{_BEDS}(?:,|,?\s(?:of|at|in)(?:\sthe)?)\s{_CARE_NAME}"
    rf"|\b(?i:ward|room|rm)\.?\s[A-Z]?-?\d{{1,4}}[A-Z]?(?:,|/|\sand)?\s?(?i:bed)"
    r"\s[A-Z]?\d{0,2}[A-Z]?\b"
)
_ROOM_WORDS = cues(PLACES("rooms"))
_PO_BOX = re.compile(rf"\b(?i:P\.?\s?O\.?\s?Box)\s#?\d{{1,7}}\b{_AFTER_STREET}")
_CITY_ZIP = re.compile(rf"(?<!\w)(?:{_CITY},?\s)?{_STATE},?\s{_ZIP}(?![\w-])")
# "RR 2 Box 118", "14 Rue des Lilas", "Hauptstraße 14", "Calle Mayor 12", "Trailer 12, Sunny Acres".
_RURAL = re.compile(
    rf"\b(?:RR|R\.R\.|Rural Route|HC|RFD)\s?#?\d{{1,3}},?\s(?i:box)\s#?\d{{1,5}}\b{_AFTER_STREET}"
)
_ABROAD = re.compile(
    rf"(?<![\w.,/-])\d{{1,4}}(?:bis)?,?\s(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Cc]hemin|[Pp]lace)\s(?:(?:des?|du|la|le|les)\s)?"
    rf"(?:la\s)?{_TOWN_WORD}"
    rf"|\b(?:[A-ZÄÖÜ][a-zäöüß]{{2,20}}(?:straße|strasse|gasse|weg|platz|straat|gatan|vej)|"
    rf"(?:Calle|Via|Viale|Rua|Avenida|Piazza|Plaza|Ulica)\s(?:(?:de|del|della|da|la)\s)?{_TOWN_WORD})"
    rf",?\s\d{{1,4}}[a-z]?\b(?:,?\s\d{{4,5}})?(?:,?\s{_TOWN_WORD})?"
)
# The number after the street: "Old Mill Lane 17", "ul. Lipowa 14, 20-020 Lublin".
_TOWN_AFTER = rf"(?:,?\s\d{{2,3}}[- ]?\d{{2,3}}\b)?(?:,?\s{_TOWN_WORD})?"
_STREET_FIRST = re.compile(
    rf"\b(?:{_TOWN_WORD}\s){{1,2}}(?:Street|Avenue|Road|Lane|Drive|Crescent|Terrace|Boulevard)\s\d{{1,4}}[A-Za-z]?\b(?!\s?(?:%|mg|patients|study))"
    rf"|\b(?:[Uu]l\.|[Aa]l\.|[Oo]s\.|[Pp]l\.|C/|[Cc]alle|[Vv]ia|[Vv]iale|[Cc]orso|[Rr]ua|[Rr]ue|[Aa]v\.|[Uu]lica|[Pp]iazza|[Jj]alan|Jl\.|str\.|Str\.)\s"
    rf"(?:(?:de|del|della|da|do|la|le|les|des|du)\s){{0,2}}{_TOWN_WORD}(?:\s{_TOWN_WORD})?,?\s(?:n[.°º]\s?)?\d{{1,4}}[a-zA-Z]?\b(?:/\d{{1,3}})?{_TOWN_AFTER}"
    rf"|\b[A-ZÄÖÅ][a-zäöüåßæø]{{2,20}}(?:gatan|vägen|veien|gata|gade|vej|straat|laan|weg|gasse|allee|platz|katu|strasse|straße)\s\d{{1,4}}[a-zA-Z]?\b{_TOWN_AFTER}"
)
# "transferred from Oakridge Family Clinic": the place where one person is treated, lives or learns.
_FACILITY = re.compile(
    rf"\b(?i:{any_of(PLACES('care_verbs'))})(?:\s[a-z]{{2,10}}){{0,3}}?\s(?:to|from|at|in|by|near|for|with)\s(?:the\s)?"
    rf"(?P<v>(?:(?:St\.?|[A-Z][\w'’.-]{{1,20}})\s(?:of\s|and\s)?){{1,4}}{any_of(PLACES('facilities'))})\b(?!['’]s?\s(?:guideline|criteria))"
)
_FACILITY_HINT = re.compile(rf"(?<=[a-z.'’]) {any_of(PLACES('facilities'))}\b")
_FACILITY_WORDS, _CARE_WORDS = cues(PLACES("facilities")), cues(PLACES("care_verbs"))
# "Rose Cottage, Mill Lane", "412 Pomeroy, apartment 9", "14/2, MG Road, Pune".
_COUNTRY_HOME = re.compile(
    rf"\b(?:{_TOWN_WORD}\s){{1,2}}(?:Cottage|Farm|Farmhouse|Villa|Lodge|Manor|Apartments|Grange|Bungalow|House|Mansions),\s"
    rf"(?:{_TOWN_WORD}\s){{1,2}}{_STREET}\b(?:,\s{_TOWN_WORD})?"
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
    rf"(?<![\w.,/-])\d{{1,5}}\s(?:[NSEW]\.?\s)?{_TOWN_WORD},?\s(?i:apartment|apt|unit|flat)\.?\s#?\d{{1,4}}\b"
    rf"|(?<![\w.,-])\d{{1,4}}(?:/\d{{1,4}})?[A-Z]?,?\s(?:{_TOWN_WORD}\s){{1,3}}(?:Road|Marg|Nagar|Cross),\s{_TOWN_WORD}"
)
_PART_WORDS = frozenset(("apartment", "apt", "unit", "flat", "road", "marg", "nagar", "cross"))
# "House No. 112, Sector 21, Gurgaon", "Plot 44, Jubilee Hills", "R/o 112, Gandhi Nagar, Jaipur".
_INDIAN = re.compile(
    rf"\b(?:H(?:ouse|\.)?\s?[Nn]o\.?|House\s(?:[Nn]umber|#)|Plot(?:\s[Nn]o\.?)?|Door\s[Nn]o\.?|D\.\s?[Nn]o\.?|Flat\s[Nn]o\.?|Qtr\.?\s?[Nn]o\.?|Shop\s[Nn]o\.?)\s?"
    rf"[:#-]?\s?\d[\w/-]{{0,10}}(?:,?\s(?:\d\w{{0,4}}\s)?{_TOWN_WORD}(?:\s(?:{_TOWN_WORD}|\d{{1,6}}))?){{1,4}}"
    rf"|\b[Nn]o\.?\s?\d{{1,4}}\w?(?:/\d{{1,4}})?,\s(?:\d\w{{1,3}}\s)?{_TOWN_WORD}(?:\s{_TOWN_WORD}){{0,2}},\s{_TOWN_WORD}"
    rf"|\b(?:R/[Oo]|[Rr]/o)\s\d[\w/-]{{0,8}},?\s{_TOWN_WORD}(?:,?\s{_TOWN_WORD}){{0,3}}"
    rf"|\b{_TOWN_WORD}\s(?:Nagar|Colony|Vihar|Layout|Puram|Enclave|Marg|Extension|Chowk|Bazaar|Mohalla|Basti|Garhi)\b(?:,\s{_TOWN_WORD})?"
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
_STREET_ENDING = re.compile(
    r"\d(?<=[a-z] \d)(?:(?<=gatan \d)|(?<=vägen \d)|(?<=veien \d)|(?<=gata \d)|(?<=gade \d)|(?<"
    r"=vej \d)"
    r"|(?<=straat \d)|(?<=laan \d)|(?<=weg \d)|(?<=gasse \d)|(?<=allee \d)|(?<=platz \d)|(?<=ka"
    r"tu \d)"
    r"|(?<=strasse \d)|(?<=straße \d))"
)
# "picked up from the corner of 5th and Main", "we're over on Kettle Creek Road".
_NAMED_STREET = re.compile(
    rf"\b(?:over\son|over\sat|house\son|home\son|corner\sof|down\son|up\son|out\son|apartment\son|place\son|flat\son|wife,\s[A-Z][\w'’-]{{1,20}},\son)\s"
    rf"(?P<v>(?:{_TOWN_WORD}\s){{1,3}}{_STREET}\b(?:\s\d{{1,4}})?|\d{{1,3}}(?:st|nd|rd|th)\sand\s{_TOWN_WORD}|{_TOWN_WORD}\sand\s{_TOWN_WORD}(?=[.,]))"
)
_NAMED_STREET_WORDS = frozenset(
    ("over", "house", "home", "corner", "down", "up", "out", "apartment", "place", "flat", "wife")
)
_NUMBERED_HOME = re.compile(
    rf"\b{any_start_of(PLACES('living'))}\s(?:in|at|on)\s(?P<v>\d{{1,5}}\s{_TOWN_WORD}(?:\s{_TOWN_WORD}){{0,2}}"
    rf"|(?i:trailer|lot|apartment|apt|flat|unit|cabin)\.?\s#?\d{{1,4}}[A-Z]?,\s{_TOWN_WORD}(?:\s{_TOWN_WORD}){{0,2}}"
    rf"|the\scorner\sof\s{_TOWN_WORD}\sand\s[\w ]{{2,20}})"
)
_WRITTEN_STREET = re.compile(
    rf"\b(?:at|from|on|to|address is|is) (?:number )?(?P<v>(?i:one|two|three|four|five|six|seve"
    rf"n|eight|nine|ten|eleven|twelve"
    rf"|[a-z]{{3,5}}teen|twenty|thirty|forty|fifty|[a-z]{{3,6}} hundred)(?:[ -]\w{{2,8}}){{0,"
    rf"3}}? (?:{_TOWN_WORD} ){{1,2}}{_STREET}\b)"
)
_ZIP_AFTER_LABEL = re.compile(
    rf"\b{any_of(PLACES('postal_code_labels'))}\b[^\w\n.]{{0,4}}(?:(?:is|was|of)\s)?"
    r"(?P<v>\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}|[A-Z]\d[A-Z]\s?\d[A-Z]\d|\d{4})\b",
    re.IGNORECASE,
)
_POSTCODE = re.compile(
    r"(?<=[a-z],\s)(?:[A-Z]{2}\s)?(?:[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}"
    r"|[A-Z]\d[A-Z]\s\d[A-Z]\d)(?!\w)"
    r"|(?<=[a-z]\s)(?:[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2})(?=[,.\n]|$)"
)
# A home: "lives in Dayton, Ohio", "a man from Leeds". The cue ties it to a person.
_HOME_WORDS = cues(PLACES("living"), PLACES("home_labels"))
_PERSON_WORDS = cues(PLACES("persons_from"))
_HOME = re.compile(
    rf"\b(?:{any_start_of(PLACES('living'))}\s"
    rf"(?:(?:{any_of(PLACES('living_how'))}|with\s\w{{1,12}}\s\w{{1,12}})\s)?"
    rf"(?:in|of|at|from|near|to|outside)|{any_of(PLACES('persons_from'))}\sfrom)"
    rf"\s(?:downtown\s|rural\s|suburban\s)?(?P<v>{_CITY}(?:,\s{_STATE}\b)?)"
)
_HOME_LABEL = re.compile(
    rf"\b(?:{any_start_of(PLACES('home_labels'))}|ADDRESS)"
    rf"\s?[:=]\s?(?P<v>{_CITY}(?:,\s{_STATE}\b)?)"
)
_COUNTY = re.compile(
    rf"\b(?:in|of|from)\s(?P<v>{_TOWN_WORD}(?:\s{_TOWN_WORD})?\sCounty(?:,\s{_STATE}\b)?)"
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
    )
)
_ADDRESS_HINT = re.compile(r"\d[A-Z]?\s(?:[A-ZÀ-Þ]|\d{1,3}(?:st|nd|rd|th)\b|of |the |de |la )")
# A number after a word that may end a street's name, or after "No.".
_ADDRESS_AROUND_HINT = re.compile(r"[a-zé.:#] ?\d[\w/-]{0,8}(?=[ ,.;\n]|$)")
_HOME_PATTERNS = (_HOME, _HOME_LABEL, _HOME_STREET, _NUMBERED_HOME)
_STREET_WORDS = cues(PLACES("streets"), PLACES("street_abbreviations"))
_ZIP_HINT = re.compile(r"\d{5}(?<!\d{6})(?![\d.])")
_POSTCODE_HINT = re.compile(r"\d(?:\s?[A-Z]{2}\b|[A-Z]\d)")
_ZIP_WORDS = cues(PLACES("postal_code_labels"))


# "Pulmonary Clinic" and "Neonatal Intensive Care Unit" are parts of any hospital.
_SERVICE = re.compile(
    r"^(?:(?:Memory|Pain|Outpatient|Emergency|Urgent|Primary|General|Day|Intensive|Walk|Same|Sleep"
    r"|Wound|Heart|Eye|Women|Children|Rehab|Nursing|Cancer|Dialysis|Veterans|VA|The|University"
    r"|County|Community|Family Practice|Medicine)\b|Orthop|Surg|Diabet|Rheum"
    r"|[A-Z][a-z]{2,12}(?:ology|ary|ic|al|ncy|ics|ive|cy|gery|iatry)\b)"
)
_UNIT_OF_HOSPITAL = re.compile(r"\b(?:Unit|Department|Ward|Room)\b")
_NO_HOME = re.compile(r"[A-Z]*[a-z]?[A-Z]{2}")  # an abbreviation


def place_spans(text: ScannedText) -> Iterator[Span]:
    """The addresses, homes and postal codes of a text."""
    for pattern, group, score in _matching_patterns(text):
        for match in _matches(pattern, text):
            if score < IDENTIFYING_SCORE and (
                is_large(match[group].split(". ")[0].rstrip("."))
                or _NO_HOME.match(match[group])
                or _UNIT_OF_HOSPITAL.search(match[group])
                or (pattern is _FACILITY and _SERVICE.match(match[group]))
            ):
                continue
            if pattern is not _HOSPITAL_ROOM and is_organizations(
                text.raw, *match.span(group), care=True
            ):
                continue
            if pattern is _ADDRESS and not _is_street(text.raw, match):
                continue
            yield Span("location", *match.span(group), score)


def _matches(pattern: re.Pattern[str], text: ScannedText) -> Iterator[re.Match[str]]:
    """The matches of a pattern, which is tried around its words or numbers if it has any."""
    parts = [(0, len(text.raw))]
    if pattern is _STREET_FIRST or pattern is _INDIAN:
        parts = list(pieces(_ADDRESS_AROUND_HINT, text.raw, 60, 90))
    elif pattern is _ADDRESS:
        parts = list(pieces(_ADDRESS_HINT, text.raw, 8, 160))
    elif pattern is _FACILITY:
        parts = text.parts_around(_FACILITY_WORDS, 100, 30, _FACILITY_HINT)
    elif pattern in _HOME_PATTERNS:
        parts = text.parts_around(_HOME_WORDS | _PERSON_WORDS, 8, 70)
    for begin, end in parts:
        yield from pattern.finditer(text.raw, begin, end)


def _matching_patterns(text: ScannedText) -> Iterator[tuple[re.Pattern[str], str | int, float]]:
    """The patterns that could match a text, each with the group of the place and the score."""
    if text.holds_any(_HOME_WORDS) or ("from" in text.words and text.holds_any(_PERSON_WORDS)):
        for pattern in (_HOME, _HOME_LABEL):
            yield pattern, "v", DOUBTFUL_SCORE
        if "county" in text.words:
            yield _COUNTY, "v", 0.6
        if text.holds_any(_STREET_WORDS):
            yield _HOME_STREET, "v", 0.8
            yield _WRITTEN_STREET, "v", 0.75
    if text.holds_any(_FACILITY_WORDS) and text.holds_any(_CARE_WORDS):
        yield _FACILITY, "v", DOUBTFUL_SCORE
    if text.holds_any(_STREET_WORDS) and text.holds_any(_COUNTRY_HOME_WORDS):
        yield _COUNTRY_HOME, 0, 0.75
    if (
        text.holds_any(_STREET_WORDS) and text.holds_any(_NAMED_STREET_WORDS)
    ) or "corner" in text.words:
        yield _NAMED_STREET, "v", DOUBTFUL_SCORE
    if text.has_digit:
        yield from _numbered_patterns(text)


def _numbered_patterns(
    text: ScannedText,
) -> Iterator[tuple[re.Pattern[str], str | int, float]]:
    """The patterns of places that hold a digit."""
    if text.holds_any(_STREET_WORDS):
        yield _ADDRESS, 0, 0.9
    yield from _other_countries(text)
    if text.holds_any(_ROOM_WORDS):
        yield _HOSPITAL_ROOM, 0, 0.8
    if "box" in text.words:
        yield _PO_BOX, 0, 0.9
        yield _RURAL, 0, 0.9
    if text.holds_any(_HOME_WORDS):
        yield _NUMBERED_HOME, "v", 0.75
    if text.holds_any(_ABROAD_WORDS) or "stra\u00dfe" in text.lowered or "strasse" in text.lowered:
        yield _ABROAD, 0, 0.75
    if text.has_number and _ZIP_HINT.search(text.raw):
        yield _CITY_ZIP, 0, 0.85
    if text.holds_any(_ZIP_WORDS):
        yield _ZIP_AFTER_LABEL, "v", 0.85
    if _POSTCODE_HINT.search(text.raw):
        yield _POSTCODE, 0, 0.7


def _other_countries(text: ScannedText) -> Iterator[tuple[re.Pattern[str], str | int, float]]:
    """The patterns of addresses in the order of other countries, and of parts of a house."""
    if text.holds_any(_STREET_FIRST_WORDS) or _STREET_ENDING.search(text.raw):
        yield _STREET_FIRST, 0, 0.75
    if text.holds_any(_PART_WORDS):
        yield _PART_OF_HOUSE, 0, 0.75
    if text.holds_any(_INDIAN_WORDS) or "No." in text.raw or "/o " in text.raw:
        yield _INDIAN, 0, 0.75


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
