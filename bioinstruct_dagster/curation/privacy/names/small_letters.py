"""Names that a hurried note writes in small letters: "pt john weaver", "mr weaver".

Belongs here: such names, which need a known name beside the words that announce them. Does not:
names in capitals (patterns, spoken). The words are in `words/names.yaml`.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.names.forms import (
    GIVEN_NAMES,
    KNOWN_NAMES,
    LOWER,
    NON_NAME_WORDS,
)
from bioinstruct_dagster.curation.privacy.texts import GIVEN, ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import NAMES, cues, last_words, places_of

_TITLES = tuple(NAMES("small_letter_titles"))
_TITLE_WORDS = trigger(cues(_TITLES))
_LABELS = tuple(NAMES("small_letter_labels"))
_BEFORE_NAMES = trigger(last_words(_TITLES, _LABELS))
_NAME = re.compile(
    rf"[{LOWER}]{{2,15}}(?:[ ][a-z]\.?(?=[ ]))?(?:[ ][{LOWER}][{LOWER}'’-]{{1,20}})?(?![\w-])"
)
_DESCRIPTION = re.compile(r",?[ ]\(?(?:dob\b|d\.o\.b|mrn\b|\d{1,3}[ ]?(?:yo|y/o|yr|year|f|m)\b)")
# "cecilia håkansson -- Stroke-like syndrome": a name that heads a text.
_HEADS = re.compile(r"[ ]?(?:--|–|:|-[ ]|\|)")
# A text with a name that a description or a heading shows holds one of them.
_DESCRIBING = trigger(("dob", "o", "mrn"))
_DESCRIBED_SHAPE = re.compile(rb"0 ?(?:y|[fm]\b)")
_HEADS_HINT = re.compile(rf"\n[{LOWER}]")
_BEFORE = 24  # characters before a name that hold the longest title or label


def small_letter_names(text: ScannedText) -> Iterator[tuple[int, int, float]]:
    """Known names in small letters after a title, a label or "pt": start, end and score."""
    if not (text.marks.before_known & _BEFORE_NAMES or _may_describe(text)):
        return
    # A family name alone counts after a title only.
    known = KNOWN_NAMES if text.marks.held & _TITLE_WORDS else GIVEN_NAMES
    for word in text.words & known:
        for start in _places(text.raw, word):
            match = _NAME.match(text.raw, start)
            if match is None:
                continue
            before = text.raw[max(0, match.start() - _BEFORE) : match.start()]
            label = before.lower().rstrip(" .:")
            titled = _ends_with(label, _TITLES)
            if before.endswith(" ") and (titled or _ends_with(label, _LABELS)):
                if length := _known_length(match[0], titled=titled):
                    yield match.start(), match.start() + length, 0.7
            elif (
                word in GIVEN_NAMES
                and " " in match[0]
                and (
                    _DESCRIPTION.match(text.raw, match.end())
                    or (before.endswith("\n") and _HEADS.match(text.raw, match.end()))
                )
            ):
                yield (*match.span(), 0.7)


def _may_describe(text: ScannedText) -> bool:
    """Whether a given name may stand before a description, or head a line."""
    held = text.marks.held
    return bool(held & GIVEN) and (
        bool(held & _DESCRIBING)
        or text.may_match(_DESCRIBED_SHAPE)
        or _HEADS_HINT.search(text.raw) is not None
    )


def _places(text: str, word: str) -> Iterator[int]:
    """Where a word begins after a space or a sign."""
    for start in places_of(text, word):
        if not start or text[start - 1] in " \n(:.,;":
            yield start


def _ends_with(text: str, entries: tuple[str, ...]) -> bool:
    """Whether a text ends with one of the entries as a whole word."""
    return text.endswith(entries) and any(
        text.endswith(entry) and not text[: -len(entry)][-1:].isalnum() for entry in entries
    )


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
