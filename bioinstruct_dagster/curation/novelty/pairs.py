"""An exact similarity join: of many texts, which indexed one each repeats, by ROUGE-L F1.

Belongs here: the index of rare token pairs, its memory, and the greedy order. Does not: the loops
(pair_kernels), how texts become tokens (tokens), or which texts must not repeat which (novelty).

Why no pair is missed. Let t be the threshold, and a and b two texts with m and n tokens and F1
above t, that is LCS > t(m+n)/2; so LCS >= o for o = ceil(t(m+n)/2), where a hair less counts as
reached, since floats round. As LCS <= n, n is at least LCS, and o is smallest for the shortest
possible partner: o >= ceil(tm/(2-t)), which depends on m alone.

Sort each text's positions by (rank of the token, position), where ranks are any total order of all
tokens. A common subsequence of o tokens leaves at most m-o positions of a unmatched; so in that
order its first two matched elements lie within a's first m-o+2 positions, and likewise in b's.
They are the same two elements in both: equal tokens have equal ranks, and among equal tokens a
common subsequence keeps the order. It keeps it between the two as well, so that the ordered pair
(token that is earlier in the text, later token) is a key of both. With rare tokens first, few other
texts share it. Where an LCS of one token suffices, the first matched element alone is the key, and
it lies within the first m-o+1 positions.

Keys grow with the square of a text's length, so texts of more than `LONG` tokens have a key per
token instead; texts that such a one may resemble have those besides their pairs, under another
kind, so that they meet the long ones only.

A key is hashed to a bucket. Other keys in the bucket cost a comparison and change nothing, since
candidates are verified: first by a bound on the LCS from lengths and 128-bit signatures, then by
the LCS. The greedy order is kept in two steps for each block of texts: all of them are compared, in
threads, with the rows indexed before the block; then, one by one, with the rows that the block
itself adds.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.novelty.length_bounds import KeyRoom, least_lcs_by_total
from bioinstruct_dagster.curation.tokens.compilation import default_threads
from bioinstruct_dagster.curation.tokens.vocabulary import EncodedTexts, Vocabulary
from bioinstruct_dagster.errors import StatedError

if TYPE_CHECKING:
    from bioinstruct_dagster.curation.novelty.key_kernels import (
        CandidateBatch,
        KeyRule,
        MarkedTexts,
        ThreadMemory,
    )
    from bioinstruct_dagster.curation.novelty.pair_kernels import KeyBuckets

LONG = 128  # tokens; longer texts have keys of one token
BLOCK = 8_192  # texts checked at once; any number gives the same result
NOVEL, KNOWN = -1, -2  # in place of a row
_INLINE = 512  # texts up to which threads cost more than they save
# A list of c entries takes at most three numbers per entry: see the nodes in pair_kernels.
_POOL_PER_ENTRY = 3
_MOST_ENTRIES = (1 << 31) // _POOL_PER_ENTRY

Array = TypeVar("Array", bound=NDArray[Any])


class IndexFullError(StatedError):
    """One index can't hold more texts."""


