"""Sums over the numbered words of many texts, compiled. Import inside functions only.

Belongs here: the loops over words. Does not: what each word counts (known_words), or what follows
for a rule (batch).
"""

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.tokens.compilation import compiled


@compiled
def join_bits(
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    places: NDArray[np.int32],
    bits: NDArray[np.uint64],
) -> NDArray[np.uint64]:
    """The bits of each text: a bit is set if one of the text's words has it.

    Args:
        tokens: the words of all texts.
        offsets: where each text begins among them, and the end of the last.
        places: by word: where its bits stand in `bits`; -1 if it has none.
        bits: the bits of words, in blocks of 64.
    """
    found = np.zeros((offsets.shape[0] - 1, bits.shape[1]), np.uint64)
    for text in range(found.shape[0]):
        for at in range(offsets[text], offsets[text + 1]):
            place = places[tokens[at]]
            if place >= 0:
                for block in range(bits.shape[1]):
                    found[text, block] |= bits[place, block]
    return found


@compiled
def count_words(
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    marks: NDArray[np.uint8],
    mark: int,
) -> NDArray[np.int64]:
    """How many words of each text have a mark."""
    counts = np.zeros(offsets.shape[0] - 1, np.int64)
    for text in range(counts.shape[0]):
        for at in range(offsets[text], offsets[text + 1]):
            counts[text] += (marks[tokens[at]] & mark) != 0
    return counts


@compiled
def sum_distinct(
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    weights: NDArray[np.float64],
    marks: NDArray[np.uint8],
    mark: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]:
    """Sums over the distinct words of each row; a row is a stretch of `tokens`.

    Args:
        tokens: the words of all rows.
        offsets: where each row begins among them, and the end of the last.
        weights: two weights of each word.
        marks: of each word.
        mark: the mark of the words that are added.

    Returns:
        The sums of both weights, the number of words that were added, the number of those with the
        next higher mark, and all marks that any word of the row has.
    """
    rows = offsets.shape[0] - 1
    sums = np.zeros((rows, 2), np.float64)
    added = np.zeros(rows, np.int64)
    higher = np.zeros(rows, np.int64)
    held = np.zeros(rows, np.uint8)
    seen_in = np.full(marks.shape[0], -1, np.int64)
    for row in range(rows):
        for at in range(offsets[row], offsets[row + 1]):
            word = tokens[at]
            if seen_in[word] == row:
                continue
            seen_in[word] = row
            held[row] |= marks[word]
            if marks[word] & mark:
                sums[row, 0] += weights[word, 0]
                sums[row, 1] += weights[word, 1]
                added[row] += 1
                higher[row] += (marks[word] & (2 * mark)) != 0
    return sums, added, higher, held
