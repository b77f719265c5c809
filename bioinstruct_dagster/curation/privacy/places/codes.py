"""Postal codes, alone or after a town: "Fargo, North Dakota 58102", "postcode NW1 6XE".

Belongs here: their forms. Does not: codes at the end of an address (streets).
"""

import re

from bioinstruct_dagster.curation.privacy.places.forms import CITY, STATE, ZIP, PlacePattern
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.vocabulary import PLACES, any_of, cues

_CITY_ZIP = re.compile(rf"(?<!\w)(?:{CITY},?\s)?{STATE},?\s{ZIP}(?![\w-])")
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
_ZIP_HINT = re.compile(r"\d{5}(?<!\d{6})(?![\d.])")
_POSTCODE_SHAPE = re.compile(rb"0(?: ?AA|A0)")
_POSTCODE_HINT = re.compile(r"\d(?:\s?[A-Z]{2}\b|[A-Z]\d)")
_ZIP_WORDS = cues(PLACES("postal_code_labels"))


def _has_zip(text: ScannedText) -> bool:
    return text.has_number and text.has_shape(b"00000") and _ZIP_HINT.search(text.raw) is not None


def _has_postcode(text: ScannedText) -> bool:
    return text.may_match(_POSTCODE_SHAPE) and _POSTCODE_HINT.search(text.raw) is not None


CODE_PATTERNS = (
    PlacePattern(_CITY_ZIP, 0.85, frozenset(), _has_zip, numbered=True),
    PlacePattern(_ZIP_AFTER_LABEL, 0.85, _ZIP_WORDS, numbered=True),
    PlacePattern(_POSTCODE, 0.7, frozenset(), _has_postcode, numbered=True),
)