class Matches(NamedTuple):
    """By text: the most similar row, and their F1.

    The row is the earliest of equally similar ones. It is `NOVEL`, and the F1 0, where none is
    above the threshold; and `KNOWN` where none surpasses the score that was known before.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float64]


class PairIndex:
    """Texts that others must not repeat.

    Args:
        vocabulary: numbers the tokens of all texts given to this index.
        threshold: an F1 above it is a repetition; above 0 and below 1.
        shard: (k, n) for the k-th of n indexes that share the keys by the hash of their rarer
            token. Each finds part of the similar pairs, and together they find all, if each is
            given the same texts in the same calls, for these fix the ranks of the tokens.
        threads: that compare texts; by default one per processor.
        block: texts checked at once.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        threshold: float,
        *,
        shard: tuple[int, int] = (0, 1),
        threads: int | None = None,
        block: int = BLOCK,
    ) -> None:
        if not 0 < threshold < 1:
            raise ValueError(f"The threshold is {threshold}; it must lie between 0 and 1.")
        self._vocabulary = vocabulary
        self._threshold = threshold
        self._shard = shard
        self._threads = threads or default_threads()
        self._block = block
        self._heads = np.full(1 << 12, -1, np.int32)
        self._pool = np.empty(1 << 12, np.int64)
        self._tokens = np.empty(1 << 10, np.int32)
        self._marks = np.empty((1 << 6, 4), np.int64)
        self._counts = np.zeros(4, np.int64)
        self._key_room = KeyRoom(threshold, LONG)
        self._least = least_lcs_by_total(threshold, LONG + 255)
        self._ranks = np.empty(0, np.int64)
        self._ranked_texts = 0
        self._longest = 0
        self._desks: list[ThreadMemory] = []
        self._desk_room = (-1, -1)

    def __len__(self) -> int:
        return int(self._counts[0])

    def add(self, texts: EncodedTexts) -> None:
        """Index texts, whatever they resemble."""
        from bioinstruct_dagster.curation.novelty.pair_kernels import append

        self._prepare(texts)
        for start, stop in self._key_room.blocks(texts.lengths, self._block):
            batch = self._batch(texts, start, stop)
            self._compare(batch, 0, probing=False)
            append(self._buckets(), batch, (0, stop - start))

    def nearest(self, texts: EncodedTexts) -> Matches:
        """The most similar row of each text; nothing is indexed."""
        self._prepare(texts)
        found = _no_matches(len(texts.offsets) - 1)
        for start, stop in self._key_room.blocks(texts.lengths, self._block):
            batch = self._batch(texts, start, stop)
            self._compare(batch, 0)
            _record(found, batch, start, stop)
        return found

    def check(
        self,
        texts: EncodedTexts,
        *,
        known: NDArray[np.float64] | None = None,
        asked: Sequence[int] = (),
        admit: Callable[[int], bool] | None = None,
    ) -> Matches:
        """Check texts in their order; each that repeats no row before it is indexed.

        Args:
            texts: in the order in which they are to be kept.
            known: by text, a score above the threshold with a text that is older than all of this
                index, or 0. Such a text is not indexed.
            asked: texts, in ascending order, that are indexed only if `admit` agrees.
            admit: called with the number of such a text when its turn has come and no row is
                similar to it; the row it would get is `len(self)`.
        """
        self._prepare(texts)
        found = _no_matches(len(texts.offsets) - 1)
        waiting = deque(asked)
        for start, stop in self._key_room.blocks(texts.lengths, self._block):
            batch = self._batch(texts, start, stop)
            if known is not None:
                batch.scores[:] = known[start:stop]
                batch.nearest[known[start:stop] > 0] = KNOWN
            before = len(self)
            self._compare(batch, 0)
            settled = 0
            while waiting and waiting[0] < stop:
                place = waiting.popleft()
                self._settle(batch, (settled, place - start), before)
                self._settle_asked(batch, place - start, before, admit, place)
                settled = place - start + 1
            self._settle(batch, (settled, stop - start), before)
            _record(found, batch, start, stop)
        return found

    def _settle(self, batch: "CandidateBatch", which: tuple[int, int], since: int) -> None:
        from bioinstruct_dagster.curation.novelty.pair_kernels import settle

        if which[0] < which[1]:
            settle(self._buckets(), batch, which, since, self._desks[0])

    def _settle_asked(
        self,
        batch: "CandidateBatch",
        i: int,
        since: int,
        admit: Callable[[int], bool] | None,
        place: int,
    ) -> None:
        from bioinstruct_dagster.curation.novelty.pair_kernels import append, probe_batch

        probe_batch(self._buckets(), batch, (i, i + 1), since, self._desks[0])
        if batch.nearest[i] == NOVEL and (admit is None or admit(place)):
            append(self._buckets(), batch, (i, i + 1))

    def _compare(self, batch: "CandidateBatch", since: int, *, probing: bool = True) -> None:
        """Write the batch's keys and compare its texts with the rows so far, in threads."""
        from bioinstruct_dagster.curation.novelty import key_kernels, pair_kernels

        buckets, keying = self._buckets(), self._keying()
        size = len(batch.nearest)

        def work(which: tuple[int, int], desk: "ThreadMemory") -> None:
            key_kernels.write_batch_keys(batch, which, desk, keying)
            if probing:
                pair_kernels.probe_batch(buckets, batch, which, since, desk)

        if size <= _INLINE or self._threads == 1:
            work((0, size), self._desks[0])
            return
        step = _INLINE // 2
        parts = deque((start, min(start + step, size)) for start in range(0, size, step))

        def take(desk: "ThreadMemory") -> None:
            while True:
                try:
                    part = parts.popleft()
                except IndexError:
                    return
                work(part, desk)

        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(take, self._desks))

    def _batch(self, texts: EncodedTexts, start: int, stop: int) -> "CandidateBatch":
        """The texts of a block, with room for their keys, and room in the index for all of them."""
        from bioinstruct_dagster.curation.novelty.key_kernels import MarkedTexts, describe

        offsets = texts.offsets[start : stop + 1]
        marks = np.empty((stop - start, 4), np.int64)
        describe(texts.tokens, offsets, self._vocabulary.hashes, marks)
        batch = self._batch_of(MarkedTexts(texts.tokens, marks))
        self._reserve(stop - start, int(offsets[-1] - offsets[0]), len(batch.keys))
        return batch

    def _batch_of(self, texts: "MarkedTexts") -> "CandidateBatch":
        """Texts with room for their keys."""
        from bioinstruct_dagster.curation.novelty.key_kernels import LENGTH, CandidateBatch

        size = len(texts.marks)
        rooms = np.cumsum(self._key_room.of(texts.marks[:, LENGTH]))
        spans = np.zeros((size, 4), np.int64)
        spans[1:, 0] = rooms[:-1]
        keys = np.empty(rooms[-1] if size else 0, np.uint64)
        return CandidateBatch(texts, keys, spans, np.full(size, NOVEL, np.int32), np.zeros(size))

    def _prepare(self, texts: EncodedTexts) -> None:
        """Ranks for all tokens, and memory for the longest text."""
        size = len(self._vocabulary)
        longest = int(texts.lengths.max(initial=0))
        self._longest = max(self._longest, longest)
        self._reserve_desks(size, self._longest)
        if size > len(self._ranks):
            # Tokens that are new since the last ranking are rarer than all others.
            grown = -np.arange(2 * size, dtype=np.int64) - 1
            grown[: len(self._ranks)] = self._ranks
            self._ranks = grown
        total = len(self) + len(texts.offsets) - 1
        if total >= 2 * self._ranked_texts:
            self._ranked_texts = total
            rows = self._tokens[: self._counts[1]]
            counts = np.bincount(texts.tokens, minlength=size) + np.bincount(rows, minlength=size)
            self._ranks[np.argsort(counts, kind="stable")] = np.arange(size)
            if len(self):
                self._relink()

    def _reserve_desks(self, tokens: int, longest: int) -> None:
        """Memory for threads, for a vocabulary and texts of this size."""
        from bioinstruct_dagster.curation.novelty import key_kernels, pair_kernels
        from bioinstruct_dagster.curation.tokens import lcs_kernels

        if tokens <= self._desk_room[0] and longest <= self._desk_room[1]:
            return
        tokens, longest = self._desk_room = (2 * tokens + 256, 2 * longest + 256)
        keys = int(self._key_room.of(np.arange(longest)).max())
        self._desks = [
            key_kernels.ThreadMemory(
                lcs_kernels.Masks(
                    np.zeros(tokens, np.int32),
                    np.empty(longest, np.int64),
                    np.empty(longest + 1, np.int32),
                    np.empty(longest, np.int32),
                    np.empty(longest, np.uint64),
                    np.empty(longest // lcs_kernels.WORD + 1, np.uint64),
                ),
                np.zeros(1, np.bool_),
                np.empty(longest, np.int32),
                np.empty(longest, np.int32),
                np.empty(longest, np.int32),
                np.empty(longest, np.int32),
                np.empty(keys, np.int64),
                np.empty(keys, np.int64),
                np.empty(pair_kernels.TOGETHER, np.int32),
                np.empty(pair_kernels.SEEN, np.int32),
            )
            for _ in range(self._threads)
        ]

    def _reserve(self, rows: int, tokens: int, entries: int) -> None:
        """Room in the index for so many more."""
        self._marks = _grown(self._marks, len(self), rows)
        self._tokens = _grown(self._tokens, int(self._counts[1]), tokens)
        entries += int(self._counts[3])
        if entries > _MOST_ENTRIES:
            raise IndexFullError(
                f"The novelty index holds {len(self):,} texts and can't take more. "
                "Share them among more shards."
            )
        used = int(self._counts[2])
        self._pool = _grown(self._pool, used, _POOL_PER_ENTRY * entries - used)
        if entries > len(self._heads):
            size = len(self._heads)
            while size < entries:
                size *= 4
            self._heads = np.empty(size, np.int32)
            self._relink()

    def _relink(self) -> None:
        """Enter all rows anew, for other ranks or more buckets."""
        from bioinstruct_dagster.curation.novelty import key_kernels, pair_kernels

        lengths = self._marks[: len(self), 2]
        self._pool = _grown(self._pool, 0, _POOL_PER_ENTRY * int(self._key_room.of(lengths).sum()))
        self._heads.fill(-1)
        self._counts[2:] = 0
        for start, stop in self._key_room.blocks(lengths, self._block):
            batch = self._batch_of(key_kernels.MarkedTexts(self._tokens, self._marks[start:stop]))
            self._compare(batch, 0, probing=False)
            pair_kernels.link_batch(self._buckets(), batch, start)

    def _buckets(self) -> "KeyBuckets":
        from bioinstruct_dagster.curation.novelty import key_kernels, pair_kernels

        rows = key_kernels.MarkedTexts(self._tokens, self._marks)
        return pair_kernels.KeyBuckets(
            self._heads, self._pool, rows, self._counts, self._threshold, self._least
        )

    def _keying(self) -> "KeyRule":
        from bioinstruct_dagster.curation.novelty.key_kernels import KeyRule

        return KeyRule(self._ranks, self._vocabulary.hashes, self._threshold, LONG, *self._shard)


def _no_matches(size: int) -> Matches:
    return Matches(np.full(size, NOVEL, np.int64), np.zeros(size))


def _record(found: Matches, batch: "CandidateBatch", start: int, stop: int) -> None:
    found.rows[start:stop] = batch.nearest
    found.scores[start:stop] = batch.scores


def _grown(array: Array, used: int, more: int) -> Array:
    """The array with room for `more` items than are used, and for half as many where it grows.

    Room that is not used takes no memory: the system gives a page when it is first written.
    """
    if used + more <= len(array):
        return array
    size = used + more
    grown = np.empty((size + size // 2, *array.shape[1:]), array.dtype)
    grown[:used] = array[:used]
    return cast("Array", grown)
