"""What is known of each word that a batch of rows has: its clause bits, its weights, its marks.

A word is looked up once, when the first batch has it, and is a number from then on. Belongs here:
these lookups. Does not: sums over texts (word_kernels), what a word says (signs, domain,
languages), or what follows for a rule (batch).
"""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.quality.domain import (
    FieldWeights,
    begins_compound,
    is_field_word,
)
from bioinstruct_dagster.curation.quality.outputs.other_language import other_words
from bioinstruct_dagster.curation.tokens.vocabulary import EncodedTexts, Vocabulary
from bioinstruct_dagster.signs import CLAUSES

MOST_WORDS = 100_000  # distinct words; with more, all are forgotten
BLOCK_BITS = 64
# Marks of a word. MEDICAL must be twice FIELD (see word_kernels.sum_distinct).
FIELD, MEDICAL, BESIDE, COMPOUND, UNDERSCORE, OTHER = 1, 2, 4, 8, 16, 32

Number = TypeVar("Number", bound=np.generic)


class BatchWords:
    """The words of all batches so far, by number.

    Args:
        weights: what each word counts for the domain; None if no rule asks for it.
    """

    def __init__(self, weights: FieldWeights | None) -> None:
        self._weights_of = weights
        self._other = other_words()
        self._forget()

    def _forget(self) -> None:
        self._vocabulary = Vocabulary()
        self._clauses = len(CLAUSES)
        # Rows of a table; those behind the last word are free.
        self.weights: NDArray[np.float64] = np.zeros((1, 2), np.float64)
        self.marks: NDArray[np.uint8] = np.zeros(1, np.uint8)
        self.places: NDArray[np.int32] = np.full(1, -1, np.int32)
        self._bits: NDArray[np.uint64] = np.zeros((1, -(-self._clauses // BLOCK_BITS)), np.uint64)
        self._placed = 0

    @property
    def bits(self) -> NDArray[np.uint64]:
        """The clause bits of the words that have any, in blocks; `places` says where each is."""
        return self._bits[: self._placed]

    def numbered(self, texts: Sequence[str]) -> EncodedTexts:
        """The words of ASCII texts as numbers, each of which this object then knows."""
        if len(self._vocabulary) > MOST_WORDS or self._clauses != len(CLAUSES):
            self._forget()  # a check that was made since then has added clauses
        known = len(self._vocabulary)
        numbers = self._vocabulary.encode_words(texts)
        if known < len(self._vocabulary):
            self._learn(known, self._vocabulary.tokens_from(known))
        return numbers

    def _learn(self, first: int, words: list[str]) -> None:
        end = first + len(words)
        bits = list(map(CLAUSES.bits_of_word, words))
        self.weights = _with_room(self.weights, end)
        self.marks = _with_room(self.marks, end)
        self.places = _with_room(self.places, end)
        for number, word in enumerate(words, first):
            self.marks[number] = self._learn_weight(number, word) | self._marks_of(word)
        has_bits = np.fromiter(map(bool, bits), np.bool_, len(words))
        placed = self._placed + int(has_bits.sum())
        self.places[first:end] = -1
        self.places[first:end][has_bits] = np.arange(self._placed, placed, dtype=np.int32)
        self._bits = _with_room(self._bits, placed)
        size = self._bits.shape[1] * BLOCK_BITS // 8
        blocks = b"".join(one.to_bytes(size, "little") for one in bits if one)
        self._bits[self._placed : placed] = np.frombuffer(blocks, "<u8").reshape(
            -1, self._bits.shape[1]
        )
        self._placed = placed

    def _learn_weight(self, number: int, word: str) -> int:
        """Enter the weights of a word, and return its marks for the domain."""
        weights = self._weights_of
        if weights is None or not is_field_word(word):
            return 0
        self.weights[number] = weights[word]
        medical = MEDICAL if word in weights.medical else 0
        beside = BESIDE if word in weights.beside else 0
        return FIELD | medical | beside | (COMPOUND if begins_compound(word) else 0)

    def _marks_of(self, word: str) -> int:
        return (OTHER if word in self._other else 0) | (UNDERSCORE if "_" in word else 0)


def _with_room(table: NDArray[Number], rows: int) -> NDArray[Number]:
    """The table, enlarged if it has fewer rows."""
    if rows <= len(table):
        return table
    larger: NDArray[Number] = np.zeros((2 * rows, *table.shape[1:]), table.dtype)
    larger[: len(table)] = table
    return larger
