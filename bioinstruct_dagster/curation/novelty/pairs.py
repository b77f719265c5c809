"""An exact similarity join: finds for each of many texts the indexed text that it repeats.

Belongs here: the index of rare token pairs, its memory, and the greedy order. Does not: the loops
(pair_kernels), the bounds by length (length_bounds), how texts become tokens (tokens.vocabulary),
or which texts are compared (rule).

Why no pair is missed. Let t be the threshold. Let a and b be two texts of m and n tokens whose
ROUGE-L F1 is above t, so that LCS > t(m+n)/2. Then LCS >= o for o = ceil(t(m+n)/2). (Floats round,
so a value just below o counts as o.) Since LCS <= n, the shortest possible b gives the smallest o:
o >= ceil(tm/(2-t)), which depends on m alone.

Sort the positions of each text by (rank of the token, position). Any total order of all tokens
gives valid ranks. A common subsequence of o tokens leaves at most m-o positions of a unmatched. So,
in sorted order, its first two matched elements lie within the first m-o+2 positions of a, and
likewise of b. They are the same two elements in both texts: equal tokens have equal ranks, and a
common subsequence keeps the order of equal tokens. It also keeps the order of the two elements in
the text. So the ordered pair (token that is earlier in the text, later token) is a key of both
texts. Ranking rare tokens first has the effect that few other texts share a key. If an LCS of one
token suffices, the first matched element alone is the key. It lies within the first m-o+1
positions.

The number of keys grows with the square of a text's length. Therefore texts of more than `LONG`
tokens have one key per token instead of pairs. Texts that may resemble such a long text have these
keys too, besides their pairs. The keys are of another kind, so that they find long texts only.

A key is hashed to a bucket. Other keys in the same bucket cost time but change nothing, since each
candidate is verified: first by a bound on the LCS from lengths and 128-bit signatures, then by the
LCS. Two steps for each block of texts keep the greedy order. First, threads compare all texts with
the rows that were indexed before the block. Then, one by one, each text is compared with the rows
that the block itself adds.
"""

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.novelty.length_bounds import KeyRoom, least_lcs_by_total
from bioinstruct_dagster.curation.tokens.compilation import default_threads
from bioinstruct_dagster.curation.tokens.vocabulary import EncodedTexts, Vocabulary
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.progress import step_progress

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
NO_ROW, KNOWN_REPEAT = -1, -2  # in place of a row
_SINGLE_THREAD_TEXTS = 512  # for so few texts, threads cost more time than they save
# A list takes at most three numbers per entry: see the nodes in pair_kernels.
_POOL_PER_ENTRY = 3
_MOST_ENTRIES = (1 << 31) // _POOL_PER_ENTRY

Array = TypeVar("Array", bound=NDArray[Any])


class IndexFullError(StatedError):
    """The index can't hold more texts; the message says what to do."""


class Matches(NamedTuple):
    """By text: the most similar row, and their F1.

    Of equally similar rows, the earliest one counts. If no F1 is above the threshold, the row is
    `NO_ROW` and the F1 is 0. If no F1 is above the known score, the row is `KNOWN_REPEAT`.
    """

    rows: NDArray[np.int64]
    scores: NDArray[np.float64]


