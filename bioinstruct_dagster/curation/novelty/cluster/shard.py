"""What one Ray actor holds of the novelty index: the keys of its shard, and the texts under them.

An actor answers the driver about one block of texts at a time: which texts of the block are similar
to each other, and which repeat a kept text of an earlier block. It sees only its own keys, so its
answers are a part; the driver joins the parts of all actors.

Belongs here: the actor and its index. Does not: the order of the blocks and the verdicts (driver),
Ray (ray_cluster), or the loops (block_kernels).
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.novelty.pairs import NO_ROW, PairIndex
from bioinstruct_dagster.curation.tokens.vocabulary import EncodedTexts, Vocabulary

if TYPE_CHECKING:
    from bioinstruct_dagster.curation.novelty.cluster.block_kernels import SimilarPairs, TextLinks
    from bioinstruct_dagster.curation.novelty.key_kernels import CandidateBatch

_LEAST_PAIR_ROOM = 1 << 16


class TextOrder(NamedTuple):
    """By token: the hash and the rank, which must be equal in all shards.

    They determine which shard holds which key.
    """

    hashes: NDArray[np.uint64]
    ranks: NDArray[np.int64]  # lower where rarer in all texts


class KnownRepeats(NamedTuple):
    """The texts of a block that repeat a kept row of an earlier block: the row, and their F1."""

    places: NDArray[np.int64]
    rows: NDArray[np.int64]  # the row's number among all kept texts that the measure checks
    scores: NDArray[np.float64]


class Shard:
    """An actor: for each measure, an index with the keys of one shard.

    A block comes as one set of tokens for each measure, of the texts that the measure checks.
    """

    def __init__(
        self, shard: tuple[int, int], threshold: float, orders: Sequence[TextOrder]
    ) -> None:
        self._indexes = [
            ShardIndex(TextOrder(order.hashes.copy(), order.ranks.copy()), threshold, shard)
            for order in orders
        ]

    def start(self, seeds: Sequence[EncodedTexts]) -> None:
        """Index what is kept from the start."""
        for index, texts in zip(self._indexes, seeds, strict=True):
            index.start(_writable_copy(texts))

    def take_block(self, block: Sequence[EncodedTexts]) -> "list[SimilarPairs]":
        """Take the next block; by measure, its similar pairs, as far as this shard's keys show."""
        return [
            index.take_block(_writable_copy(texts))
            for index, texts in zip(self._indexes, block, strict=True)
        ]

    def find_repeats(self, kept: Sequence[NDArray[np.bool_]]) -> list[KnownRepeats]:
        """Index the kept texts of the previous block; by measure, what the next block repeats."""
        return [index.find_repeats(which) for index, which in zip(self._indexes, kept, strict=True)]


