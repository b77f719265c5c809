"""What a single value of a row says: nothing, a whole number, or a word.

The same value has several forms: CSV knows texts alone, JSON has true and null, and pandas writes
whole numbers with a fraction of zero. Belongs here: reading one value by one rule for all files.
Does not: which field a value comes from (item_fields), or following a path (field_paths).
"""

import math
import re
from decimal import Decimal
from typing import Any

_WHOLE = re.compile(r"(\d{1,9})(?:\.0+)?", re.ASCII)


def is_nothing(value: Any) -> bool:
    """Whether the value stands for none: null, a text of blanks, or the not-a-number of pandas."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, float) and math.isnan(value))


def whole_number(value: Any) -> int | None:
    """The number that a value gives without a fraction, from 0 on; None if it is no such number.

    Numbers may be written as text, and with a fraction of zero: 2, 2.0 and "2.0" are the same.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float | Decimal):
        return int(value) if math.isfinite(value) and value == int(value) else None
    found = _WHOLE.fullmatch(value.strip()) if isinstance(value, str) else None
    return int(found[1]) if found else None


def word_of(value: Any) -> str:
    """The value as a task's file writes it: truth values and null as in JSON."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def places_of(word: str, known: list[str]) -> list[int]:
    """The places at which a word stands in a list.

    The same characters come first, then the same without blanks around, then without regard to
    case. Several places: the list does not tell which one is meant.
    """
    for form in (str, str.strip, _folded):
        if found := [place for place, one in enumerate(known) if form(one) == form(word)]:
            return found
    return []


def _folded(text: str) -> str:
    return text.strip().casefold()
