"""Probing and filling the index of rare token pairs, compiled. Import inside functions only.

Belongs here: the loops over candidates. Does not: the keys (key_kernels), or the memory that the
loops use (pairs).
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.novelty.key_kernels import (
    FROM,
    HIGH,
    INSERTED,
    LENGTH,
    LOW,
    LOW_WORD,
    MOST_BITS,
    PROBED,
    SLACK,
    START,
    TO,
    CandidateBatch,
    MarkedTexts,
    ThreadMemory,
    tokens_of,
)
from bioinstruct_dagster.curation.tokens.compilation import compiled, inner
from bioinstruct_dagster.curation.tokens.lcs_kernels import (
    WORD,
    clear_masks,
    f1_of,
    lcs_in_word,
    lcs_in_words,
    popcount,
    set_masks,
)

# Places in an index's `counts`.
ROWS, TOKENS, POOL, ENTRIES = 0, 1, 2, 3
SEEN = 1_024  # candidates remembered as compared
TOGETHER = 1_024  # candidates gathered before they are compared
# A node of a bucket's list: a header (next node << 32 | room << 16 | entries), then its entries
# (row << 32 | tokens of the row << 8 | most tokens that the row can share if it has this key).
_MOST_ROOM = 255


class KeyBuckets(NamedTuple):
    """Rows by key: a list per bucket, the newest row first."""

    heads: NDArray[np.int32]  # by bucket: its first node, -1 where empty
    pool: NDArray[np.int64]  # the nodes
    rows: MarkedTexts
    counts: NDArray[np.int64]
    threshold: float
    least: NDArray[np.int64]  # `least_lcs` by total, for texts with pair keys


@inner
def least_lcs(total: int, threshold: float) -> int:
    """The smallest LCS whose F1 can be above the threshold, for `total` tokens in both texts."""
    return max(1, math.ceil(threshold * total / 2 - SLACK * total))


@inner
def most_in_common(one: NDArray[np.int64], i: int, other: NDArray[np.int64], j: int) -> int:
    """A bound on the LCS by the marks of two texts: a token is unmatched if its bit is missing."""
    low, high = np.uint64(one[i, LOW]), np.uint64(one[i, HIGH])
    other_low, other_high = np.uint64(other[j, LOW]), np.uint64(other[j, HIGH])
    mine: int = one[i, LENGTH] - popcount(low & ~other_low) - popcount(high & ~other_high)
    its: int = other[j, LENGTH] - popcount(other_low & ~low) - popcount(other_high & ~high)
    return min(mine, its)


@inner
def lcs_with_row(
    buckets: KeyBuckets, batch: CandidateBatch, i: int, row: int, desk: ThreadMemory
) -> int:
    """LCS of a text of the batch with a row."""
    tokens = tokens_of(batch.texts, i)
    if not desk.are_set[0]:
        set_masks(tokens, desk.masks)
        desk.are_set[0] = True
    other = tokens_of(buckets.rows, row)
    if tokens.shape[0] <= WORD:
        return lcs_in_word(other, desk.masks)
    return lcs_in_words(other, desk.masks, tokens.shape[0])


@inner
def compare(
    buckets: KeyBuckets, batch: CandidateBatch, i: int, count: int, desk: ThreadMemory
) -> None:
    """Store the most similar candidate above the threshold, the earliest of equally similar ones.

    No array is sliced before a comparison: a slice would double the time per candidate.
    """
    marks, row_marks = batch.texts.marks, buckets.rows.marks
    candidates, seen, threshold = desk.candidates, desk.seen, buckets.threshold
    size, best, nearest = marks[i, LENGTH], batch.scores[i], batch.nearest[i]
    for c in range(count):
        row = int(candidates[c])
        if seen[row % SEEN] == row:
            continue
        seen[row % SEEN] = row
        most = most_in_common(marks, i, row_marks, row)
        other_size = row_marks[row, LENGTH]
        if most < least_lcs(size + other_size, threshold):
            continue
        reachable = f1_of(most, size, other_size)
        if reachable < best or (reachable == best and row >= nearest):
            continue
        score = f1_of(lcs_with_row(buckets, batch, i, row, desk), size, other_size)
        if score > threshold and (score > best or (score == best and row < nearest)):
            best, nearest = score, row
    batch.scores[i], batch.nearest[i] = best, nearest


@inner
def fill(array: NDArray[np.int32]) -> None:
    """Write -1 everywhere. A loop, because numba takes a second to compile `array[:] = -1`."""
    for i in range(array.shape[0]):
        array[i] = -1


@inner
def probe(
    buckets: KeyBuckets, batch: CandidateBatch, i: int, since: int, desk: ThreadMemory
) -> None:
    """Compare a text with the rows from `since` on that share a key with it.

    All lists are followed in step, and all headers are read before any entry. So the processor
    waits for many memory reads at once.
    """
    pool, ahead, headers, candidates = buckets.pool, desk.ahead, desk.headers, desk.candidates
    size = batch.texts.marks[i, LENGTH]
    count = look_up(buckets, batch, i, desk)
    fill(desk.seen)
    found = int(np.int64(0))  # for a bare 0, numba would compile another version
    while count > 0:
        for a in range(count):
            headers[a] = pool[ahead[a] >> 32]
        going = 0
        for a in range(count):
            if found + _MOST_ROOM > candidates.shape[0]:
                # One call for many candidates: to pass its arguments is slower than to compare.
                compare(buckets, batch, i, found, desk)
                found = int(np.int64(0))
            query = (ahead[a] >> 32, headers[a], since, size, ahead[a] & LOW_WORD)
            following, found = gather(pool, buckets.least, query, candidates, found)
            if following >= 0:
                ahead[going] = (following << 32) | query[4]
                going += 1
        count = going
    compare(buckets, batch, i, found, desk)
    if desk.are_set[0]:
        clear_masks(tokens_of(batch.texts, i), desk.masks)
        desk.are_set[0] = False


@inner
def look_up(buckets: KeyBuckets, batch: CandidateBatch, i: int, desk: ThreadMemory) -> int:
    """List the first node of each bucket that a text probes; returns the number of nodes.

    Each node is listed with the most tokens that the text can share if it has the key; 0 for keys
    that exclude no row.
    """
    keys, heads, ahead = batch.keys, buckets.heads, desk.ahead
    mask = heads.shape[0] - 1
    has_pairs = batch.texts.marks[i, LENGTH] + 0xFF < buckets.least.shape[0]
    telling_to = batch.spans[i, INSERTED] if has_pairs else 0
    count = 0
    for k in range(batch.spans[i, PROBED], batch.spans[i, TO]):
        head = heads[np.int64(keys[k]) & mask]
        if head >= 0:
            most = np.int64(keys[k] >> np.uint64(MOST_BITS)) if k < telling_to else 0
            ahead[count] = (np.int64(head) << 32) | most
            count += 1
    return count


@inner
def gather(
    pool: NDArray[np.int64],
    least: NDArray[np.int64],
    query: tuple[int, int, int, int, int],
    candidates: NDArray[np.int32],
    found: int,
) -> tuple[int, int]:
    """Add the rows of a node that can be similar to the candidates, the newest first.

    Args:
        pool: the nodes.
        least: the smallest LCS by total.
        query: the node, its header, the first row to compare, the text's number of tokens, and the
            most tokens that it can share if it has the key (0 to exclude no row).
        candidates: written.
        found: the number of candidates before.

    Returns:
        The next node, and the number of candidates.
    """
    node, header, since, size, most = query
    for e in range(node + (header & 0xFFFF), node, -1):
        entry = pool[e]
        row = entry >> 32
        if row < since:
            return -1, found
        if most == 0 or min(most, entry & 0xFF) >= least[size + ((entry >> 8) & 0xFF)]:
            candidates[found] = row
            found += 1
    return header >> 32, found


@compiled
def probe_batch(
    buckets: KeyBuckets,
    batch: CandidateBatch,
    which: tuple[int, int],
    since: int,
    desk: ThreadMemory,
) -> None:
    """Compare some texts of a batch with the rows from `since` on."""
    for i in range(which[0], which[1]):
        probe(buckets, batch, i, since, desk)


@inner
def link(buckets: KeyBuckets, row: int, keys: NDArray[np.uint64]) -> None:
    """Enter a row under its keys; the pool must have room for the nodes."""
    heads, pool, counts = buckets.heads, buckets.pool, buckets.counts
    mask = heads.shape[0] - 1
    size = min(buckets.rows.marks[row, LENGTH], 0xFF)  # entries of longer texts are never excluded
    entry = (row << 32) | (size << 8)
    for key in keys:
        bucket = np.int64(key) & mask
        node = np.int64(heads[bucket])
        room = 1
        if node >= 0:
            header = pool[node]
            room = (header >> 16) & 0xFFFF
            used = header & 0xFFFF
            if used < room:
                pool[node] = header + 1
                pool[node + used + 1] = entry | np.int64(key >> np.uint64(MOST_BITS))
                continue
            room = min(2 * room + 1, _MOST_ROOM)
        fresh = counts[POOL]
        pool[fresh] = (node << 32) | (room << 16) | 1
        pool[fresh + 1] = entry | np.int64(key >> np.uint64(MOST_BITS))
        heads[bucket] = fresh
        counts[POOL] = fresh + room + 1
    counts[ENTRIES] += keys.shape[0]


@compiled
def append(buckets: KeyBuckets, batch: CandidateBatch, which: tuple[int, int]) -> None:
    """Make some texts of a batch rows of the index, which must have room for them."""
    for i in range(which[0], which[1]):
        row, start = buckets.counts[ROWS], buckets.counts[TOKENS]
        tokens = tokens_of(batch.texts, i)
        for j in range(tokens.shape[0]):
            buckets.rows.tokens[start + j] = tokens[j]
        for column in (LOW, HIGH, LENGTH):
            buckets.rows.marks[row, column] = batch.texts.marks[i, column]
        buckets.rows.marks[row, START] = start
        buckets.counts[ROWS] = row + 1
        buckets.counts[TOKENS] = start + tokens.shape[0]
        link(buckets, row, batch.keys[batch.spans[i, FROM] : batch.spans[i, INSERTED]])


@compiled
def settle(
    buckets: KeyBuckets,
    batch: CandidateBatch,
    which: tuple[int, int],
    since: int,
    desk: ThreadMemory,
) -> None:
    """Check texts in their order against the rows from `since` on, and append each novel one."""
    for i in range(which[0], which[1]):
        probe(buckets, batch, i, since, desk)
        if batch.nearest[i] == -1:
            append(buckets, batch, (i, i + 1))


@compiled
def link_batch(buckets: KeyBuckets, batch: CandidateBatch, first_row: int) -> None:
    """Enter rows that the index already has under their keys; the batch holds these rows."""
    for i in range(batch.spans.shape[0]):
        keys = batch.keys[batch.spans[i, FROM] : batch.spans[i, INSERTED]]
        link(buckets, first_row + i, keys)
