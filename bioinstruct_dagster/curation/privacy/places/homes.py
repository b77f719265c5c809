"""Home towns, and what ties a town to a person: "lives in Dayton, Ohio", "a man from Leeds".

Belongs here: such words, counties, and numbered homes. Does not: streets (streets). The words are
in `words/places.yaml`. Every repetition is bounded.
"""

import re

from bioinstruct_dagster.curation.privacy.kinds import DOUBTFUL_SCORE
from bioinstruct_dagster.curation.privacy.places.forms import CITY, STATE, TOWN_WORD, PlacePattern
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import PLACES, any_of, any_start_of, cues

# A home: "lives in Dayton, Ohio", "a man from Leeds". The cue ties it to a person.
HOME_WORDS = cues(PLACES("living"), PLACES("home_labels"))
_PERSON_WORDS = cues(PLACES("persons_from"))
_FROM, _PERSONS = trigger(("from",)), trigger(_PERSON_WORDS)
_ALL_WORDS = HOME_WORDS | _PERSON_WORDS
_HOME = re.compile(
    rf"\b(?:{any_start_of(PLACES('living'))}\s"
    rf"(?:(?:{any_of(PLACES('living_how'))}|with\s\w{{1,12}}\s\w{{1,12}})\s)?"
    rf"(?:in|of|at|from|near|to|outside)|{any_of(PLACES('persons_from'))}\sfrom)"
    rf"\s(?:downtown\s|rural\s|suburban\s)?(?P<v>{CITY}(?:,\s{STATE}\b)?)"
)
_HOME_LABEL = re.compile(
    rf"\b(?:{any_start_of(PLACES('home_labels'))}|ADDRESS)"
    rf"\s?[:=]\s?(?P<v>{CITY}(?:,\s{STATE}\b)?)"
)
_COUNTY = re.compile(
    rf"\b(?:in|of|from)\s(?P<v>{TOWN_WORD}(?:\s{TOWN_WORD})?\sCounty(?:,\s{STATE}\b)?)"
)
_NUMBERED_HOME = re.compile(
    rf"\b{any_start_of(PLACES('living'))}\s(?:in|at|on)\s(?P<v>\d{{1,5}}\s{TOWN_WORD}(?:\s{TOWN_WORD}){{0,2}}"
    rf"|(?i:trailer|lot|apartment|apt|flat|unit|cabin)\.?\s#?\d{{1,4}}[A-Z]?,\s{TOWN_WORD}(?:\s{TOWN_WORD}){{0,2}}"
    rf"|the\scorner\sof\s{TOWN_WORD}\sand\s[\w ]{{2,20}})"
)


def is_from_home(text: ScannedText) -> bool:
    """Whether a text without a word for living may tell where a person is from."""
    held = text.marks.held
    return bool(held & _FROM and held & _PERSONS)


def home_parts(text: ScannedText) -> list[tuple[int, int]]:
    """The parts of a text around words for living and for persons."""
    return text.parts_around(_ALL_WORDS, 8, 70)


HOME_PATTERNS = (
    PlacePattern(_HOME, DOUBTFUL_SCORE, HOME_WORDS, is_from_home, parts=home_parts),
    PlacePattern(_HOME_LABEL, DOUBTFUL_SCORE, HOME_WORDS, is_from_home, parts=home_parts),
    PlacePattern(_COUNTY, 0.6, HOME_WORDS, is_from_home, frozenset(("county",))),
    PlacePattern(_NUMBERED_HOME, 0.75, HOME_WORDS, numbered=True, parts=home_parts),
)
