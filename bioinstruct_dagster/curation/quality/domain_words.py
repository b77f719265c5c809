"""The vocabulary of the domain: which words belong to biology and medicine, and which to others.

Belongs here: looking a word up in `words/domain.yaml`. Does not: what a word counts (domain), or
the texts from which this is learned (domain_texts).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal, get_args

from bioinstruct_dagster.curation.quality.grounding.source_words import QUALITY_PACKAGE
from bioinstruct_dagster.curation.word_lists import word_list

DOMAIN_LISTS = "domain.yaml"
MEDICAL_LISTS = (
    "anatomy",
    "diseases",
    "symptoms",
    "care",
    "drugs",
    "laboratory",
    "specialities",
    "dentistry",
    "mind",
    "biology",
    "research",
    "eponyms",
    "computing",
    "measures",
    "bench",
)
SHORTEST_START = 2  # letters that must stand before an ending

WordKind = Literal["medical", "shared", "elsewhere", "neutral", "plain"]
"""The kinds of words: medical (seldom used outside biology and medicine), shared (used there more
often than elsewhere), elsewhere (words of other fields), neutral (everyday words that count
nothing), plain (words in no list)."""
WORD_KINDS: tuple[WordKind, ...] = get_args(WordKind)


@dataclass(frozen=True)
class DomainVocabulary:
    """The words of all lists, by the way in which they match; letters are small.

    Attributes:
        words: whole words.
        beginnings: beginnings of words; the longest that matches decides.
        endings: ends of medical words.
    """

    words: dict[str, WordKind]
    beginnings: dict[str, WordKind]
    endings: tuple[str, ...]

    @cached_property
    def _beginning_lengths(self) -> tuple[int, dict[str, list[int]]]:
        """How many letters each beginning has at least, and its length by these first letters."""
        key = min(map(len, self.beginnings), default=0)
        lengths: dict[str, set[int]] = {}
        for beginning in self.beginnings:
            lengths.setdefault(beginning[:key], set()).add(len(beginning))
        return key, {first: sorted(each, reverse=True) for first, each in lengths.items()}

    @cached_property
    def _ending_lengths(self) -> tuple[frozenset[str], list[int]]:
        return frozenset(self.endings), sorted(set(map(len, self.endings)))

    def kind_of(self, word: str) -> WordKind:
        """The kind of a word.

        A whole word decides before a beginning, and a beginning before an ending.
        """
        if word in self.words:
            return self.words[word]
        key, lengths = self._beginning_lengths
        for length in lengths.get(word[:key], ()):
            if word[:length] in self.beginnings:
                return self.beginnings[word[:length]]
        endings, lengths_of_endings = self._ending_lengths
        rest = word[SHORTEST_START:]
        for length in lengths_of_endings:
            if length <= len(rest) and rest[-length:] in endings:
                return "medical"
        return "plain"


@cache
def domain_vocabulary() -> DomainVocabulary:
    """The vocabulary of `words/domain.yaml`.

    Raises:
        WordListError: the file is malformed, or a list is missing.
    """
    words: dict[str, WordKind] = {}
    beginnings: dict[str, WordKind] = {}
    # If a word is in several lists, the last of them counts.
    for word, kind in _listed_words():
        if word.endswith("*"):
            beginnings[word.removesuffix("*")] = kind
        else:
            words[word] = kind
    endings = word_list(QUALITY_PACKAGE, DOMAIN_LISTS, "endings")
    return DomainVocabulary(words, beginnings, tuple(endings))


@cache
def near_words() -> DomainVocabulary:
    """The words of the list `near`: branches of the domain that share their words with daily life.

    Raises:
        WordListError: the file is malformed, or the list is missing.
    """
    whole: dict[str, WordKind] = {}
    beginnings: dict[str, WordKind] = {}
    for word in word_list(QUALITY_PACKAGE, DOMAIN_LISTS, "near"):
        (beginnings if word.endswith("*") else whole)[word.removesuffix("*")] = "shared"
    return DomainVocabulary(whole, beginnings, ())


def _listed_words() -> Iterator[tuple[str, WordKind]]:
    kinds: dict[str, WordKind] = dict.fromkeys(MEDICAL_LISTS, "medical")
    kinds |= {"shared": "shared", "near": "shared", "elsewhere": "elsewhere"}
    kinds |= {"compounds": "elsewhere", "mistaken": "plain", "neutral": "neutral"}
    for name, kind in kinds.items():
        for word in word_list(QUALITY_PACKAGE, DOMAIN_LISTS, name):
            yield word, kind
