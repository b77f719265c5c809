"""The keys of texts in the index of rare token pairs, compiled. Import inside functions only.

Belongs here: what a batch of texts is, its signatures and its keys. Does not: why these keys find
every pair (pairs), or how they are looked up (pair_kernels).
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.tokens.compilation import compiled, inner
from bioinstruct_dagster.curation.tokens.lcs_kernels import Masks, sort_positions
from bioinstruct_dagster.curation.tokens.token_kernels import mixed

# Columns of `MarkedTexts.marks`.
LOW, HIGH, LENGTH, START = 0, 1, 2, 3
# Columns of `CandidateBatch.spans`: keys [FROM, INSERTED) are inserted, keys [PROBED, TO) probed.
FROM, PROBED, INSERTED, TO = 0, 1, 2, 3
# The hash of a key is in its lower bits, below this one.
MOST_BITS = 32
SLACK = 1e-9  # relative; far above rounding, far below the distance of unequal scores
LOW_WORD = np.int64(0xFFFFFFFF)
# Second words in keys of one token: for texts so short that one common token may suffice, for long
# texts, and for texts that a long text may resemble. No token has such a number.
_SHORT, _LONG, _MEDIUM = -1, -2, -3


class MarkedTexts(NamedTuple):
    """Tokens of texts, and four numbers for each text, which share a cache line."""

    tokens: NDArray[np.int32]
    marks: NDArray[np.int64]  # signature (low, high), number of tokens, first token's place


class KeyRule(NamedTuple):
    """The numbers that determine the keys of a text."""

    ranks: NDArray[np.int64]  # by token: lower where rarer
    hashes: NDArray[np.uint64]  # by token
    threshold: float
    long: int  # texts with more tokens have no pair keys
    shard: int  # this index holds the keys whose rarer token's hash belongs to this shard
    shards: int


class ThreadMemory(NamedTuple):
    """Memory of one thread."""

    masks: Masks
    are_set: NDArray[np.bool_]  # one element: whether the masks are those of the text at hand
    tokens: NDArray[np.int32]  # the distinct tokens among the rarest
    places: NDArray[np.int32]  # where each comes first in the sorted order
    firsts: NDArray[np.int32]  # their first positions in the text
    lasts: NDArray[np.int32]  # their last positions
    ahead: NDArray[np.int64]  # nodes that are visited next
    headers: NDArray[np.int64]  # the headers of these nodes
    candidates: NDArray[np.int32]  # rows to compare
    seen: NDArray[np.int32]  # rows that were compared already, by their last bits


class CandidateBatch(NamedTuple):
    """Texts to be checked, their keys, and the most similar row found so far for each."""

    texts: MarkedTexts
    keys: NDArray[np.uint64]
    spans: NDArray[np.int64]
    nearest: NDArray[np.int32]  # -1: no score above the threshold; -2: the known score is the best
    scores: NDArray[np.float64]


@inner
def least_lcs_of_any(size: int, threshold: float) -> int:
    """The smallest LCS that can exceed the threshold, for a text with any other text."""
    return max(1, math.ceil(threshold * size / (2 - threshold) - SLACK * size))


@compiled
def describe(
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    marks: NDArray[np.int64],
) -> None:
    """Write the marks of each text. In its signature, a token sets the bit that its hash names."""
    for i in range(marks.shape[0]):
        low = high = np.uint64(0)
        for j in range(offsets[i], offsets[i + 1]):
            place = hashes[tokens[j]] >> np.uint64(57)
            bit = np.uint64(1) << (place & np.uint64(63))
            if place < np.uint64(64):
                low |= bit
            else:
                high |= bit
        marks[i, LOW] = np.int64(low)
        marks[i, HIGH] = np.int64(high)
        marks[i, LENGTH] = offsets[i + 1] - offsets[i]
        marks[i, START] = offsets[i]


@inner
def tokens_of(texts: MarkedTexts, i: int) -> NDArray[np.int32]:
    """The tokens of a text."""
    start = texts.marks[i, START]
    return texts.tokens[start : start + texts.marks[i, LENGTH]]


@inner
def key_of(first: int, second: int, most: int) -> np.uint64:
    """The key of two tokens in text order, or of a token and a kind.

    The key also holds `most`: if this key is the first that two texts share, they can have at most
    so many tokens in common, namely the key's tokens and all later tokens in the sorted order.
    """
    digest = mixed(np.uint64((first << 32) | (second & LOW_WORD))) >> np.uint64(32)
    return digest | (np.uint64(most) << np.uint64(MOST_BITS))


@inner
def find_runs(tokens: NDArray[np.int32], size: int, desk: ThreadMemory) -> int:
    """Find the distinct tokens among the `size` rarest, the rarest first; returns their number."""
    runs = 0
    last_token = -1
    for i in range(size):
        position = desk.masks.order[i] & LOW_WORD
        token = tokens[position]
        if token != last_token:
            desk.tokens[runs] = token
            desk.places[runs] = i
            desk.firsts[runs] = position
            runs += 1
            last_token = token
        desk.lasts[runs - 1] = position
    return runs


@inner
def is_ours(token: int, keying: KeyRule) -> bool:
    """Whether the keys with this token as their rarer one belong to this shard."""
    if keying.shards == 1:
        return True
    return bool(keying.hashes[token] % np.uint64(keying.shards) == np.uint64(keying.shard))


@inner
def write_pairs(
    size: int, runs: int, desk: ThreadMemory, keying: KeyRule, out: NDArray[np.uint64]
) -> int:
    """Write the key of each distinct ordered pair of tokens; returns the number of keys."""
    count = 0
    for a in range(runs):
        rarer, first, last = int(desk.tokens[a]), desk.firsts[a], desk.lasts[a]
        if not is_ours(rarer, keying):
            continue
        if first < last:
            out[count] = key_of(rarer, rarer, size - desk.places[a])
            count += 1
        for b in range(a + 1, runs):
            other, most = int(desk.tokens[b]), size - desk.places[b] + 1
            if first < desk.lasts[b]:
                out[count] = key_of(rarer, other, most)
                count += 1
            if desk.firsts[b] < last:
                out[count] = key_of(other, rarer, most)
                count += 1
    return count


@inner
def write_singles(
    runs: int, kind: int, desk: ThreadMemory, keying: KeyRule, out: NDArray[np.uint64]
) -> int:
    """Write a key of this kind for each token; returns the number of keys."""
    count = 0
    for a in range(runs):
        if is_ours(desk.tokens[a], keying):
            out[count] = key_of(int(desk.tokens[a]), kind, keying.long)
            count += 1
    return count


@inner
def write_keys(
    tokens: NDArray[np.int32], desk: ThreadMemory, keying: KeyRule, out: NDArray[np.uint64]
) -> tuple[int, int, int]:
    """Write a text's keys: those only inserted, those inserted and probed, those only probed.

    Returns:
        The start of the probed keys, the end of the inserted keys, the number of keys.
    """
    size = tokens.shape[0]
    if size == 0:
        return 0, 0, 0
    sort_positions(tokens, keying.ranks, desk.masks.order)
    least = least_lcs_of_any(size, keying.threshold)
    if size > keying.long:
        runs = find_runs(tokens, size - least + 1, desk)
        inserted = write_singles(runs, _LONG, desk, keying, out)
        probed = write_singles(runs, _MEDIUM, desk, keying, out[inserted:])
        return 0, inserted, inserted + probed
    longest = size * (2 - keying.threshold) / keying.threshold * (1 + SLACK)
    is_medium = longest >= keying.long + 1
    count = 0
    if is_medium:
        runs = find_runs(tokens, size - least + 1, desk)
        count = write_singles(runs, _MEDIUM, desk, keying, out)
    probed_from = count
    if least == 1:
        runs = find_runs(tokens, size, desk)
        count += write_singles(runs, _SHORT, desk, keying, out[count:])
    runs = find_runs(tokens, min(size, size - least + 2), desk)
    count += write_pairs(size, runs, desk, keying, out[count:])
    inserted = count
    if is_medium:
        runs = find_runs(tokens, size - least + 1, desk)
        count += write_singles(runs, _LONG, desk, keying, out[count:])
    return probed_from, inserted, count


@compiled
def write_batch_keys(
    batch: CandidateBatch, which: tuple[int, int], desk: ThreadMemory, keying: KeyRule
) -> None:
    """Write the keys of some texts of a batch, each text's keys from the start of its span."""
    for i in range(which[0], which[1]):
        start = batch.spans[i, FROM]
        probed, inserted, end = write_keys(
            tokens_of(batch.texts, i), desk, keying, batch.keys[start:]
        )
        batch.spans[i, PROBED] = start + probed
        batch.spans[i, INSERTED] = start + inserted
        batch.spans[i, TO] = start + end