class ShardIndex(PairIndex):
    """An index of one shard's keys, which writes the keys of each text only once.

    Ranks never change here. So the keys by which the texts of a block are compared are also the
    keys under which the kept texts are entered. Texts without a key in this shard are not stored.
    """

    def __init__(self, order: TextOrder, threshold: float, shard: tuple[int, int]) -> None:
        vocabulary = cast("Vocabulary", NumberedVocabulary(order.hashes))
        super().__init__(vocabulary, threshold, shard=shard, threads=1)
        self._ranks = order.ranks
        self._ranked_texts = sys.maxsize  # never rank again
        self._kept = 0
        self._numbers = np.empty(0, np.int64)  # by row: its number among all that are kept
        self._current_block: CandidateBatch | None = None
        self._next_block: CandidateBatch | None = None

    def start(self, texts: EncodedTexts) -> None:
        """Index what is kept from the start."""
        self.add(texts)
        self._kept = len(self)
        self._numbers = np.arange(self._kept)

    def take_block(self, texts: EncodedTexts) -> "SimilarPairs":
        """Take the next block; its similar pairs, as far as the keys of this shard show them."""
        from bioinstruct_dagster.curation.novelty.cluster.block_kernels import (
            SimilarPairs,
            list_pairs,
        )

        size = len(texts.offsets) - 1
        self._prepare(texts)
        batch = self._next_block = self._batch(texts, 0, size)
        self._compare(batch, 0, probing=False)
        links = _empty_links(size, _key_count(batch, np.ones(size, np.bool_)), self._threshold)
        room = _empty_pairs(max(_LEAST_PAIR_ROOM, size))
        found = [_empty_pairs(0)]
        done = entries = 0
        while done < size:
            done, entries, count = list_pairs(
                batch, (done, entries), self._memories[0], links, room
            )
            found.append(
                SimilarPairs(
                    room.first[:count].copy(),
                    room.second[:count].copy(),
                    room.scores[:count].copy(),
                )
            )
        return SimilarPairs(
            np.concatenate([part.first for part in found]),
            np.concatenate([part.second for part in found]),
            np.concatenate([part.scores for part in found]),
        )

    def find_repeats(self, kept: NDArray[np.bool_]) -> KnownRepeats:
        """Index the kept texts of the previous block; then find what the taken block repeats."""
        from bioinstruct_dagster.curation.novelty.pair_kernels import probe_batch

        if self._current_block is not None:
            self._enter_kept(self._current_block, kept)
        batch, self._current_block, self._next_block = self._next_block, self._next_block, None
        if batch is None:
            raise RuntimeError("No block was taken.")
        probe_batch(self._buckets(), batch, (0, len(batch.nearest)), 0, self._memories[0])
        places = np.flatnonzero(batch.nearest != NO_ROW)
        return KnownRepeats(places, self._numbers[batch.nearest[places]], batch.scores[places])

    def _enter_kept(self, batch: "CandidateBatch", kept: NDArray[np.bool_]) -> None:
        from bioinstruct_dagster.curation.novelty.cluster.block_kernels import append_kept

        numbers = self._kept + np.cumsum(kept) - 1
        self._kept += int(np.count_nonzero(kept))
        held = kept & (batch.spans[:, 2] > batch.spans[:, 0])
        lengths = batch.texts.marks[held, 2]
        before, after = len(self), len(self) + len(lengths)
        self._reserve(len(lengths), int(lengths.sum()), _key_count(batch, held))
        append_kept(self._buckets(), batch, held)
        if after > len(self._numbers):
            more = np.empty(after, np.int64)
            self._numbers = np.concatenate([self._numbers[:before], more])
        self._numbers[before:after] = numbers[held]


class NumberedVocabulary:
    """The part of a vocabulary that an index needs; the driver has numbered the tokens."""

    def __init__(self, hashes: NDArray[np.uint64]) -> None:
        self.hashes = hashes

    def __len__(self) -> int:
        return len(self.hashes)


def _key_count(batch: "CandidateBatch", which: NDArray[np.bool_]) -> int:
    """The number of keys under which these texts of a batch are entered."""
    return int((batch.spans[which, 2] - batch.spans[which, 0]).sum())


def _empty_links(texts: int, entries: int, threshold: float) -> "TextLinks":
    from bioinstruct_dagster.curation.novelty.cluster.block_kernels import TextLinks

    return TextLinks(
        np.full(1 << max(entries, 1).bit_length(), -1, np.int32),
        np.empty(entries, np.int32),
        np.empty(entries, np.int32),
        np.full(texts, -1, np.int32),
        threshold,
    )


def _empty_pairs(size: int) -> "SimilarPairs":
    from bioinstruct_dagster.curation.novelty.cluster.block_kernels import SimilarPairs

    return SimilarPairs(np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size))


def _writable_copy(texts: EncodedTexts) -> EncodedTexts:
    # Arrays that come through Ray are read-only, and numba would compile all loops again for them.
    return EncodedTexts(texts.tokens.copy(), texts.offsets.copy())
