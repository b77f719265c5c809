"""Tells texts without any word: marks, line breaks and counters of a list without items.

Belongs here: this test. Does not: markers that are words, such as "N/A" (wording).
"""

import re

WRITTEN_BREAKS = re.compile(r"\\+[nrt](?![a-z])")
# "1." or "B)", each followed by the next one.
COUNTERS = re.compile(r"(?:\W*(?:\d{1,3}|[A-Za-z])[.):\]](?=\W|$))+\W*")
COUNTER = re.compile(r"\d{1,3}|[A-Za-z]")
LEAST_NUMBERS = 3  # "2." may be a grade
LEAST_LETTERS = 5  # "A. C." may be the right options


def is_wordless(text: str) -> bool:
    """Whether a text has no letter or digit, besides written line breaks and counters in order."""
    if "\\" in text:
        text = WRITTEN_BREAKS.sub("\n", text)
    if not any(map(str.isalnum, text)):
        return True
    if COUNTERS.fullmatch(text) is None:
        return False
    counters = COUNTER.findall(text)
    if all(map(str.isdigit, counters)):
        places, least = list(map(int, counters)), LEAST_NUMBERS
    else:
        places, least = [ord(one.upper()) for one in counters if len(one) == 1], LEAST_LETTERS
    first = places[0] if places else 0
    return len(places) >= least and places == list(range(first, first + len(counters)))
