"""The novelty rule on several machines: the same join, with its keys divided among Ray actors.

Each actor holds the keys of one shard, by the hash of the rarer token of a pair. The driver sends
the texts block by block. For each block, every actor answers two questions, as far as its keys
show: which kept row of an earlier block does each text repeat, and which texts of the block are
similar to each other? The driver takes the best of all answers, checks the block in its order, and
tells the actors which texts are kept. Similarity within a block does not depend on which rows are
kept, so actors list similar pairs while the driver checks the previous block.

Belongs here: the order of the blocks, and the verdicts. Does not: the work of an actor (shard),
connecting to a cluster (ray_cluster), the join (pairs), or the loops (block_kernels).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.novelty.cluster.ray_cluster import (
    LOCAL_CLUSTER,
    ray_connection,
    running_actors,
)
from bioinstruct_dagster.curation.novelty.cluster.shard import KnownRepeats, Shard, TextOrder
from bioinstruct_dagster.curation.novelty.rule import (
    MEASURES,
    THRESHOLD,
    NamedInstruction,
    NoveltyColumns,
    NoveltyVerdict,
    encode_for,
    members_of_measures,
    verdicts_of,
)
from bioinstruct_dagster.curation.tokens.vocabulary import EncodedTexts, Vocabulary

if TYPE_CHECKING:
    from bioinstruct_dagster.curation.novelty.cluster.block_kernels import SimilarPairs

BLOCK = 8_192  # texts checked at once; any number gives the same result


class MeasuredTexts(NamedTuple):
    """The seeds and texts that one measure checks, as its tokens."""

    members: NDArray[np.int64]  # which, in ascending order
    texts: EncodedTexts
    order: TextOrder

    def part(self, start: int, stop: int) -> tuple[NDArray[np.int64], EncodedTexts]:
        """The members from `start` to before `stop`, by place from `start` on; and their tokens."""
        first, last = np.searchsorted(self.members, (start, stop))
        return self.members[first:last] - start, self.texts.part(int(first), int(last))


def check_sharded(
    seeds: Sequence[str],
    texts: Sequence[str],
    workers: int,
    address: str = LOCAL_CLUSTER,
    *,
    threshold: float = THRESHOLD,
    block: int = BLOCK,
) -> NoveltyColumns:
    """Check texts in their order on a cluster; the verdicts are the same as in one process.

    Args:
        seeds: kept from the start.
        texts: the texts to check; later texts are compared with each novel one too.
        workers: number of actors; each uses one processor.
        address: of a Ray cluster, or `local`.
        threshold: a ROUGE-L F1 above it is a repetition.
        block: texts checked at once.

    Raises:
        RayClusterError: the cluster can't be used.
    """
    measures = _measure_texts(seeds, texts)
    with ray_connection(address, workers) as ray:
        orders = ray.put([measure.order for measure in measures])
        arguments = [((k, workers), threshold, orders) for k in range(workers)]
        with running_actors(ray, address, Shard, arguments) as actors:
            return _Driver(ray, actors, measures, len(seeds)).check(len(texts), block)


def check_on_cluster(
    kept: Sequence[NamedInstruction],
    candidates: Sequence[NamedInstruction],
    *,
    workers: int,
    address: str,
    threshold: float = THRESHOLD,
) -> list[NoveltyVerdict]:
    """Check candidates on a Ray cluster, against seeds and rows kept before, by check_sharded."""
    instructions = [candidate.instruction for candidate in candidates]
    checked = check_sharded(
        [text.instruction for text in kept], instructions, workers, address, threshold=threshold
    )
    ids = [text.id for text in kept] + [
        candidates[n].id for n in np.flatnonzero(checked.novel).tolist()
    ]
    return verdicts_of(candidates, checked, ids)


class _Driver:
    """Sends the blocks to the actors and decides which texts are kept; it holds no keys."""

    def __init__(
        self, ray: Any, actors: Sequence[Any], measures: Sequence[MeasuredTexts], seeds: int
    ) -> None:
        self._ray = ray
        self._actors = actors
        self._measures = measures
        self._seeds = seeds
        self._kept = seeds
        # By measure and row of its index: the row's number among all kept rows. And how many rows.
        self._numbers = [np.empty_like(measure.members) for measure in measures]
        self._entered = [0 for _ in measures]
        for m, measure in enumerate(measures):
            self._enter_numbers(m, measure.part(0, seeds)[0])

    def check(self, texts: int, block: int) -> NoveltyColumns:
        """Check the texts after the seeds."""
        checked = NoveltyColumns(
            np.empty(texts, np.bool_),
            np.empty(texts, np.int64),
            np.empty(texts),
            np.empty(texts, np.bool_),
        )
        self._call_actors("start", self._put_block(0, self._seeds))
        kept = [np.empty(0, np.bool_) for _ in self._measures]
        ends = [*range(block, texts, block), texts] if texts else []
        sent = self._put_block(self._seeds, self._seeds + min(block, texts))
        listing = self._call_actors("take_block", sent)
        for start, stop in zip([0, *ends], ends, strict=False):
            looking = self._call_actors("find_repeats", kept)
            listed = listing
            if stop < texts:
                first = self._seeds + stop
                sent = self._put_block(first, first + min(block, texts - stop))
                listing = self._call_actors("take_block", sent)
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

    def _put_block(self, start: int, stop: int) -> Any:
        """Put the tokens of a block into Ray's store, where all actors can read them."""
        return self._ray.put([measure.part(start, stop)[1] for measure in self._measures])

    def _call_actors(self, method: str, *arguments: Any) -> list[Any]:
        return [getattr(actor, method).remote(*arguments) for actor in self._actors]

    def _settle(
        self,
        checked: NoveltyColumns,
        start: int,
        known: "Sequence[Sequence[KnownRepeats]]",
        listed: "Sequence[Sequence[SimilarPairs]]",
    ) -> list[NDArray[np.bool_]]:
        """Check a block by the answers of all actors; returns the kept members of each measure."""
        from bioinstruct_dagster.curation.novelty.cluster.block_kernels import (
            NearestKept,
            settle_block,
        )

        size = len(checked.novel)
        places = [measure.part(start, start + size)[0] for measure in self._measures]
        shape = (len(places), size)
        standing = NearestKept(np.full(shape, -1, np.int64), np.zeros(shape))
        for m in range(len(places)):
            for repeats in known:
                self._note_repeats(standing.rows[m], standing.scores[m], places[m], repeats[m], m)
        measures, pairs = _sorted_pairs(listed, places)
        numbers = np.empty(size, np.int64)
        self._kept = settle_block(standing, measures, pairs, self._kept, numbers)
        checked.second[:] = False
        checked.second[places[1]] = True
        by = checked.second.astype(np.int64)
        checked.novel[:] = numbers >= 0
        checked.nearest[:] = standing.rows[by, np.arange(size)]
        checked.scores[:] = standing.scores[by, np.arange(size)]
        kept = [checked.novel[members] for members in places]
        for m, members in enumerate(places):
            self._enter_numbers(m, numbers[members[kept[m]]])
        return kept

    def _enter_numbers(self, m: int, numbers: NDArray[np.int64]) -> None:
        start = self._entered[m]
        self._entered[m] = start + len(numbers)
        self._numbers[m][start : self._entered[m]] = numbers

    def _note_repeats(
        self,
        rows: NDArray[np.int64],
        scores: NDArray[np.float64],
        places: NDArray[np.int64],
        repeats: KnownRepeats,
        m: int,
    ) -> None:
        """Note the answers of an actor that are nearer, or equally near and earlier."""
        where, found = places[repeats.places], self._numbers[m][repeats.rows]
        nearer = repeats.scores > scores[where]
        nearer |= (repeats.scores == scores[where]) & (found < rows[where])
        rows[where[nearer]] = found[nearer]
        scores[where[nearer]] = repeats.scores[nearer]


