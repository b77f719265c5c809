"""Names that a hurried note writes in small letters: "pt john weaver", "mr weaver".

Belongs here: such names, which need a known name beside the words that announce them. Does not:
names in capitals (patterns, spoken). The words are in `words/names.yaml`.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import ScannedText
from bioinstruct_dagster.curation.privacy.names.forms import (
    GIVEN_NAMES,
    KNOWN_NAMES,
    NON_NAME_WORDS,
    names_of,
)
from bioinstruct_dagster.curation.privacy.vocabulary import NAMES, cues

_CUE_WORDS = cues(NAMES("small_letter_titles"), NAMES("small_letter_labels"))
_DESCRIBED_WORDS = frozenset(("dob", "mrn", "yo", "y", "f", "m", "yr", "year"))
_NAME = r"[a-z]{2,15}(?:[ ][a-z]\.?(?=[ ]))?(?:[ ][a-z][a-z'’-]{1,20})?"
_ANNOUNCED = re.compile(
    rf"(?<![\w'’-])(?:(?P<t>{names_of('small_letter_titles')})|{names_of('small_letter_labels')})"
    rf"[.:]?[ ]{{1,2}}(?P<v>{_NAME})(?![\w-])"
)
_DESCRIBED = re.compile(
    r"(?<![\w'’-])(?P<v>(?P<g>[a-z]{3,15})(?:[ ][a-z]\.?(?=[ ]))?[ ][a-z][a-z'’-]{2,20})"
    r"(?=,?[ ]\(?(?:dob\b|d\.o\.b|mrn\b|\d{1,3}[ ]?(?:yo|y/o|yr|year|f|m)\b))"
)


def small_letter_names(text: ScannedText) -> Iterator[tuple[int, int, float]]:
    """Known names in small letters after a title, a label or "pt": start, end and score."""
    if text.words.isdisjoint(GIVEN_NAMES) and text.words.isdisjoint(KNOWN_NAMES):
        return
    if text.holds_any(_CUE_WORDS):
        for match in _ANNOUNCED.finditer(text.raw):
            if length := _known_length(match["v"], titled=bool(match["t"])):
                yield match.start("v"), match.start("v") + length, 0.7
    if text.has_digit and text.holds_any(_DESCRIBED_WORDS):
        for match in _DESCRIBED.finditer(text.raw):
            if match["g"] in GIVEN_NAMES:
                yield (*match.span("v"), 0.7)


def _known_length(found: str, *, titled: bool) -> int:
    """The length of the name in the words after a title or a label; 0 if they are no known name."""
    words = found.split(" ")
    while words and words[-1].strip("'’.") in NON_NAME_WORDS:
        words.pop()
    if not words or words[0] in NON_NAME_WORDS:
        return 0
    # After a label, a single word such as "young" or "long" may be no name.
    known = words[0] in KNOWN_NAMES if titled else len(words) > 1 and words[0] in GIVEN_NAMES
    return len(" ".join(words)) if known else 0
