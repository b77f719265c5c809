"""Tables over the evaluation texts, each with the one question that it answers for rows.

Belongs here: setting up the memory that the compiled loops work on. Does not: the loops
(overlap_kernels), or which texts and numbers are used (overlap).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.tokens.vocabulary import EncodedTexts

_LONGEST_HEAD = 8  # tokens by which whole texts are found; a power of speed, not of meaning


def of_spans(tokens: NDArray[np.int32], spans: NDArray[np.int64]) -> EncodedTexts:
    """The stretches of tokens with these starts and ends, one after the other."""
    sizes = spans[:, 1] - spans[:, 0]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    places = np.arange(offsets[-1]) + np.repeat(spans[:, 0] - offsets[:-1], sizes)
    return EncodedTexts(tokens[places], offsets)


def longest_shared(left: NDArray[np.int32], right: NDArray[np.int32]) -> tuple[int, int]:
    """Length of the longest run that two texts share, and where it ends in the second."""
    from bioinstruct_dagster.curation.contamination.overlap_kernels import longest_run

    size, end = longest_run(left, right)
    return int(size), int(end)


def _subset(texts: EncodedTexts, chosen: NDArray[np.int64]) -> EncodedTexts:
    spans = np.stack([texts.offsets[chosen], texts.offsets[chosen + 1]], axis=1)
    return of_spans(texts.tokens, spans)


def _slots(entries: int) -> NDArray[np.int32]:
    """An empty hash table, at most half of which will be filled."""
    return np.zeros(1 << max(4, int(2 * entries).bit_length()), np.int32)


class RunIndex:
    """Runs of a fixed number of tokens: which texts does a row share some with, and how much?

    Args:
        texts: all evaluation texts.
        chosen: those that are looked at.
        items: by chosen text, the item that it belongs to; in ascending order.
        size: tokens in a run.
        most: a run that more items have is passed over.
    """

    def __init__(
        self,
        texts: EncodedTexts,
        chosen: NDArray[np.int64],
        items: NDArray[np.int32],
        *,
        size: int,
        most: int,
    ) -> None:
        from bioinstruct_dagster.curation.contamination.overlap_kernels import (
            TokenRuns,
            TokenTexts,
            enter_runs,
        )

        own = _subset(texts, chosen)
        self._chosen = chosen
        self._texts = TokenTexts(*own)
        self._text_of = np.repeat(np.arange(len(chosen), dtype=np.int32), own.lengths)
        places = len(own.tokens)
        self._runs = TokenRuns(
            size=size,
            most=most,
            slots=_slots(places),
            first=np.zeros(places, np.int32),
            last=np.full(places, -1, np.int32),
            items=np.zeros(places, np.int32),
            before=np.full(places, -1, np.int32),
            used=np.zeros(1, np.int64),
        )
        enter_runs(self._runs, self._texts, items)

    def shared(self, rows: EncodedTexts) -> Iterator[tuple[int, int, int, int]]:
        """Row, text, runs shared, and tokens of the text that lie in them; rows of two texts."""
        from bioinstruct_dagster.curation.contamination.overlap_kernels import (
            TokenTexts,
            shared_runs,
        )

        found = shared_runs(self._runs, self._texts, self._text_of, TokenTexts(*rows))
        for row, text, count, covered in found.tolist():
            yield row, int(self._chosen[text]), count, covered


class HeadIndex:
    """Whole texts: which of them does a text hold word for word?"""

    def __init__(self, texts: EncodedTexts, chosen: NDArray[np.int64], known: int) -> None:
        from bioinstruct_dagster.curation.contamination.overlap_kernels import (
            TokenHeads,
            TokenTexts,
            enter_heads,
        )

        own = _subset(texts, chosen)
        self._chosen = chosen
        self._known = known
        self._texts = TokenTexts(*own)
        self._sizes = np.unique(np.minimum(own.lengths, _LONGEST_HEAD))
        self._heads = TokenHeads(
            _LONGEST_HEAD, _slots(len(chosen)), np.full(len(chosen), -1, np.int32)
        )
        enter_heads(self._heads, self._texts)

    def whole(self, rows: EncodedTexts) -> Iterator[tuple[int, int]]:
        """Each text of the rows with each evaluation text that it holds, once."""
        from bioinstruct_dagster.curation.contamination.overlap_kernels import (
            TokenTexts,
            whole_texts,
        )

        found = whole_texts(self._heads, self._sizes, self._texts, self._known, TokenTexts(*rows))
        for own, text in np.unique(found[:, :2], axis=0).tolist():
            yield own, int(self._chosen[text])


class LikenessIndex:
    """Whole texts against whole texts: which have so many tokens in common, and in which order?"""

    def __init__(
        self,
        texts: EncodedTexts,
        chosen: NDArray[np.int64],
        hashes: NDArray[np.uint64],
        least: float,
    ) -> None:
        from bioinstruct_dagster.curation.contamination.overlap_kernels import (
            SignedTexts,
            TokenTexts,
            sign,
        )

        self._chosen = chosen[np.argsort(texts.lengths[chosen], kind="stable")]
        self._hashes = hashes
        self._least = least
        own = _subset(texts, self._chosen)
        size = len(self._chosen)
        self._signed = SignedTexts(
            texts=TokenTexts(*own),
            ordered=np.empty_like(own.tokens),
            low=np.zeros(size, np.uint64),
            high=np.zeros(size, np.uint64),
        )
        sign(self._signed, hashes)

    def alike(self, rows: EncodedTexts) -> Iterator[tuple[int, int, int, int]]:
        """Text of the rows, evaluation text, tokens in common, longest common subsequence."""
        from bioinstruct_dagster.curation.contamination.overlap_kernels import TokenTexts, alike

        found = alike(self._signed, self._least, self._hashes, TokenTexts(*rows))
        for own, text, shared, lcs in found.tolist():
            yield own, int(self._chosen[text]), shared, lcs
