"""The loops that only the join on a cluster needs, compiled. Import inside functions only.

Belongs here: listing the similar pairs within a block of texts, and settling a block. Does not: the
index and its probing (pair_kernels), or the callers of these loops (driver, shard).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.novelty.key_kernels import (
    FROM,
    INSERTED,
    LENGTH,
    PROBED,
    TO,
    CandidateBatch,
    ThreadMemory,
    tokens_of,
)
from bioinstruct_dagster.curation.novelty.pair_kernels import (
    KeyBuckets,
    append,
    least_lcs,
    most_in_common,
)
from bioinstruct_dagster.curation.tokens.compilation import compiled
from bioinstruct_dagster.curation.tokens.lcs_kernels import (
    WORD,
    clear_masks,
    f1_of,
    lcs_in_word,
    lcs_in_words,
    set_masks,
)


class TextLinks(NamedTuple):
    """Texts of one block by key: a list per bucket, the latest text first."""

    heads: NDArray[np.int32]  # by bucket: its first entry, -1 if empty; a power of two in number
    places: NDArray[np.int32]  # by entry: its text
    following: NDArray[np.int32]  # by entry: the next entry, or -1
    seen: NDArray[np.int32]  # by text: the last text that was compared with it
    threshold: float


class SimilarPairs(NamedTuple):
    """Similar texts of one block, by their places in it."""

    first: NDArray[np.int32]
    second: NDArray[np.int32]  # the later one, which repeats the first
    scores: NDArray[np.float64]


class NearestKept(NamedTuple):
    """By measure and text of a block: the most similar kept row, and their F1."""

    rows: NDArray[np.int64]  # the row's number among all kept rows; -1 if no row is similar
    scores: NDArray[np.float64]


@compiled
def list_pairs(
    batch: CandidateBatch,
    begin: tuple[int, int],
    desk: ThreadMemory,
    links: TextLinks,
    pairs: SimilarPairs,
) -> tuple[int, int, int]:
    """List the pairs of each text with earlier texts, then enter the text under its keys.

    A copy of an earlier text is not entered. The copy is dropped in any case, so no later text can
    repeat it.

    Args:
        batch: the block, with its keys written.
        begin: the text to continue with, and the number of entries in the links.
        desk: memory to work in.
        links: of the earlier texts.
        pairs: written.

    Returns:
        The text before which `pairs` was full, the number of entries, the number of pairs.
    """
    mask = links.heads.shape[0] - 1
    marks = batch.texts.marks
    i, entries = begin
    count = 0
    while i < marks.shape[0] and i <= pairs.first.shape[0] - count:
        size, is_copy, is_set = marks[i, LENGTH], False, False
        for k in range(batch.spans[i, PROBED], batch.spans[i, TO]):
            entry = links.heads[np.int64(batch.keys[k]) & mask]
            while entry >= 0:
                other, entry = links.places[entry], links.following[entry]
                if links.seen[other] == i:
                    continue
                links.seen[other] = i
                total = size + marks[other, LENGTH]
                if most_in_common(marks, i, marks, other) < least_lcs(total, links.threshold):
                    continue
                if not is_set:
                    set_masks(tokens_of(batch.texts, i), desk.masks)
                    is_set = True
                lcs = common(tokens_of(batch.texts, other), size, desk)
                score = f1_of(lcs, size, total - size)
                if score > links.threshold:
                    pairs.first[count], pairs.second[count] = other, i
                    pairs.scores[count] = score
                    count += 1
                    is_copy |= 2 * lcs == total
        if is_set:
            clear_masks(tokens_of(batch.texts, i), desk.masks)
        if not is_copy:
            entries = enter(batch, i, links, entries)
        i += 1
    return i, entries, count


@compiled
def common(other: NDArray[np.int32], size: int, desk: ThreadMemory) -> int:
    """LCS of a text with the text of the masks, which has `size` tokens."""
    if size <= WORD:
        return lcs_in_word(other, desk.masks)
    return lcs_in_words(other, desk.masks, size)


@compiled
def enter(batch: CandidateBatch, i: int, links: TextLinks, entries: int) -> int:
    """Enter a text under its keys; returns the new number of entries."""
    mask = links.heads.shape[0] - 1
    for k in range(batch.spans[i, FROM], batch.spans[i, INSERTED]):
        bucket = np.int64(batch.keys[k]) & mask
        links.places[entries] = i
        links.following[entries] = links.heads[bucket]
        links.heads[bucket] = entries
        entries += 1
    return entries


@compiled
def append_kept(buckets: KeyBuckets, batch: CandidateBatch, kept: NDArray[np.bool_]) -> None:
    """Make these texts of a batch rows of the index, which must have room for them."""
    for i in range(kept.shape[0]):
        if kept[i]:
            append(buckets, batch, (i, i + 1))


@compiled
def settle_block(
    standing: NearestKept,
    measures: NDArray[np.int8],
    pairs: SimilarPairs,
    following: int,
    numbers: NDArray[np.int64],
) -> int:
    """Check the texts of a block in their order, against kept rows of all blocks up to this one.

    Args:
        standing: the nearest kept rows of earlier blocks; rows of this block are added.
        measures: by pair.
        pairs: by their second text, then by their first.
        following: the number of the next row that is kept.
        numbers: written; by text, its number as a kept row, or -1 if it is dropped.

    Returns:
        The number of the next row that is kept.
    """
    p = 0
    for i in range(numbers.shape[0]):
        while p < measures.shape[0] and pairs.second[p] == i:
            row, measure = numbers[pairs.first[p]], measures[p]
            if row >= 0 and pairs.scores[p] > standing.scores[measure, i]:
                standing.rows[measure, i] = row
                standing.scores[measure, i] = pairs.scores[p]
            p += 1
        numbers[i] = -1
        if standing.rows[0, i] < 0 and standing.rows[1, i] < 0:
            numbers[i] = following
            following += 1
    return following
