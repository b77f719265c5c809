"""The rule of novelty over several machines: the same join, its keys shared among Ray actors.

Each actor holds the keys of one shard, by the hash of a pair's rarer token. The driver goes block
by block: every actor answers which kept row of an earlier block each text repeats, as far as its
keys show, and which texts of the block are similar to each other; the driver takes the best of all
answers, settles the block in its order, and tells the actors which texts are kept. What is similar
inside a block does not hang on what is kept, so actors list it while the driver settles the block
before. Belongs here: who does what. Does not: reaching a cluster (ray_cluster), the join (pairs),
or its loops (pair_kernels, sharded_kernels).
"""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.novelty.cluster.ray_cluster import LOCAL, actors_of, connected
from bioinstruct_dagster.curation.novelty.pairs import NOVEL, PairIndex
from bioinstruct_dagster.curation.novelty.rule import (
    THRESHOLD,
    NamedInstruction,
    NoveltyColumns,
    NoveltyVerdict,
    for_second_measure,
    verdicts_of,
)
from bioinstruct_dagster.curation.tokens.vocabulary import EncodedTexts, Vocabulary

if TYPE_CHECKING:
    from bioinstruct_dagster.curation.novelty.cluster.sharded_kernels import SimilarPairs, TextLinks
    from bioinstruct_dagster.curation.novelty.key_kernels import CandidateBatch

BLOCK = 8_192  # texts settled at once; any number gives the same result
_FEWEST_PAIRS = 1 << 16


class TextOrder(NamedTuple):
    """By token: what all shards must agree on, so that one of them has each key."""

    hashes: NDArray[np.uint64]
    ranks: NDArray[np.int64]  # lower where rarer in all texts


class MeasuredTexts(NamedTuple):
    """Seeds and texts as one measure sees them; it may be for some of them only."""

    members: NDArray[np.int64]  # which, in ascending order
    texts: EncodedTexts
    order: TextOrder

    def part(self, start: int, stop: int) -> tuple[NDArray[np.int64], EncodedTexts]:
        """The members from `start` to before `stop`, by place from `start` on; and their tokens."""
        first, last = np.searchsorted(self.members, (start, stop))
        return self.members[first:last] - start, self.texts.part(int(first), int(last))


class KnownRepeats(NamedTuple):
    """By text of a block, for those only that repeat a row: which row, and their F1."""

    places: NDArray[np.int64]
    rows: NDArray[np.int64]  # by number among all kept texts that the measure is for
    scores: NDArray[np.float64]


def check_sharded(
    seeds: Sequence[str],
    texts: Sequence[str],
    workers: int,
    address: str = LOCAL,
    *,
    threshold: float = THRESHOLD,
    block: int = BLOCK,
) -> NoveltyColumns:
    """Check texts in their order, as one process would.

    Args:
        seeds: kept from the start.
        texts: checked; each novel one joins what later ones are compared with.
        workers: actors, one processor each.
        address: of a Ray cluster, or `local`.
        threshold: a ROUGE-L F1 above it is a repetition.
        block: texts settled at once.

    Raises:
        RayClusterError: the cluster can't be used.
    """
    measures = _measured(seeds, texts)
    with connected(address, workers) as ray:
        orders = ray.put([measure.order for measure in measures])
        arguments = [((k, workers), threshold, orders) for k in range(workers)]
        with actors_of(ray, address, Shard, arguments) as actors:
            return _Driver(ray, actors, measures, len(seeds)).check(len(texts), block)


def check_on_cluster(
    kept: Sequence[NamedInstruction],
    candidates: Sequence[NamedInstruction],
    *,
    workers: int,
    address: str,
) -> list[NoveltyVerdict]:
    """Check candidates on a Ray cluster, against seeds and rows kept before; see check_sharded."""
    instructions = [candidate.instruction for candidate in candidates]
    checked = check_sharded([text.instruction for text in kept], instructions, workers, address)
    ids = [text.id for text in kept] + [
        candidates[n].id for n in np.flatnonzero(checked.novel).tolist()
    ]
    return verdicts_of(candidates, checked, ids)


