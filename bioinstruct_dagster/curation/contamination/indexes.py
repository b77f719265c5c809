"""Indexes of the evaluation texts, one for each way in which a row can repeat a text.

Belongs here: the memory that the compiled loops work on. Does not: the loops (overlap_kernels,
likeness_kernels), or which texts and limits are used (overlap).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.tokens.vocabulary import EncodedTexts

_SLOTS_PER_WORD = 16  # so that there are four bits for each slot
_LONGEST_HEAD = 8  # tokens at the start of a text that find it; affects the speed alone


def texts_of_spans(tokens: NDArray[np.int32], spans: NDArray[np.int64]) -> EncodedTexts:
    """Texts made of the spans of tokens with these starts and ends."""
    sizes = spans[:, 1] - spans[:, 0]
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    places = np.arange(offsets[-1]) + np.repeat(spans[:, 0] - offsets[:-1], sizes)
    return EncodedTexts(tokens[places], offsets)


def longest_shared(left: NDArray[np.int32], right: NDArray[np.int32]) -> tuple[int, int]:
    """The length of the longest run that two texts share, and its end in the second text."""
    from bioinstruct_dagster.curation.contamination.overlap_kernels import longest_run

    size, end = longest_run(left, right)
    return int(size), int(end)


def _subset(texts: EncodedTexts, chosen: NDArray[np.int64]) -> EncodedTexts:
    spans = np.stack([texts.offsets[chosen], texts.offsets[chosen + 1]], axis=1)
    return texts_of_spans(texts.tokens, spans)


def _slots(entries: int) -> NDArray[np.int32]:
    """An empty hash table with room for twice the entries."""
    return np.zeros(1 << max(4, int(2 * entries).bit_length()), np.int32)


class RunIndex:
    """Runs of a fixed number of tokens: finds the texts that share runs with a row.

    Args:
        texts: all evaluation texts.
        chosen: the positions of the texts to index.
        items: by chosen text, the item that it belongs to; in ascending order.
        size: tokens in a run.
        most: a run that occurs in more items than this is ignored.
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
            seen=np.zeros(len(_slots(places)) // _SLOTS_PER_WORD, np.uint64),
            first=np.zeros(places, np.int32),
            last=np.full(places, -1, np.int32),
            items=np.zeros(places, np.int32),
            before=np.full(places, -1, np.int32),
            used=np.zeros(1, np.int64),
        )
        enter_runs(self._runs, self._texts, items)

    def shared_runs(self, rows: EncodedTexts) -> Iterator[tuple[int, int, int, int]]:
        """Row, text, number of shared runs, tokens of the text in them; each row has two texts."""
        from bioinstruct_dagster.curation.contamination.overlap_kernels import (
            TokenTexts,
            shared_runs,
        )

        found = shared_runs(self._runs, self._texts, self._text_of, TokenTexts(*rows))
        for row, text, count, covered in found.tolist():
            yield row, int(self._chosen[text]), count, covered


class HeadIndex:
    """Whole texts: finds the evaluation texts that a text of a row holds word for word."""

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

    def contained_texts(self, rows: EncodedTexts) -> Iterator[tuple[int, int]]:
        """Each text of the rows with each evaluation text that it holds; no pair occurs twice."""
        from bioinstruct_dagster.curation.contamination.overlap_kernels import (
            TokenTexts,
            whole_texts,
        )

        found = whole_texts(self._heads, self._sizes, self._texts, self._known, TokenTexts(*rows))
        for own, text in np.unique(found[:, :2], axis=0).tolist():
            yield own, int(self._chosen[text])


class LikenessIndex:
    """Whole texts: finds pairs that have many tokens in common, in the same or another order."""

    def __init__(
        self,
        texts: EncodedTexts,
        chosen: NDArray[np.int64],
        hashes: NDArray[np.uint64],
        least: float,
    ) -> None:
        from bioinstruct_dagster.curation.contamination.likeness_kernels import SignedTexts, sign
        from bioinstruct_dagster.curation.contamination.overlap_kernels import TokenTexts

        self._chosen = chosen[np.argsort(texts.lengths[chosen], kind="stable")]
        self._hashes = hashes
        self._least = least
        own = _subset(texts, self._chosen)
        size = len(self._chosen)
        self._signed = SignedTexts(
            texts=TokenTexts(*own),
            low=np.zeros(size, np.uint64),
            high=np.zeros(size, np.uint64),
        )
        sign(self._signed, hashes)

    def similar_texts(self, rows: EncodedTexts) -> Iterator[tuple[int, int, int, int]]:
        """Text of the rows, evaluation text, tokens in common, LCS; for all similar pairs."""
        from bioinstruct_dagster.curation.contamination.likeness_kernels import alike
        from bioinstruct_dagster.curation.contamination.overlap_kernels import TokenTexts

        found = alike(self._signed, self._least, self._hashes, TokenTexts(*rows))
        for own, text, shared, lcs in found.tolist():
            yield own, int(self._chosen[text]), shared, lcs
