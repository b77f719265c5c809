"""Names of persons in running text, without a language model.

Belongs here: where the patterns of names are tried, and where a name ends. Does not: the patterns
(patterns), names that stand for no person (not_persons), or whether a name identifies (scan).
"""

import re
from collections.abc import Iterable, Iterator

from bioinstruct_dagster.curation.privacy.kinds import ScannedText, Span
from bioinstruct_dagster.curation.privacy.names.not_persons import is_eponym, is_no_person
from bioinstruct_dagster.curation.privacy.names.patterns import (
    CAPITALIZED_WORDS,
    DESCRIBED_HINT,
    GIVEN_NAMES,
    LONE_NAME,
    LONE_NAME_WORDS,
    NAME_BEFORE_HINT,
    NAME_PAIR,
    NAME_PATTERNS,
    NON_NAME_WORDS,
)

_AROUND = 90  # characters on either side of two words in capitals
_INITIAL_LENGTH = 2  # letters; "J." and "Jo" are too short to search for


def name_spans(text: ScannedText) -> Iterator[Span]:
    """The names of persons in a text, "John Doe" included, initials excluded."""
    for start, end, score in _candidate_spans(text):
        begin, finish = _trim(text.raw, start, end)
        if finish > begin and not is_no_person(text.raw, begin, finish):
            yield Span("name", begin, finish, score)


def _candidate_spans(text: ScannedText) -> Iterator[tuple[int, int, float]]:
    if text.holds_any(LONE_NAME_WORDS):
        for match in LONE_NAME.finditer(text.raw):
            yield (*match.span("v"), 0.6)
    # Most texts name nobody: two words in capitals, one after the other, are rare.
    stretches = list(_stretches(text.raw))
    if not stretches:
        return
    tried = [(pattern, score) for cues, pattern, score in NAME_PATTERNS if text.holds_any(cues)]
    for begin, end in stretches:
        for pattern, score in tried:
            for match in pattern.finditer(text.raw, begin, end):
                yield (*match.span("v"), score)
        if text.has_digit:
            yield from _described_names(text.raw, begin, end)
        if text.holds_any(GIVEN_NAMES):
            yield from _given_names(text.raw, begin, end)


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    """Parts of the text that may hold a name and the words before it; they do not overlap."""
    begin = end = -1
    for match in CAPITALIZED_WORDS.finditer(text):
        if begin >= 0 and match.start() - _AROUND <= end:
            end = match.end() + _AROUND
            continue
        if begin >= 0:
            yield begin, end
        begin, end = max(0, match.start() - _AROUND), match.end() + _AROUND
    if begin >= 0:
        yield begin, end


def _given_names(text: str, begin: int, end: int) -> Iterator[tuple[int, int, float]]:
    for match in NAME_PAIR.finditer(text, begin, end):
        if match["g"].lower() in GIVEN_NAMES and match["f"].lower() not in NON_NAME_WORDS:
            yield (*match.span(), 0.7)


def _described_names(text: str, begin: int, end: int) -> Iterator[tuple[int, int, float]]:
    for hint in DESCRIBED_HINT.finditer(text, begin, end):
        before = max(0, hint.start() - 60)
        if name := NAME_BEFORE_HINT.search(text[before : hint.start()]):
            yield before + name.start(), hint.start(), 0.8


def repeated_name_spans(text: str, names: Iterable[str]) -> Iterator[Span]:
    """Where words of known names stand in a text: "Mr. Finch" after "Harold Finch"."""
    parts = {part for name in names for part in re.split(r"[\s,]+", name) if _is_telling(part)}
    if not parts:
        return
    pattern = re.compile(
        r"(?<![\w-])(?:" + "|".join(map(re.escape, sorted(parts)[:40])) + r")(?![\w-])"
    )
    for match in pattern.finditer(text):
        if not is_eponym(text, match.end()):
            yield Span("name", *match.span(), 0.55)


def _is_telling(part: str) -> bool:
    return (
        len(part) > _INITIAL_LENGTH
        and part[0].isupper()
        and part.lower() not in NON_NAME_WORDS
        and "." not in part
    )


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without the last words if they are no names; empty if the first word is no name."""
    parts = list(re.finditer(r"[^\s,]+", text[start:end]))
    while parts and parts[-1].group().strip(".'’").lower() in NON_NAME_WORDS:
        parts.pop()
    if not parts or parts[0].group().lower() in NON_NAME_WORDS:
        return start, start
    last = parts[-1].group()
    return start, start + parts[-1].end() - 2 * last.endswith(("'s", "’s"))
