"""The likeness of whole texts of rows and of evaluation items, compiled.

Belongs here: signatures, tokens in common, and the longest common subsequence. Import this module
inside functions only, since numba takes a second to load. Does not: runs and whole texts
(overlap_kernels), or which texts are compared (overlap).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.contamination.overlap_kernels import (
    COLUMNS,
    Ints,
    Numbers,
    TokenTexts,
    appended,
)
from bioinstruct_dagster.curation.tokens.compilation import compiled
from bioinstruct_dagster.curation.tokens.lcs_kernels import popcount

_HALF = np.uint64(64)
_BIT = np.uint64(127)
_ONE = np.uint64(1)
_BLOCK = 128  # texts whose signatures are compared before any is looked at
_SLACK = 1e-6  # above rounding, below the distance of unequal scores


class SignedTexts(NamedTuple):
    """Texts sorted by length, each with its set of tokens hashed to 128 bits."""

    texts: TokenTexts
    low: NDArray[np.uint64]
    high: NDArray[np.uint64]


@compiled
def signature(
    tokens: Numbers, start: int, end: int, hashes: NDArray[np.uint64]
) -> tuple[np.uint64, np.uint64, int]:
    """The 128 bits of the known tokens, and the number of known tokens."""
    low, high, count = np.uint64(0), np.uint64(0), 0
    for place in range(start, end):
        if tokens[place] >= hashes.shape[0]:  # in no evaluation text
            continue
        count += 1
        bit = hashes[tokens[place]] & _BIT
        if bit < _HALF:
            low |= _ONE << bit
        else:
            high |= _ONE << (bit - _HALF)
    return low, high, count


@compiled
def sign(signed: SignedTexts, hashes: NDArray[np.uint64]) -> None:
    """Fill in the signatures of the evaluation texts."""
    tokens, offsets = signed.texts
    for text in range(offsets.shape[0] - 1):
        start, end = offsets[text], offsets[text + 1]
        signed.low[text], signed.high[text], _ = signature(tokens, start, end, hashes)


@compiled
def count_tokens(tokens: Numbers, counts: Numbers, by: int) -> None:
    """Add a number to the count of each token; tokens beyond the counts are in no text."""
    for token in tokens:
        if token < counts.shape[0]:
            counts[token] += by


@compiled
def tokens_in_common(text: Numbers, counts: Numbers, least: float) -> int:
    """Number of tokens that two texts share, with repetitions; -1 if it is below `least`.

    Args:
        text: one text, whose tokens all have a count.
        counts: by token, how often it is in the other text. They are the same afterwards.
        least: the loop ends as soon as it can't be reached.
    """
    shared, place = 0, 0
    size = text.shape[0]
    while place < size and shared + size - place >= least:
        if counts[text[place]] > 0:
            shared += 1
        counts[text[place]] -= 1
        place += 1
    whole = shared + size - place >= least
    while place > 0:
        place -= 1
        counts[text[place]] += 1
    return shared if whole else -1


@compiled
def longest_subsequence(left: Numbers, right: Numbers) -> int:
    """Length of the longest common subsequence."""
    best = np.zeros(right.shape[0] + 1, np.int32)
    for token in left:
        diagonal = np.int32(0)
        for place in range(right.shape[0]):
            above = best[place + 1]
            if token == right[place]:
                best[place + 1] = diagonal + 1
            elif best[place] > above:
                best[place + 1] = best[place]
            diagonal = above
    return int(best[right.shape[0]])


@compiled
def spare(
    others: tuple[NDArray[np.uint64], NDArray[np.uint64], Ints],
    own: tuple[np.uint64, np.uint64, int, int],
    least: float,
    spared: NDArray[np.float64],
) -> None:
    """By text: how many more tokens it can share with the row's text than the rule needs.

    For each bit that only one signature has, the other text lacks at least one token. The loop has
    no branch, so that the processor can work on many texts at once.
    """
    lows, highs, lengths = others
    low, high, known, size = own
    for text in range(lengths.shape[0]):
        other_low, other_high = lows[text], highs[text]
        mine = known - popcount(low & ~other_low) - popcount(high & ~other_high)
        its = lengths[text] - popcount(other_low & ~low) - popcount(other_high & ~high)
        spared[text] = min(mine, its) - least * (size + lengths[text]) / 2


@compiled
def first_spared(spared: NDArray[np.float64], start: int) -> int:
    """The first place from `start` on with tokens to spare; the end if there is none.

    It counts the places of a block without a branch, and most blocks have none.
    """
    size = int(spared.shape[0])
    while start < size:
        stop = min(start + _BLOCK, size)
        count = 0
        for place in range(start, stop):
            count += spared[place] >= -_SLACK
        if count:
            while spared[start] < -_SLACK:
                start += 1
            return start
        start = stop
    return size


@compiled
def alike(signed: SignedTexts, least: float, hashes: NDArray[np.uint64], rows: TokenTexts) -> Ints:
    """Pairs whose tokens in common allow an F1 of `least`: text of rows, text, shared, LCS.

    No pair is missed: 2·LCS / (m + n) >= least needs at least LCS tokens in common.
    """
    found = np.empty((64, COLUMNS), np.int64)
    used = 0
    tokens, offsets = signed.texts
    lengths = offsets[1:] - offsets[:-1]
    memory = np.empty(lengths.shape[0], np.float64)
    counts = np.zeros(hashes.shape[0], np.int32)
    for own in range(rows.offsets.shape[0] - 1):
        start, end = rows.offsets[own], rows.offsets[own + 1]
        size = end - start
        low, high, known = signature(rows.tokens, start, end, hashes)
        if size == 0 or 2 * known < least * size - _SLACK:
            continue
        # least <= 2·shorter / (shorter + longer) bounds the other's length from both sides.
        shortest = np.int64(np.ceil(least * size / (2 - least) - _SLACK))
        longest = np.int64(size * (2 - least) / least + _SLACK)
        first = int(np.searchsorted(lengths, shortest))
        last = int(np.searchsorted(lengths, longest + 1))
        count_tokens(rows.tokens[start:end], counts, 1)
        spared = memory[: last - first]
        others = (signed.low[first:last], signed.high[first:last], lengths[first:last])
        spare(others, (low, high, known, size), least, spared)
        place = first_spared(spared, 0)
        while place < spared.shape[0]:
            text = first + place
            place = first_spared(spared, place + 1)
            needed = least * (size + lengths[text]) / 2 - _SLACK
            other = tokens[offsets[text] : offsets[text + 1]]
            shared = tokens_in_common(other, counts, needed)
            if shared < 0:
                continue
            lcs = longest_subsequence(rows.tokens[start:end], other)
            found = appended(found, used, (own, text, shared, lcs))
            used += 1
        count_tokens(rows.tokens[start:end], counts, -1)
    return found[:used]
