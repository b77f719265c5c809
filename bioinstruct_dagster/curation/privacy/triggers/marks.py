"""Triggers: the words without which a recogniser finds nothing, looked up once for all recognisers.

Some ninety recognisers read each text, and nearly always none of them finds anything. To ask each
of them whether the text holds one of its words takes longer than all the rest. So each list of
words has a bit, each word has the bits of all lists that hold it (its mark), and the marks of a
text's words tell which recognisers can find something. A recogniser whose trigger is missing is
not called; the findings are the same without this test. Belongs here: the bits, and the marks of
a text. Does not: which words a recogniser needs (the recognisers), or other facts of a text
(texts).
"""

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from operator import or_
from typing import NamedTuple

from bioinstruct_dagster.curation.privacy.vocabulary import WORD

MOST_CACHED_WORDS = 100_000  # distinct words; with more, the cache is cleared
CAPITAL = 1  # the bit of each word that begins with a capital

_bits: dict[int, dict[frozenset[str], int]] = {}
_bits_of_word: dict[str, int] = {}
_bits_of_beginning: dict[str, int] = {}


def trigger(*lists: Iterable[str]) -> int:
    """The bit of the words of some lists, in small letters; equal lists have equal bits.

    No word of a text is equal to an entry of several words, so such entries have no bit.
    """
    return _bit(frozenset(word for words in lists for word in words), _bits_of_word)


def trigger_of_beginnings(*lists: Iterable[str]) -> int:
    """The bit of all words that begin with one of these, such as "chartno" with "chart"."""
    return _bit(frozenset(word for words in lists for word in words), _bits_of_beginning)


def _bit(words: frozenset[str], table: dict[str, int]) -> int:
    known = _bits.setdefault(id(table), {})
    if words not in known:
        bit = known[words] = CAPITAL << (sum(map(len, _bits.values())) + 1)
        for word in filter(WORD.fullmatch, words):
            table[word] = table.get(word, 0) | bit
        _marks.clear()
    return known[words]


class Marks(NamedTuple):
    """The marks of the words of a text, joined by their place beside capitals and known names.

    `held` tells exactly which words a text holds. The others may have a bit too many, if letters
    or signs of the text do not let its words be told apart.

    Attributes:
        held: of all words.
        capitalized: of words with a capital.
        before_capital: of words right before a word with a capital.
        after_capital: of words right after a word with a capital.
        after_name: of words right after a word with a capital that may be a name.
        before_known: of words right before a known name in small letters.
        after_given: of words right after a known given name in small letters.
    """

    held: int
    capitalized: int
    before_capital: int
    after_capital: int
    after_name: int
    before_known: int
    after_given: int


ANYTHING = Marks(*[-1] * len(Marks._fields))


class KnownNames(NamedTuple):
    """The triggers of known names: given names, all names, and words that are no name."""

    given: int
    all: int
    no_names: int


def marks_of(words: Sequence[str], names: KnownNames) -> Marks:
    """The marks of the words of a text.

    Args:
        words: the words in their order, with their capitals.
        names: the triggers of known names.
    """
    if len(_marks) > MOST_CACHED_WORDS:
        _marks.clear()
    marks = [*map(_marks.__getitem__, words), 0]  # the last word has a word without a mark after it
    capitalized = before_capital = after_capital = after_name = before_known = after_given = 0
    asked = CAPITAL | names.all
    for place in [place for place, mark in enumerate(marks) if mark & asked]:
        mark, before = marks[place], marks[place - 1]  # the first word has the added 0 before it
        if mark & CAPITAL:
            capitalized |= mark
            before_capital |= before
            after_capital |= marks[place + 1]
            # "White" is no name, but "Smith-White" is one.
            if not mark & names.no_names or before & CAPITAL:
                after_name |= marks[place + 1]
        else:
            before_known |= before
            if mark & names.given:
                after_given |= marks[place + 1]
    return Marks(
        *(reduce(or_, marks), capitalized, before_capital, after_capital, after_name),
        *(before_known, after_given),
    )


def _mark_of(word: str) -> int:
    small = word.lower()
    mark = _bits_of_word.get(small, 0) | (CAPITAL if word[0].isupper() else 0)
    for end in range(1, len(small) + 1):
        mark |= _bits_of_beginning.get(small[:end], 0)
    return mark


class _Remembered(dict[str, int]):
    """The mark of each word, computed once."""

    def __init__(self, compute: Callable[[str], int]) -> None:
        super().__init__()
        self._compute = compute

    def __missing__(self, word: str) -> int:
        self[word] = mark = self._compute(word)
        return mark


_marks = _Remembered(_mark_of)
