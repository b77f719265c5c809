"""Learns the weights of the reader from marked notes and from texts without identifiers.

Belongs here: the examples that texts give, and the fit. Does not: the texts (__main__), the
features (features), or the use of the weights (weights). No gate imports this module, because the
weights are shipped.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from bioinstruct_dagster.curation.privacy.reader.candidates import Candidate, candidates
from bioinstruct_dagster.curation.privacy.reader.features import facts_of, features_of
from bioinstruct_dagster.curation.privacy.reader.notes import MarkedNote
from bioinstruct_dagster.curation.privacy.reader.weights import NONE, SCALE, Weights
from bioinstruct_dagster.curation.privacy.reader.word_features import WordSigns
from bioinstruct_dagster.curation.privacy.reader.words import KnownWords
from bioinstruct_dagster.curation.privacy.texts import ScannedText

# What the kinds of the notes are to the reader; any other kind is a number.
_GROUPS = {
    "name": "name", "facility": "facility", "town": "town", "address": "address", "date": "date",
    "age_over_89": "age",
}  # fmt: skip
_NUMBER = "number"
# A feature of fewer candidates says nothing about other texts.
_LEAST = 2
_STRENGTH = 0.1  # inverse strength of the regularization; 0.05 to 0.6 differ by less than a point
_LEAST_WEIGHT = 3  # of SCALE; smaller weights of a feature are left out
_SMALL = re.compile(r"(?<![\w'’.@/-])[a-zß-ÿ]+(?:['’-][^\W\d_]+)*")


class ReadCandidate(NamedTuple):
    """The features of a candidate, and what it is."""

    features: set[str]
    kind: str


class Fit(NamedTuple):
    """What was learned, as it is shipped."""

    kinds: list[str]
    bias: list[int]
    weights: dict[str, list[int]]

    def used_with(self, known: KnownWords) -> Weights:
        """The weights, ready to score candidates."""
        return Weights(self.kinds, self.bias, self.weights, known)


def small_words(text: str) -> frozenset[str]:
    """The words that stand in small letters in a text."""
    return frozenset(_SMALL.findall(text))


def without_marked(note: MarkedNote) -> str:
    """The text of a note with spaces in place of what is marked."""
    text = note.text
    for span in note.spans:
        text = text[: span.start] + " " * (span.end - span.start) + text[span.end :]
    return text


def learned(notes: Sequence[MarkedNote], domain: KnownWords) -> tuple[Fit, KnownWords]:
    """The fit to some notes, and the words that are known from them.

    Args:
        notes: marked notes, and texts without any mark.
        domain: the words of medicine; `small` holds common words.
    """
    # What is marked as an identifier makes no word known.
    counts = Counter(word for note in notes for word in small_words(without_marked(note)))
    known = domain._replace(small=domain.small | frozenset(counts))
    signs = WordSigns(known)
    examples: list[ReadCandidate] = []
    for note in notes:
        # A word that stands in small letters in this text alone is unknown to it.
        own = {word for word in small_words(note.text) if counts[word] <= 1} - domain.small
        seen = WordSigns(known._replace(small=known.small - own)) if own else signs
        examples += _examples_of(note, seen)
    return fit(examples), known


def _examples_of(note: MarkedNote, signs: WordSigns) -> Iterator[ReadCandidate]:
    text = ScannedText(note.text)
    facts = facts_of(text)
    for one in candidates(text, signs.known):
        yield ReadCandidate(features_of(text, one, facts, signs), kind_of(note, one))


def kind_of(note: MarkedNote, one: Candidate) -> str:
    """What a candidate is: the kind of the mark that covers half of it, or none."""
    for span in note.spans:
        begin, end = max(span.start, one.start), min(span.end, one.end)
        if 2 * (end - begin) >= one.end - one.start:
            return _GROUPS.get(span.kind, _NUMBER)
    return NONE


def fit(examples: Sequence[ReadCandidate]) -> Fit:
    """A multinomial logistic regression on the examples, with whole numbers as weights."""
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    counts = Counter(feature for example in examples for feature in example.features)
    names = sorted(name for name, count in counts.items() if count >= _LEAST)
    labels = [example.kind for example in examples]
    # With so few rows, threads of the linear algebra mostly wait for each other.
    with threadpool_limits(1):
        model = LogisticRegression(C=_STRENGTH, max_iter=300, tol=1e-4)
        model.fit(_matrix((example.features for example in examples), names), labels)
    whole = np.rint(model.coef_.T * SCALE).astype(int).tolist()
    return Fit(
        [str(kind) for kind in model.classes_],
        np.rint(model.intercept_ * SCALE).astype(int).tolist(),
        {
            name: weights
            for name, weights in zip(names, whole, strict=True)
            if max(map(abs, weights)) >= _LEAST_WEIGHT
        },
    )


def _matrix(found: Iterable[set[str]], names: Sequence[str]) -> Any:
    """Which example has which of the named features."""
    from scipy.sparse import csr_matrix

    columns: Mapping[str, int] = {name: place for place, name in enumerate(names)}
    indices: list[int] = []
    ends = [0]
    for features in found:
        indices += sorted(columns[one] for one in features if one in columns)
        ends.append(len(indices))
    return csr_matrix((np.ones(len(indices)), indices, ends), shape=(len(ends) - 1, len(names)))
