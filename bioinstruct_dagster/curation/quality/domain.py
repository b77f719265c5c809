"""Whether a row is about biology, medicine or health: a linear classifier of words.

Each distinct word of a row has a weight: how much more often it stands in texts of the domain than
in texts of other fields. A row is outside the domain if its weights sum up to little enough.
Belongs here: learning the weights, and the check of a row. Does not: the vocabulary (domain_words),
the texts that it learns from (domain_texts), or other languages (languages).
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import chain
from string import ascii_lowercase
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.domain_texts import DomainTexts, domain_texts
from bioinstruct_dagster.curation.quality.domain_words import (
    DOMAIN_LISTS,
    WORD_KINDS,
    DomainVocabulary,
    WordKind,
    domain_vocabulary,
    near_words,
)
from bioinstruct_dagster.curation.quality.grounding.source_words import QUALITY_PACKAGE
from bioinstruct_dagster.curation.quality.rules import DomainRule
from bioinstruct_dagster.curation.quality.wording import RowCheck, RuleMatch
from bioinstruct_dagster.curation.word_lists import word_list
from bioinstruct_dagster.sign_clauses import SEARCHED_CHARACTERS, folded_text, folded_words

# Words that begin with a letter. Numbers and single letters say nothing of the field.
FIELD_WORD = re.compile(r"(?<![^\W_])[^\W\d_][^\W_]+")
# The share of each kind among the words of general English, without the words of the list `unread`.
# Computed from the word frequencies of the package wordfreq 3.1.1 (Speer, 2022), which counts web
# pages, books, news and subtitles. The general examples name more fields than such texts do.
GENERAL_SHARES: Mapping[WordKind, float] = {
    "medical": 0.012,
    "shared": 0.020,
    "elsewhere": 0.076,
    "neutral": 0.087,
    "plain": 0.805,
}
# Imagined occurrences of each word, shared out as its kind says. With fewer, a word's weight rests
# on single texts; 4 and 10 differ by a point on the shipped texts.
PRIOR_OCCURRENCES = 4.0
# The bounds of what a word may count that the texts show. The texts of the domain are more formal
# than the general examples, so formal words would count too much: plain words count nothing for the
# domain, and shared words no more than a medical word. A few general examples with a medical word,
# such as a computer virus, must not turn it round.
LEARNED_BOUNDS: Mapping[WordKind, tuple[float, float]] = {
    "medical": (2.0, math.inf),
    "shared": (0.3, 2.5),
    "elsewhere": (-math.inf, math.inf),
    "neutral": (0.0, 0.0),
    "plain": (-math.inf, 0.0),
}
WORDS_OF_A_LONG_ROW = 60  # different words; a longer row needs more medical words to be sure
# A row of fewer different words says little of its field. Of 26 sound rows that the rule lost in a
# set of 239 written to try it, 24 were so short.
WORDS_OF_A_SHORT_ROW = 30
MOST_PLAIN_BESIDE = 4.0  # what plain words of a short row count beside a word of the domain
# If so large a share of a short row's words is unknown, and none belongs to another field, the row
# may be of a branch of the domain that the vocabulary lacks.
UNKNOWN_SHARE = 0.36
ROUNDING = 1e-6  # more than two sums of the same weights can differ by
MOST_REMEMBERED_WORDS = 200_000
MOST_SHOWN_WORDS = 5  # of each side, in a verdict
MOST_SHOWN_LETTERS = 20  # of a word; a longer one is not shown


class WordWeights(NamedTuple):
    """What words count, in logarithms of odds: above zero for the domain, below for other fields.

    Attributes:
        learned: the weight of each word of the training texts.
        kinds: the weight of any other word, by its kind.
    """

    learned: Mapping[str, float]
    kinds: Mapping[WordKind, float]


def field_words(*texts: str) -> set[str]:
    """The distinct words and compounds that can show a field, in small letters."""
    if all(map(str.isascii, texts)) and sum(map(len, texts)) < SEARCHED_CHARACTERS:
        # The same words as those of the expression below; the gate has split the texts already.
        words = set(chain.from_iterable(map(folded_words, texts)))
        found = set(filter(str.isidentifier, words)) - _unread_words()  # no word with a digit first
        if any("_" in text for text in texts):
            found = {word for word in found if "_" not in word}
            found.update(*(FIELD_WORD.findall(folded_text(text)) for text in texts))
            found -= _unread_words()
    else:
        joined = "\n".join(texts)[:SEARCHED_CHARACTERS].lower()
        found = set(FIELD_WORD.findall(joined)) - _unread_words()
    firsts = _compounds_by_first()
    for first in found & firsts.keys():
        folded = "\n".join(texts).lower()
        found.update(compound for compound in firsts[first] if compound in folded)
    return found


def is_field_word(word: str) -> bool:
    """Whether an ASCII word in small letters, without an underscore, can show a field."""
    return word.isidentifier() and word not in _unread_words()


def begins_compound(word: str) -> bool:
    """Whether a compound of the vocabulary begins with the word."""
    return word in _compounds_by_first()


@cache
def _unread_words() -> frozenset[str]:
    """The words of the list `unread`, and single letters."""
    return word_list(QUALITY_PACKAGE, DOMAIN_LISTS, "unread").union(ascii_lowercase)


@cache
def _compounds_by_first() -> dict[str, list[str]]:
    """The compounds of the vocabulary by their first word."""
    by_first: dict[str, list[str]] = {}
    for compound in word_list(QUALITY_PACKAGE, DOMAIN_LISTS, "compounds"):
        by_first.setdefault(compound.split()[0], []).append(compound)
    return by_first


def learn_weights(texts: DomainTexts, vocabulary: DomainVocabulary) -> WordWeights:
    """The weights by the texts: naive Bayes over words, with a prior for each kind of word.

    The weight of a kind is the logarithm of its share in the rows and paragraphs of the domain,
    over its share in general English. A word of the texts gets the ratio of its frequencies in both
    classes, with `PRIOR_OCCURRENCES` occurrences added as its kind has them. So a word that is rare
    or missing in the texts counts about as much as its kind.
    """
    rows, general = _occurrences(texts.domain), _occurrences(texts.general)
    domain = rows + _occurrences(texts.instructions)
    ratio = math.log(domain.total() / general.total())
    kind_of = {word: vocabulary.kind_of(word) for word in domain | general}
    kinds: dict[WordKind, float] = {}
    for kind in WORD_KINDS:
        inside = sum(count for word, count in rows.items() if kind_of[word] == kind)
        share = (inside + 1) / (rows.total() + len(WORD_KINDS))
        kinds[kind] = math.log(share / GENERAL_SHARES[kind])
    kinds["neutral"] = 0.0
    learned = {}
    for word, kind in kind_of.items():
        odds = math.exp(kinds[kind] + ratio)
        prior = PRIOR_OCCURRENCES * odds / (1 + odds)
        odds = (domain[word] + prior) / (general[word] + PRIOR_OCCURRENCES - prior)
        least, most = LEARNED_BOUNDS[kind]
        learned[word] = min(max(math.log(odds) - ratio, least), most)
    return WordWeights(learned, kinds)


def _occurrences(texts: Iterable[str]) -> Counter[str]:
    """In how many of the texts each word stands."""
    return Counter(word for text in texts for word in field_words(text))


@cache
def shipped_weights() -> WordWeights:
    """The weights learned from the shipped texts; each process learns them once."""
    return learn_weights(domain_texts(), domain_vocabulary())


class FieldSums(NamedTuple):
    """Sums over the distinct words of many rows.

    Attributes:
        listed: the weights of listed words.
        plain: the weights of plain words.
        words: the number of words.
        medical: the number of medical words.
        beside: whether a word outweighs plain words of a short row.
    """

    listed: NDArray[np.float64]
    plain: NDArray[np.float64]
    words: NDArray[np.int64]
    medical: NDArray[np.int64]
    beside: NDArray[np.bool_]


class FieldWeights(dict[str, tuple[float, float]]):
    """What each word counts, looked up once: the weight of a listed word, that of a plain word."""

    def __init__(self, weights: WordWeights, vocabulary: DomainVocabulary) -> None:
        super().__init__()
        self._weights, self._vocabulary = weights, vocabulary
        self.medical: set[str] = set()  # the words so far that are seldom used in other fields
        self.beside: set[str] = set()  # the words so far that outweigh plain words of a short row
        self.elsewhere: set[str] = set()  # the words so far of other fields
        self.unknown: set[str] = set()  # the words so far of no list and no training text

    def __missing__(self, word: str) -> tuple[float, float]:
        kind = self._vocabulary.kind_of(word)
        weight = self._weights.learned.get(word, self._weights.kinds[kind])
        if len(self) >= MOST_REMEMBERED_WORDS:
            for one in (self, self.medical, self.beside, self.elsewhere, self.unknown):
                one.clear()
        if kind == "medical":
            self.medical.add(word)
        if kind == "medical" or near_words().kind_of(word) == "shared":
            self.beside.add(word)
        if kind == "elsewhere":
            self.elsewhere.add(word)
        if kind == "plain" and word not in self._weights.learned:
            self.unknown.add(word)
        # A word that is in no list is weak evidence, so plain words are summed up apart.
        self[word] = (0.0, weight) if kind == "plain" else (weight, 0.0)
        return self[word]

    def known(self, word: str) -> bool:
        """Whether the word is in the vocabulary or in the training texts."""
        return word in self._weights.learned or self._vocabulary.kind_of(word) != "plain"


def domain_check(rule: DomainRule) -> RowCheck:
    """A check for a row whose words belong to other fields than biology, medicine and health."""
    return DomainCheck(rule)


class DomainCheck:
    """Sums up the weights of a row's words.

    Attributes:
        weights: what each word counts.
        fields: the fields that are read.
    """

    def __init__(self, rule: DomainRule) -> None:
        self.weights = FieldWeights(shipped_weights(), domain_vocabulary())
        self.fields = rule.fields
        self._rule = rule

    def __call__(self, row: RowTexts) -> RuleMatch | None:
        """The match for a row outside the domain, with the words that say most."""
        rule, weights = self._rule, self.weights
        words = field_words(*[getattr(row, name) for name in rule.fields])
        sure = rule.sure_terms * max(1.0, len(words) / WORDS_OF_A_LONG_ROW)
        if len(words & weights.medical) >= sure:
            return None
        listed = plain = 0.0
        for weight, plain_weight in map(weights.__getitem__, words):
            listed += weight
            plain += plain_weight
        most_plain, is_short = rule.most_plain, len(words) < WORDS_OF_A_SHORT_ROW
        if is_short and not words.isdisjoint(weights.beside):
            most_plain = min(most_plain, MOST_PLAIN_BESIDE)
        total = listed + max(plain, -most_plain)
        if total >= rule.below or len(words & weights.medical) >= sure:
            return None
        unknown = len(words & weights.unknown) if is_short else 0
        if unknown >= UNKNOWN_SHARE * len(words) and words.isdisjoint(weights.elsewhere):
            return None
        shown = [word for word in words if len(word) <= MOST_SHOWN_LETTERS and weights.known(word)]
        by_weight = sorted((sum(weights[word]), word) for word in shown)
        against = [word for weight, word in by_weight if weight < 0]
        speaks_for = [word for weight, word in reversed(by_weight) if weight > 0]
        evidence = {
            "against": against[:MOST_SHOWN_WORDS],
            "for": speaks_for[:MOST_SHOWN_WORDS],
            "words": len(words),
        }
        return RuleMatch(evidence, score=round(total, 1))

    def surely_passes(self, sums: FieldSums) -> NDArray[np.bool_]:
        """Whether each of many rows surely passes, so that it need not be read.

        A sum may differ in its last digits from that of `__call__`, which adds in another order.
        """
        rule = self._rule
        sure = rule.sure_terms * np.maximum(1.0, sums.words / WORDS_OF_A_LONG_ROW)
        is_short = sums.words < WORDS_OF_A_SHORT_ROW
        short_plain = min(rule.most_plain, MOST_PLAIN_BESIDE)
        most_plain = np.where(is_short & sums.beside, short_plain, rule.most_plain)
        total = sums.listed + np.maximum(sums.plain, -most_plain)
        passes: NDArray[np.bool_] = (sums.medical >= sure) | (total >= rule.below + ROUNDING)
        return passes
