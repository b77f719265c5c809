"""Names of persons in running text, without a language model.

Belongs here: where the patterns of names are tried, and how far a name goes. Does not: the patterns
(name_patterns), what only looks like a person (not_persons), nor whether a name identifies (scan).
"""

import re
from collections.abc import Iterable, Iterator

from bioinstruct_dagster.curation.privacy.kinds import ScannedText, Span
from bioinstruct_dagster.curation.privacy.names.not_persons import is_eponym, is_no_person
from bioinstruct_dagster.curation.privacy.names.patterns import (
    BEFORE_HINT,
    CAPITALS,
    DESCRIBED_HINT,
    GIVEN,
    LONE,
    LONE_WORDS,
    NAME_PATTERNS,
    NOT_NAMES,
    PAIR,
)

_AROUND = 90  # characters on either side of two words in capitals
_INITIAL = 2  # letters; "J." and "Jo" tell too little


def name_spans(text: ScannedText) -> Iterator[Span]:
    """What reads as a person's name; "John Doe" too, but no initials."""
    for start, end, score in _candidates(text):
        begin, finish = _trimmed(text.raw, start, end)
        if finish > begin and not is_no_person(text.raw, begin, finish):
            yield Span("name", begin, finish, score)


def _candidates(text: ScannedText) -> Iterator[tuple[int, int, float]]:
    if text.says(LONE_WORDS):
        for match in LONE.finditer(text.raw):
            yield (*match.span("v"), 0.6)
    # Most texts name nobody: two words in capitals, one after the other, are rare.
    stretches = list(_stretches(text.raw))
    if not stretches:
        return
    tried = [(pattern, score) for cues, pattern, score in NAME_PATTERNS if text.says(cues)]
    for begin, end in stretches:
        for pattern, score in tried:
            for match in pattern.finditer(text.raw, begin, end):
                yield (*match.span("v"), score)
        if text.has_digit:
            yield from _described(text.raw, begin, end)
        if text.says(GIVEN):
            yield from _given(text.raw, begin, end)


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    """Where a name could stand, with what may announce it; stretches do not overlap."""
    begin = end = -1
    for match in CAPITALS.finditer(text):
        if begin >= 0 and match.start() - _AROUND <= end:
            end = match.end() + _AROUND
            continue
        if begin >= 0:
            yield begin, end
        begin, end = max(0, match.start() - _AROUND), match.end() + _AROUND
    if begin >= 0:
        yield begin, end


def _given(text: str, begin: int, end: int) -> Iterator[tuple[int, int, float]]:
    for match in PAIR.finditer(text, begin, end):
        if match["g"].lower() in GIVEN and match["f"].lower() not in NOT_NAMES:
            yield (*match.span(), 0.7)


def _described(text: str, begin: int, end: int) -> Iterator[tuple[int, int, float]]:
    for hint in DESCRIBED_HINT.finditer(text, begin, end):
        before = max(0, hint.start() - 60)
        if name := BEFORE_HINT.search(text[before : hint.start()]):
            yield before + name.start(), hint.start(), 0.8


def again(text: str, names: Iterable[str]) -> Iterator[Span]:
    """Where the words of names stand again: "Mr. Finch" after "Harold Finch"."""
    parts = {part for name in names for part in re.split(r"[\s,]+", name) if _tells(part)}
    if not parts:
        return
    pattern = re.compile(
        r"(?<![\w-])(?:" + "|".join(map(re.escape, sorted(parts)[:40])) + r")(?![\w-])"
    )
    for match in pattern.finditer(text):
        if not is_eponym(text, match.end()):
            yield Span("name", *match.span(), 0.55)


def _tells(part: str) -> bool:
    return (
        len(part) > _INITIAL
        and part[0].isupper()
        and part.lower() not in NOT_NAMES
        and "." not in part
    )


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without words at its end that belong to no name; empty if it begins with one."""
    parts = list(re.finditer(r"[^\s,]+", text[start:end]))
    while parts and parts[-1].group().strip(".'’").lower() in NOT_NAMES:
        parts.pop()
    if not parts or parts[0].group().lower() in NOT_NAMES:
        return start, start
    last = parts[-1].group()
    return start, start + parts[-1].end() - 2 * last.endswith(("'s", "’s"))
