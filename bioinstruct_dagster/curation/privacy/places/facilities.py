"""Places where one person is treated, lives or learns: "St. Mary's Hospital, Room 412".

Belongs here: rooms of a hospital, and named facilities beside what is done with a person. Does not:
homes (homes). The words are in `words/places.yaml`. Every repetition is bounded.
"""

import re

from bioinstruct_dagster.curation.privacy.kinds import DOUBTFUL_SCORE
from bioinstruct_dagster.curation.privacy.places.forms import PlacePattern
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.vocabulary import PLACES, any_of, cues

# A bed: "St. Mary's Hospital, Room 412", "Ward 7, Bed 14".
_CARE_NAME = rf"(?:(?:St\.?|[A-Z][\w'’.-]{{1,20}})\s){{1,4}}{any_of(PLACES('hospitals'))}"
_BED = rf"(?i:{any_of(PLACES('rooms'))})\.?\s?(?:(?:no|number)\.?\s|#\s?)?[A-Z]?-?\d{{1,4}}[A-Z]?\b"
_BEDS = rf"{_BED}(?:(?:,|\sand|/)?\s?{_BED}){{0,2}}"
_HOSPITAL_ROOM = re.compile(
    rf"{_CARE_NAME}(?:,|:|\s\(|\s[-–]|\sin|,\sin)?\s?{_BEDS}"
    rf"|{_BEDS}(?:,|,?\s(?:of|at|in)(?:\sthe)?)\s{_CARE_NAME}"
)
# "ward 4, bed 12": without a hospital, it counts only beside a name.
_BARE_ROOM = re.compile(
    r"\b(?i:ward|room|rm)\.?\s[A-Z]?-?\d{1,4}[A-Z]?(?:,|/|\sand)?\s?(?i:bed)"
    r"\s[A-Z]?\d{0,2}[A-Z]?\b"
)
_BARE_ROOM_SCORE = 0.5
_ROOM_WORDS = cues(PLACES("rooms"))
# "transferred from Oakridge Family Clinic": the place where one person is treated, lives or learns.
_FACILITY = re.compile(
    rf"\b(?i:{any_of(PLACES('care_verbs'))})(?:\s[a-z]{{2,10}}){{0,3}}?\s(?:to|from|at|in|by|near|for|with)\s(?:the\s)?"
    rf"(?P<v>(?:(?:St\.?|[A-Z][\w'’.-]{{1,20}})\s(?:of\s|and\s)?){{1,4}}{any_of(PLACES('facilities'))})\b(?!['’]s?\s(?:guideline|criteria))"
)
_FACILITY_HINT = re.compile(rf"(?<=[a-z.'’]) {any_of(PLACES('facilities'))}\b")
_FACILITY_WORDS, _CARE_WORDS = cues(PLACES("facilities")), cues(PLACES("care_verbs"))
# "Pulmonary Clinic" and "Neonatal Intensive Care Unit" are parts of any hospital.
_SERVICE = re.compile(
    r"^(?:(?:Memory|Pain|Outpatient|Emergency|Urgent|Primary|General|Day|Intensive|Walk|Same|Sleep"
    r"|Wound|Heart|Eye|Women|Children|Rehab|Nursing|Cancer|Dialysis|Veterans|VA|The|University"
    r"|County|Community|Family Practice|Medicine)\b|Orthop|Surg|Diabet|Rheum"
    r"|[A-Z][a-z]{2,12}(?:ology|ary|ic|al|ncy|ics|ive|cy|gery|iatry)\b)"
)


def _facility_parts(text: ScannedText) -> list[tuple[int, int]]:
    return text.parts_around(_FACILITY_WORDS, 100, 30, _FACILITY_HINT)


def _is_facility(_: str, match: re.Match[str]) -> bool:
    return _SERVICE.match(match["v"]) is None


FACILITY_PATTERNS = (
    PlacePattern(_HOSPITAL_ROOM, 0.8, _ROOM_WORDS, numbered=True, of_care=True),
    PlacePattern(_BARE_ROOM, _BARE_ROOM_SCORE, _ROOM_WORDS, numbered=True, of_care=True),
    PlacePattern(
        _FACILITY,
        DOUBTFUL_SCORE,
        _FACILITY_WORDS,
        also=_CARE_WORDS,
        parts=_facility_parts,
        is_place=_is_facility,
    ),
)
