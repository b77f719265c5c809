"""The rule of novelty over several machines: the same join, its keys shared among Ray actors.

Each actor holds the keys of one shard, by the hash of a pair's rarer token. The driver goes block
by block: every actor answers which kept row of an earlier block each text repeats, as far as its
keys show, and which texts of the block are similar to each other; the driver takes the best of all
answers, settles the block in its order, and tells the actors which texts are kept. What is similar
inside a block does not hang on what is kept, so actors list it while the driver settles the block
before. Belongs here: who does what. Does not: reaching a cluster (ray_cluster), the join (pairs),
or its loops (pair_kernels, sharded_kernels).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.novelty.cluster.ray_cluster import LOCAL, actors_of, connected
from bioinstruct_dagster.curation.novelty.cluster.shard import KnownRepeats, Shard, TextOrder
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
    from bioinstruct_dagster.curation.novelty.cluster.block_kernels import SimilarPairs

BLOCK = 8_192  # texts settled at once; any number gives the same result


class MeasuredTexts(NamedTuple):
    """Seeds and texts as one measure sees them; it may be for some of them only."""

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
        from bioinstruct_dagster.curation.novelty.cluster.block_kernels import (
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


def _in_order(
    listed: "Sequence[Sequence[SimilarPairs]]", places: Sequence[NDArray[np.int64]]
) -> "tuple[NDArray[np.int8], SimilarPairs]":
    """All pairs that actors list, by the later text, then by the earlier; and their measures."""
    from bioinstruct_dagster.curation.novelty.cluster.block_kernels import SimilarPairs

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
