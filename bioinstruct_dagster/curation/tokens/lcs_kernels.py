"""The longest common subsequence of token lists, compiled. Import inside functions only.

Belongs here: bit-parallel LCS of one text with many (Hyyrö 2004), for any length and any repeated
tokens, and the F1 computed from it. Does not: which texts to compare (novelty.pair_kernels).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.tokens.compilation import inner

WORD = 64  # bits
_ONE, _ALL = np.uint64(1), np.uint64(0xFFFFFFFFFFFFFFFF)
_FIVES, _THREES = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333)
_FIFTEENS, _ONES = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)
_LOW = np.int64(0xFFFFFFFF)


class Masks(NamedTuple):
    """The positions of each token in one text; memory of one thread.

    Each distinct token of the text is a run; runs are numbered in sorted order. The positions of a
    token are listed in words of 64 bits, run by run. So memory grows in proportion to the text.
    """

    run_of: NDArray[np.int32]  # by token: 1 + its run; 0 where the text lacks it
    order: NDArray[np.int64]  # token, or its rank, << 32 | position: sorted
    starts: NDArray[np.int32]  # by run: its first word; the next run's start is its end
    words: NDArray[np.int32]  # which word
    bits: NDArray[np.uint64]  # the positions in it
    state: NDArray[np.uint64]  # of the LCS: a 0 bit per matched position


@inner
def popcount(value: np.uint64) -> int:
    """Number of set bits."""
    value = value - ((value >> np.uint64(1)) & _FIVES)
    value = (value & _THREES) + ((value >> np.uint64(2)) & _THREES)
    value = (value + (value >> np.uint64(4))) & _FIFTEENS
    return int(np.int64((value * _ONES) >> np.uint64(56)))


@inner
def f1_of(lcs: int, candidate: int, kept: int) -> float:
    """ROUGE-L F1 as `rouge_score` rounds it, for token counts of the two texts."""
    if lcs == 0:
        return 0.0
    precision = lcs / candidate
    recall = lcs / kept
    return 2 * precision * recall / (precision + recall)


@inner
def sort_positions(
    tokens: NDArray[np.int32], ranks: NDArray[np.int64], order: NDArray[np.int64]
) -> None:
    """The text's positions by rank of their token, then by position."""
    for i in range(tokens.shape[0]):
        order[i] = (ranks[tokens[i]] << 32) | i
    sort(order[: tokens.shape[0]])


@inner
def sort(values: NDArray[np.int64]) -> None:
    """Shell's sort: fast for few values, and not quadratic for many."""
    size = values.shape[0]
    gap = 1
    while gap < size // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, size):
            value = values[i]
            j = i
            while j >= gap and values[j - gap] > value:
                values[j] = values[j - gap]
                j -= gap
            values[j] = value
        gap //= 3


@inner
def set_masks(tokens: NDArray[np.int32], masks: Masks) -> None:
    """Set the masks to the positions of a text's tokens."""
    for i in range(tokens.shape[0]):
        masks.order[i] = (np.int64(tokens[i]) << 32) | i
    sort(masks.order[: tokens.shape[0]])
    runs = listed = 0
    last_token, last_word = -1, -1
    for i in range(tokens.shape[0]):
        position = masks.order[i] & _LOW
        token = tokens[position]
        word = position // WORD
        if token != last_token:
            masks.starts[runs] = listed
            runs += 1
            masks.run_of[token] = runs
            last_token, last_word = token, -1
        if word != last_word:
            masks.words[listed] = word
            masks.bits[listed] = 0
            listed += 1
            last_word = word
        masks.bits[listed - 1] |= _ONE << np.uint64(position % WORD)
    masks.starts[runs] = listed


@inner
def clear_masks(tokens: NDArray[np.int32], masks: Masks) -> None:
    """Forget the text, so that the masks can be set for another."""
    for i in range(tokens.shape[0]):
        masks.run_of[tokens[i]] = 0


@inner
def lcs_in_word(other: NDArray[np.int32], masks: Masks) -> int:
    """LCS of another text with the masks' text, which has 64 tokens at most."""
    state = _ALL
    for i in range(other.shape[0]):
        run = masks.run_of[other[i]]
        if run:
            matched = state & masks.bits[run - 1]
            state = (state + matched) | (state - matched)
    return popcount(~state)


@inner
def lcs_in_words(other: NDArray[np.int32], masks: Masks, size: int) -> int:
    """LCS of another text with the masks' text of `size` tokens.

    The addition over all words touches only words that have a bit to add or receive a carry.
    """
    count = (size + WORD - 1) // WORD
    state = masks.state
    for w in range(count):
        state[w] = _ALL
    for i in range(other.shape[0]):
        run = masks.run_of[other[i]]
        if run == 0:
            continue
        carry = np.uint64(0)
        w = 0
        for at in range(masks.starts[run - 1], masks.starts[run] + 1):
            # After the token's last word, only the carry goes on, up to the end of the text.
            is_word = at < masks.starts[run]
            until = masks.words[at] if is_word else count
            while carry and w < until:
                total = state[w] + carry
                state[w] |= total
                carry = _ONE if total == 0 else np.uint64(0)
                w += 1
            if is_word:
                w = until
                matched = state[w] & masks.bits[at]
                first = state[w] + matched
                total = first + carry
                over = first < matched or total < carry
                state[w] = total | (state[w] & ~masks.bits[at])
                carry = _ONE if over else np.uint64(0)
                w += 1
    zeros = 0
    for w in range(count):
        zeros += popcount(~state[w])
    return zeros
