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

from bioinstruct_dagster.curation.novelty.pairs import NOVEL, PairIndex
from bioinstruct_dagster.curation.tokens.vocabulary import EncodedTexts, Vocabulary

if TYPE_CHECKING:
    from bioinstruct_dagster.curation.novelty.cluster.block_kernels import SimilarPairs, TextLinks
    from bioinstruct_dagster.curation.novelty.key_kernels import CandidateBatch

_FEWEST_PAIRS = 1 << 16


class TextOrder(NamedTuple):
    """By token: what all shards must agree on, so that one of them has each key."""

    hashes: NDArray[np.uint64]
    ranks: NDArray[np.int64]  # lower where rarer in all texts


class KnownRepeats(NamedTuple):
    """By text of a block, for those only that repeat a row: which row, and their F1."""

    places: NDArray[np.int64]
    rows: NDArray[np.int64]  # by number among all kept texts that the measure is for
    scores: NDArray[np.float64]


class Shard:
    """What one actor holds: an index per measure, of the keys of its shard.

    Blocks come as the tokens of each measure, for those of its texts that the measure is for.
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
            index.start(_own(texts))

    def take(self, block: Sequence[EncodedTexts]) -> "list[SimilarPairs]":
        """Take the next block, and say which of its texts are similar, whatever is kept."""
        return [index.take(_own(texts)) for index, texts in zip(self._indexes, block, strict=True)]

    def look(self, kept: Sequence[NDArray[np.bool_]]) -> list[KnownRepeats]:
        """Index what was kept of the block before; then which rows the next block repeats."""
        return [index.look(which) for index, which in zip(self._indexes, kept, strict=True)]


class ShardIndex(PairIndex):
    """An index of one shard's keys that writes the keys of each text once.

    Ranks never change, so the keys that a block's texts are compared by are those that the kept
    ones are entered under. Texts that have no key in this shard are not held.
    """

    def __init__(self, order: TextOrder, threshold: float, shard: tuple[int, int]) -> None:
        vocabulary = cast("Vocabulary", NumberedVocabulary(order.hashes))
        super().__init__(vocabulary, threshold, shard=shard, threads=1)
        self._ranks = order.ranks
        self._ranked_texts = sys.maxsize  # never rank again
        self._kept = 0
        self._numbers = np.empty(0, np.int64)  # by row: its number among all that are kept
        self._now: CandidateBatch | None = None
        self._next: CandidateBatch | None = None

    def start(self, texts: EncodedTexts) -> None:
        """Index what is kept from the start."""
        self.add(texts)
        self._kept = len(self)
        self._numbers = np.arange(self._kept)

    def take(self, texts: EncodedTexts) -> "SimilarPairs":
        """Take the next block; its similar texts, as far as the keys of this shard show them."""
        from bioinstruct_dagster.curation.novelty.cluster.block_kernels import (
            SimilarPairs,
            list_pairs,
        )

        size = len(texts.offsets) - 1
        self._prepare(texts)
        batch = self._next = self._batch(texts, 0, size)
        self._compare(batch, 0, probing=False)
        links = _links(size, _keys_of(batch, np.ones(size, np.bool_)), self._threshold)
        room = _room_for_pairs(max(_FEWEST_PAIRS, size))
        found = [_room_for_pairs(0)]
        done = entries = 0
        while done < size:
            done, entries, count = list_pairs(batch, (done, entries), self._desks[0], links, room)
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

    def look(self, kept: NDArray[np.bool_]) -> KnownRepeats:
        """Index what was kept of the block before; then which rows the one taken repeats."""
        from bioinstruct_dagster.curation.novelty.pair_kernels import probe_batch

        if self._now is not None:
            self._enter(self._now, kept)
        batch, self._now, self._next = self._next, self._next, None
        if batch is None:
            raise RuntimeError("No block was taken.")
        probe_batch(self._buckets(), batch, (0, len(batch.nearest)), 0, self._desks[0])
        places = np.flatnonzero(batch.nearest != NOVEL)
        return KnownRepeats(places, self._numbers[batch.nearest[places]], batch.scores[places])

    def _enter(self, batch: "CandidateBatch", kept: NDArray[np.bool_]) -> None:
        from bioinstruct_dagster.curation.novelty.cluster.block_kernels import append_kept

        numbers = self._kept + np.cumsum(kept) - 1
        self._kept += int(np.count_nonzero(kept))
        held = kept & (batch.spans[:, 2] > batch.spans[:, 0])
        lengths = batch.texts.marks[held, 2]
        before, after = len(self), len(self) + len(lengths)
        self._reserve(len(lengths), int(lengths.sum()), _keys_of(batch, held))
        append_kept(self._buckets(), batch, held)
        if after > len(self._numbers):
            more = np.empty(after, np.int64)
            self._numbers = np.concatenate([self._numbers[:before], more])
        self._numbers[before:after] = numbers[held]


class NumberedVocabulary:
    """A vocabulary as far as an index needs it: the tokens were numbered elsewhere."""

    def __init__(self, hashes: NDArray[np.uint64]) -> None:
        self.hashes = hashes

    def __len__(self) -> int:
        return len(self.hashes)


def _keys_of(batch: "CandidateBatch", which: NDArray[np.bool_]) -> int:
    """Keys that these texts of a batch are entered under."""
    return int((batch.spans[which, 2] - batch.spans[which, 0]).sum())


def _links(texts: int, entries: int, threshold: float) -> "TextLinks":
    from bioinstruct_dagster.curation.novelty.cluster.block_kernels import TextLinks

    return TextLinks(
        np.full(1 << max(entries, 1).bit_length(), -1, np.int32),
        np.empty(entries, np.int32),
        np.empty(entries, np.int32),
        np.full(texts, -1, np.int32),
        threshold,
    )


def _room_for_pairs(size: int) -> "SimilarPairs":
    from bioinstruct_dagster.curation.novelty.cluster.block_kernels import SimilarPairs

    return SimilarPairs(np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size))


def _own(texts: EncodedTexts) -> EncodedTexts:
    # What comes through Ray is read-only, and all loops would be compiled once more for that.
    return EncodedTexts(texts.tokens.copy(), texts.offsets.copy())