class _Driver:
    """Goes through the blocks; knows what is kept, and no keys."""

    def __init__(
        self, ray: Any, actors: Sequence[Any], measures: Sequence[MeasuredTexts], seeds: int
    ) -> None:
        self._ray = ray
        self._actors = actors
        self._measures = measures
        self._seeds = seeds
        self._kept = seeds
        # By measure and row of its index: the row's number among all that are kept; and how many.
        self._numbers = [np.empty_like(measure.members) for measure in measures]
        self._entered = [0 for _ in measures]
        for m, measure in enumerate(measures):
            self._enter(m, measure.part(0, seeds)[0])

    def check(self, texts: int, block: int) -> NoveltyColumns:
        """Check the texts after the seeds."""
        checked = NoveltyColumns(
            np.empty(texts, np.bool_),
            np.empty(texts, np.int64),
            np.empty(texts),
            np.empty(texts, np.bool_),
        )
        self._ask("start", self._sent(0, self._seeds))
        kept = [np.empty(0, np.bool_) for _ in self._measures]
        ends = [*range(block, texts, block), texts] if texts else []
        sent = self._sent(self._seeds, self._seeds + min(block, texts))
        listing = self._ask("take", sent)
        for start, stop in zip([0, *ends], ends, strict=False):
            looking = self._ask("look", kept)
            listed = listing
            if stop < texts:
                first = self._seeds + stop
                sent = self._sent(first, first + min(block, texts - stop))
                listing = self._ask("take", sent)
            where = slice(start, stop)
            kept = self._settle(
                NoveltyColumns(
                    checked.novel[where],
                    checked.nearest[where],
                    checked.scores[where],
                    checked.second[where],
                ),
                self._seeds + start,
                self._ray.get(looking),
                self._ray.get(listed),
            )
        return checked

    def _sent(self, start: int, stop: int) -> Any:
        """The tokens of a block, where all actors can read them."""
        return self._ray.put([measure.part(start, stop)[1] for measure in self._measures])

    def _ask(self, method: str, *arguments: Any) -> list[Any]:
        return [getattr(actor, method).remote(*arguments) for actor in self._actors]

    def _settle(
        self,
        checked: NoveltyColumns,
        start: int,
        known: "Sequence[Sequence[KnownRepeats]]",
        listed: "Sequence[Sequence[SimilarPairs]]",
    ) -> list[NDArray[np.bool_]]:
        """Check a block by what all actors say of it; which members of each measure are kept."""
        from bioinstruct_dagster.curation.novelty.cluster.sharded_kernels import (
            NearestKept,
            settle_block,
        )

        size = len(checked.novel)
        places = [measure.part(start, start + size)[0] for measure in self._measures]
        shape = (len(places), size)
        standing = NearestKept(np.full(shape, -1, np.int64), np.zeros(shape))
        for m in range(len(places)):
            for said in known:
                self._note(standing.rows[m], standing.scores[m], places[m], said[m], m)
        measures, pairs = _in_order(listed, places)
        numbers = np.empty(size, np.int64)
        self._kept = settle_block(standing, measures, pairs, self._kept, numbers)
        # As in one process, the second measure has its say where the first finds nothing.
        checked.second[:] = False
        checked.second[places[1]] = standing.rows[0, places[1]] < 0
        by = checked.second.astype(np.int64)
        checked.novel[:] = numbers >= 0
        checked.nearest[:] = standing.rows[by, np.arange(size)]
        checked.scores[:] = standing.scores[by, np.arange(size)]
        kept = [checked.novel[members] for members in places]
        for m, members in enumerate(places):
            self._enter(m, numbers[members[kept[m]]])
        return kept

    def _enter(self, m: int, numbers: NDArray[np.int64]) -> None:
        start = self._entered[m]
        self._entered[m] = start + len(numbers)
        self._numbers[m][start : self._entered[m]] = numbers

    def _note(
        self,
        rows: NDArray[np.int64],
        scores: NDArray[np.float64],
        places: NDArray[np.int64],
        said: KnownRepeats,
        m: int,
    ) -> None:
        """Take what an actor found where it is nearer, or as near and earlier."""
        where, found = places[said.places], self._numbers[m][said.rows]
        nearer = said.scores > scores[where]
        nearer |= (said.scores == scores[where]) & (found < rows[where])
        rows[where[nearer]] = found[nearer]
        scores[where[nearer]] = said.scores[nearer]


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
        from bioinstruct_dagster.curation.novelty.cluster.sharded_kernels import (
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
        from bioinstruct_dagster.curation.novelty.cluster.sharded_kernels import append_kept

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


def _in_order(
    listed: "Sequence[Sequence[SimilarPairs]]", places: Sequence[NDArray[np.int64]]
) -> "tuple[NDArray[np.int8], SimilarPairs]":
    """All pairs that actors list, by the later text, then by the earlier; and their measures."""
    from bioinstruct_dagster.curation.novelty.cluster.sharded_kernels import SimilarPairs

    found = [
        (np.full(len(said[m].scores), m, np.int8), members[said[m].first], members[said[m].second])
        for said in listed
        for m, members in enumerate(places)
    ]
    measures = np.concatenate([part[0] for part in found])
    first = np.concatenate([part[1] for part in found]).astype(np.int32)
    second = np.concatenate([part[2] for part in found]).astype(np.int32)
    scores = np.concatenate([part.scores for said in listed for part in said])
    order = np.lexsort((first, second))
    return measures[order], SimilarPairs(first[order], second[order], scores[order])


def _keys_of(batch: "CandidateBatch", which: NDArray[np.bool_]) -> int:
    """Keys that these texts of a batch are entered under."""
    return int((batch.spans[which, 2] - batch.spans[which, 0]).sum())


def _links(texts: int, entries: int, threshold: float) -> "TextLinks":
    from bioinstruct_dagster.curation.novelty.cluster.sharded_kernels import TextLinks

    return TextLinks(
        np.full(1 << max(entries, 1).bit_length(), -1, np.int32),
        np.empty(entries, np.int32),
        np.empty(entries, np.int32),
        np.full(texts, -1, np.int32),
        threshold,
    )


def _room_for_pairs(size: int) -> "SimilarPairs":
    from bioinstruct_dagster.curation.novelty.cluster.sharded_kernels import SimilarPairs

    return SimilarPairs(np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size))


