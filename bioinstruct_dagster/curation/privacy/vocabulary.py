"""The word lists of the privacy gate, as sets of words and as parts of regular expressions.

Belongs here: how a list of `words/*.yaml` becomes a set or a part of an expression, and the pieces
of a text on which a slow expression is tried. Does not: the
words (the files), or the reading of a file (curation.word_lists).
"""

import re
from collections.abc import Iterable, Iterator
from functools import partial

from bioinstruct_dagster.curation.word_lists import alternatives, word_list

# The lists of a file: `NAMES("titles")`.
DATES, LABELS, NAMES, NAMES_ABROAD, NOTED, ORGANIZATIONS, PICTURES, PLACES, READER, TOWNS, WEB = (
    partial(word_list, "bioinstruct_dagster.curation.privacy", f"{file}.yaml")
    for file in (
        *("dates", "labels", "names", "names_abroad", "noted"),
        *("organizations", "pictures", "places", "reader", "towns", "web"),
    )
)
WORD = re.compile(r"[a-zß-ÿ]+")
_FREQUENT = frozenset(("is", "patient"))  # words of half of the texts or more


def any_of(*lists: Iterable[str]) -> str:
    """A group of a regular expression that matches any word of the lists, the longest first."""
    return f"(?:{alternatives({word for words in lists for word in words})})"


def any_shape_of(*lists: Iterable[str]) -> str:
    """Like any_of, but "#" in a word matches a digit and "@" matches a letter."""
    return any_of(*lists).replace(r"\#", r"\d").replace("@", "[A-Za-z]")


def any_start_of(*lists: Iterable[str]) -> str:
    """Like any_of, but the first letter of a word may be a capital."""
    words = {word for words in lists for word in words}
    return any_of(words, {word[0].upper() + word[1:] for word in words})


def cues(*lists: Iterable[str]) -> frozenset[str]:
    """The first words of all entries; a text that holds none of them holds no entry.

    They save time: to compare two sets of words is far faster than to try a pattern.
    """
    found = (WORD.search(entry.lower()) for words in lists for entry in words)
    return frozenset(match.group() for match in found if match)


def last_words(*lists: Iterable[str]) -> frozenset[str]:
    """The last words of all entries; an entry stands only where its last word does."""
    found = (WORD.findall(entry.lower()) for words in lists for entry in words)
    return frozenset(words[-1] for words in found if words)


def all_words(*lists: Iterable[str]) -> frozenset[str]:
    """Every word of all entries, in small letters."""
    return frozenset(
        word for words in lists for entry in words for word in WORD.findall(entry.lower())
    )


def longest_words(*lists: Iterable[str]) -> frozenset[str]:
    """The longest word of each entry, which is rarer than the first one.

    "is my patient" is found by "my": frequent words count only for an entry without another word.
    """
    return frozenset(
        max(WORD.findall(entry.lower()), key=lambda word: (word not in _FREQUENT, len(word)))
        for words in lists
        for entry in words
    )


def places_of(text: str, part: str) -> Iterator[int]:
    """Where a part stands in a text; to find a part is far faster than to try a pattern."""
    place = text.find(part)
    while place >= 0:
        yield place
        place = text.find(part, place + 1)


def around_words(
    lowered: str, words: Iterable[str], before: int, after: int
) -> list[tuple[int, int]]:
    """The parts of a text around some words, without overlaps; to find words is the fastest.

    Args:
        lowered: the text in small letters.
        words: the words; other words may begin with them.
        before: characters before a word that a part holds.
        after: characters after its beginning.
    """
    places: list[int] = []
    for word in words:
        start = lowered.find(word)
        while start >= 0:
            if start and lowered[start - 1].isalpha():
                start = lowered.find(word, start + 1)
                continue
            places.append(start)
            # The words in between stand in the same part.
            start = lowered.find(word, start + after)
    parts: list[tuple[int, int]] = []
    for start in sorted(places):
        begin, end = max(0, start - before), start + 2 * after
        if parts and begin <= parts[-1][1]:
            parts[-1] = (parts[-1][0], max(end, parts[-1][1]))
        else:
            parts.append((begin, end))
    return parts


def pieces(
    hint: re.Pattern[str], text: str, before: int, after: int, most: float = 1200
) -> Iterator[tuple[int, int]]:
    """Pieces of a text around the matches of a hint; pieces that overlap become one.

    Args:
        hint: an expression that matches wherever a slower one could match.
        text: the text.
        before: characters before a match that a piece holds.
        after: characters after it.
        most: characters of a piece at most, so that no pattern takes quadratic time.
    """
    return pieces_around(hint.finditer(text), len(text), before, after, most)


def pieces_around(
    matches: Iterable[re.Match[str]], length: int, before: int, after: int, most: float = 1200
) -> Iterator[tuple[int, int]]:
    """The same around matches that are known, in a text of this length."""
    begin = end = -1
    for match in matches:
        low, high = max(0, match.start() - before), min(length, match.end() + after)
        if begin >= 0 and low <= end and high - begin <= most:
            end = high
            continue
        if begin >= 0:
            yield begin, end
        begin, end = low, high
    if begin >= 0:
        yield begin, end
