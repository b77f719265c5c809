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

# Columns of `Texts.marks`.
LOW, HIGH, LENGTH, START = 0, 1, 2, 3
# Columns of a text's `spans`: inserted are the keys [FROM, INSERTED), probed are [PROBED, TO).
FROM, PROBED, INSERTED, TO = 0, 1, 2, 3
# Of a key: its hash is below these bits.
MOST_BITS = 32
SLACK = 1e-9  # relative; far above rounding, far below the distance of unequal scores
LOW_WORD = np.int64(0xFFFFFFFF)
# Second words of the keys of one token, which no token has for its number: for texts so short that
# one common token may do, for long texts, and for those that a long text may resemble.
_SHORT, _LONG, _MEDIUM = -1, -2, -3


class MarkedTexts(NamedTuple):
    """Tokens of texts, and a line of four numbers for each, in one cache line."""

    tokens: NDArray[np.int32]
    marks: NDArray[np.int64]  # signature (low, high), number of tokens, first token's place


class KeyRule(NamedTuple):
    """What keys a text has."""

    ranks: NDArray[np.int64]  # by token: lower where rarer
    hashes: NDArray[np.uint64]  # by token
    threshold: float
    long: int  # texts with more tokens have no pair keys
    shard: int  # which keys this index is for: those whose rarer token's hash falls to it
    shards: int


class ThreadMemory(NamedTuple):
    """Memory of one thread."""

    masks: Masks
    are_set: NDArray[np.bool_]  # one element: whether the masks are those of the text at hand
    tokens: NDArray[np.int32]  # the distinct tokens among the rarest
    places: NDArray[np.int32]  # where each comes first in the sorted order
    firsts: NDArray[np.int32]  # their first positions in the text
    lasts: NDArray[np.int32]  # their last positions
    ahead: NDArray[np.int64]  # nodes to look at
    headers: NDArray[np.int64]  # their headers
    candidates: NDArray[np.int32]  # rows to look at
    seen: NDArray[np.int32]  # rows compared already, by their last bits


class CandidateBatch(NamedTuple):
    """Texts to be checked, their keys, and the most similar row found so far for each."""

    texts: MarkedTexts
    keys: NDArray[np.uint64]
    spans: NDArray[np.int64]
    nearest: NDArray[np.int32]  # -1: no score is above the threshold; -2: one found elsewhere is
    scores: NDArray[np.float64]


@inner
def least_lcs_of_any(size: int, threshold: float) -> int:
    """The same over all partners of a text of `size` tokens."""
    return max(1, math.ceil(threshold * size / (2 - threshold) - SLACK * size))


@compiled
def describe(
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    marks: NDArray[np.int64],
) -> None:
    """Write each text's marks. In a signature, a token sets the bit that its hash names."""
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

    With it comes the most that texts with this key as their first can have in common, as far as
    this text goes: the key's tokens, and all that come after them in the sorted order.
    """
    digest = mixed(np.uint64((first << 32) | (second & LOW_WORD))) >> np.uint64(32)
    return digest | (np.uint64(most) << np.uint64(MOST_BITS))


@inner
def find_runs(tokens: NDArray[np.int32], size: int, desk: ThreadMemory) -> int:
    """Find the distinct tokens among the `size` rarest, rarest first; how many."""
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
    """Whether keys whose rarer token this is belong to this shard."""
    if keying.shards == 1:
        return True
    return bool(keying.hashes[token] % np.uint64(keying.shards) == np.uint64(keying.shard))


@inner
def write_pairs(
    size: int, runs: int, desk: ThreadMemory, keying: KeyRule, out: NDArray[np.uint64]
) -> int:
    """Write the key of each ordered pair of tokens of a text of `size` tokens, once; how many."""
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
    """Write a key of this kind for each token; how many."""
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
        Where the probed ones start, where the inserted ones end, how many there are.
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
    """Write the keys of some texts of a batch; each text's span starts where it has room."""
    for i in range(which[0], which[1]):
        start = batch.spans[i, FROM]
        probed, inserted, end = write_keys(
            tokens_of(batch.texts, i), desk, keying, batch.keys[start:]
        )
        batch.spans[i, PROBED] = start + probed
        batch.spans[i, INSERTED] = start + inserted
        batch.spans[i, TO] = start + end