def _own(texts: EncodedTexts) -> EncodedTexts:
    # What comes through Ray is read-only, and all loops would be compiled once more for that.
    return EncodedTexts(texts.tokens.copy(), texts.offsets.copy())


def in_order_of_rarity(vocabulary: Vocabulary, texts: EncodedTexts) -> TextOrder:
    """An order of the tokens of these texts in which the rarest come first."""
    counts = np.bincount(texts.tokens, minlength=len(vocabulary))
    ranks = np.empty(len(vocabulary), np.int64)
    ranks[np.argsort(counts, kind="stable")] = np.arange(len(vocabulary))
    return TextOrder(vocabulary.hashes, ranks)


def _measured(seeds: Sequence[str], texts: Sequence[str]) -> list[MeasuredTexts]:
    """Seeds and texts by `rouge_score`'s tokens, and those that need it by the second measure's."""
    everything = [*seeds, *texts]
    vocabulary, second_vocabulary = Vocabulary(), Vocabulary()
    first = vocabulary.encode(everything)
    members = for_second_measure(everything, first)
    second = second_vocabulary.encode_unicode([everything[i] for i in members])
    return [
        MeasuredTexts(np.arange(len(everything)), first, in_order_of_rarity(vocabulary, first)),
        MeasuredTexts(
            np.array(members, np.int64), second, in_order_of_rarity(second_vocabulary, second)
        ),
    ]