def _sorted_pairs(
    listed: "Sequence[Sequence[SimilarPairs]]", places: Sequence[NDArray[np.int64]]
) -> "tuple[NDArray[np.int8], SimilarPairs]":
    """The pairs of all actors, sorted by the later text, then by the earlier; their measures."""
    from bioinstruct_dagster.curation.novelty.cluster.block_kernels import SimilarPairs

    found = [
        (
            np.full(len(repeats[m].scores), m, np.int8),
            members[repeats[m].first],
            members[repeats[m].second],
        )
        for repeats in listed
        for m, members in enumerate(places)
    ]
    measures = np.concatenate([part[0] for part in found])
    first = np.concatenate([part[1] for part in found]).astype(np.int32)
    second = np.concatenate([part[2] for part in found]).astype(np.int32)
    scores = np.concatenate([part.scores for repeats in listed for part in repeats])
    order = np.lexsort((first, second))
    return measures[order], SimilarPairs(first[order], second[order], scores[order])


def order_by_rarity(vocabulary: Vocabulary, texts: EncodedTexts) -> TextOrder:
    """An order of the tokens of these texts in which the rarest come first."""
    counts = np.bincount(texts.tokens, minlength=len(vocabulary))
    ranks = np.empty(len(vocabulary), np.int64)
    ranks[np.argsort(counts, kind="stable")] = np.arange(len(vocabulary))
    return TextOrder(vocabulary.hashes, ranks)


def _measure_texts(seeds: Sequence[str], texts: Sequence[str]) -> list[MeasuredTexts]:
    """Seeds and texts as tokens of each measure; a text has one measure."""
    everything = [*seeds, *texts]
    found = []
    for measure, members in zip(MEASURES, members_of_measures(everything), strict=True):
        vocabulary = Vocabulary()
        encoded = encode_for(measure, vocabulary, [everything[i] for i in members])
        found.append(MeasuredTexts(members, encoded, order_by_rarity(vocabulary, encoded)))
    return found