class PairIndex:
    """An index of texts that other texts must not repeat.

    Args:
        vocabulary: numbers the tokens of all texts of this index.
        threshold: an F1 above it is a repetition; above 0 and below 1.
        shard: (k, n) for the k-th of n indexes that share the keys, by the hash of the rarer token.
            Each index finds a part of the similar pairs; together they find all pairs. All must
            receive the same texts in the same calls, since these determine the ranks of the tokens.
        threads: number of threads that compare texts; by default one per processor.
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
        self._memories: list[ThreadMemory] = []
        self._memory_room = (-1, -1)

    def __len__(self) -> int:
        return int(self._counts[0])

    def add(self, texts: EncodedTexts) -> None:
        """Index texts without checking them."""
        from bioinstruct_dagster.curation.novelty.pair_kernels import append

        self._prepare(texts)
        for start, stop in self._key_room.blocks(texts.lengths, self._block):
            batch = self._batch(texts, start, stop)
            self._compare(batch, 0, probing=False)
            append(self._buckets(), batch, (0, stop - start))

    def nearest(self, texts: EncodedTexts) -> Matches:
        """The most similar row of each text; the texts are not indexed."""
        self._prepare(texts)
        found = _empty_matches(len(texts.offsets) - 1)
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
    ) -> Matches:
        """Check texts in their order; index each text that repeats no row before it.

        Args:
            texts: in the order in which they may be kept.
            known: by text, its score with a text that is older than all rows of this index, if that
                score is above the threshold, else 0. A text with a known score is not indexed.
        """
        self._prepare(texts)
        size = len(texts.offsets) - 1
        found = _empty_matches(size)
        progress = step_progress("novelty", size, "rows", "compared")
        for start, stop in self._key_room.blocks(texts.lengths, self._block):
            batch = self._batch(texts, start, stop)
            if known is not None:
                batch.scores[:] = known[start:stop]
                batch.nearest[known[start:stop] > 0] = KNOWN_REPEAT
            before = len(self)
            self._compare(batch, 0)
            self._settle(batch, (0, stop - start), before)
            _record(found, batch, start, stop)
            progress.come_to(stop)
        return found

    def _settle(self, batch: "CandidateBatch", which: tuple[int, int], since: int) -> None:
        from bioinstruct_dagster.curation.novelty.pair_kernels import settle

        if which[0] < which[1]:
            settle(self._buckets(), batch, which, since, self._memories[0])

    def _compare(self, batch: "CandidateBatch", since: int, *, probing: bool = True) -> None:
        """Write the keys of a batch and compare its texts with the rows so far, in threads."""
        from bioinstruct_dagster.curation.novelty import key_kernels, pair_kernels

        buckets, keying = self._buckets(), self._keying()
        size = len(batch.nearest)

        def work(which: tuple[int, int], desk: "ThreadMemory") -> None:
            key_kernels.write_batch_keys(batch, which, desk, keying)
            if probing:
                pair_kernels.probe_batch(buckets, batch, which, since, desk)

        if size <= _SINGLE_THREAD_TEXTS or self._threads == 1:
            work((0, size), self._memories[0])
            return
        step = _SINGLE_THREAD_TEXTS // 2
        parts = deque((start, min(start + step, size)) for start in range(0, size, step))

        def take(desk: "ThreadMemory") -> None:
            while True:
                try:
                    part = parts.popleft()
                except IndexError:
                    return
                work(part, desk)

        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(take, self._memories))

    def _batch(self, texts: EncodedTexts, start: int, stop: int) -> "CandidateBatch":
        """The texts of a block with room for their keys; makes room in the index for all texts."""
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
        return CandidateBatch(texts, keys, spans, np.full(size, NO_ROW, np.int32), np.zeros(size))

    def _prepare(self, texts: EncodedTexts) -> None:
        """Rank all tokens, and reserve memory for the longest text."""
        size = len(self._vocabulary)
        longest = int(texts.lengths.max(initial=0))
        self._longest = max(self._longest, longest)
        self._reserve_memories(size, self._longest)
        if size > len(self._ranks):
            # Tokens that are new since the last ranking count as rarer than all others.
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

    def _reserve_memories(self, tokens: int, longest: int) -> None:
        """Reserve the memory of the threads, for a vocabulary and texts of this size."""
        from bioinstruct_dagster.curation.novelty import key_kernels, pair_kernels
        from bioinstruct_dagster.curation.tokens import lcs_kernels

        if tokens <= self._memory_room[0] and longest <= self._memory_room[1]:
            return
        tokens, longest = self._memory_room = (2 * tokens + 256, 2 * longest + 256)
        keys = int(self._key_room.of(np.arange(longest)).max())
        self._memories = [
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
        """Make room in the index for so many more rows, tokens and entries."""
        self._marks = _with_room(self._marks, len(self), rows)
        self._tokens = _with_room(self._tokens, int(self._counts[1]), tokens)
        entries += int(self._counts[3])
        if entries > _MOST_ENTRIES:
            raise IndexFullError(
                f"The novelty index holds {len(self):,} texts and can't hold more. "
                "Check novelty on a Ray cluster with more shards (docs/scale.md)."
            )
        used = int(self._counts[2])
        self._pool = _with_room(self._pool, used, _POOL_PER_ENTRY * entries - used)
        if entries > len(self._heads):
            size = len(self._heads)
            while size < entries:
                size *= 4
            self._heads = np.empty(size, np.int32)
            self._relink()

    def _relink(self) -> None:
        """Enter all rows again, after a change of the ranks or of the number of buckets."""
        from bioinstruct_dagster.curation.novelty import key_kernels, pair_kernels

        lengths = self._marks[: len(self), 2]
        self._pool = _with_room(
            self._pool, 0, _POOL_PER_ENTRY * int(self._key_room.of(lengths).sum())
        )
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


def _empty_matches(size: int) -> Matches:
    return Matches(np.full(size, NO_ROW, np.int64), np.zeros(size))


def _record(found: Matches, batch: "CandidateBatch", start: int, stop: int) -> None:
    found.rows[start:stop] = batch.nearest
    found.scores[start:stop] = batch.scores


def _with_room(array: Array, used: int, more: int) -> Array:
    """The array with room for `more` items after the used ones; grows by half as many again.

    Unused room takes no memory, since the system assigns a page only when it is first written.
    """
    if used + more <= len(array):
        return array
    size = used + more
    grown = np.empty((size + size // 2, *array.shape[1:]), array.dtype)
    grown[:used] = array[:used]
    return cast("Array", grown)
