"""Bounds that follow from the lengths of texts and the threshold of the F1 alone.

Belongs here: the smallest LCS that can exceed the threshold, the most keys that a text can have,
and how many texts fit into one block. Does not: why these bounds hold (pairs), or the keys
themselves (key_kernels).
"""

import numpy as np
from numpy.typing import NDArray

_KEYS_PER_BLOCK = 1 << 22
_SLACK = 1e-9


def least_lcs_by_total(threshold: float, most: int) -> NDArray[np.int64]:
    """By the tokens of two texts together, up to `most`: the smallest LCS that can exceed it."""
    totals = np.arange(most + 1)
    return np.maximum(1, np.ceil(threshold * totals / 2 - _SLACK * totals)).astype(np.int64)


class KeyRoom:
    """How many keys texts can have, by their numbers of tokens.

    Args:
        threshold: the F1 above which a text is a repetition.
        long: texts of more tokens than this have keys of one token.
    """

    def __init__(self, threshold: float, long: int) -> None:
        self._threshold = threshold
        self._long = long
        self._frequent = self._most_keys(np.arange(long + 1))

    def of(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """The most keys that texts of these lengths can have."""
        if lengths.max(initial=0) < len(self._frequent):
            return np.asarray(self._frequent[lengths])
        return self._most_keys(lengths)

    def blocks(self, lengths: NDArray[np.int64], most_texts: int) -> list[tuple[int, int]]:
        """Where to cut texts of these lengths so that the keys of a block fit in memory."""
        rooms = np.cumsum(self.of(lengths))
        blocks, start = [], 0
        while start < len(rooms):
            before = rooms[start - 1] if start else 0
            fitting = int(np.searchsorted(rooms, before + _KEYS_PER_BLOCK, side="right"))
            stop = min(start + most_texts, max(fitting, start + 1))
            blocks.append((start, stop))
            start = stop
        return blocks

    def _most_keys(self, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        t = self._threshold
        least = np.maximum(1, np.ceil(t * lengths / (2 - t) - _SLACK * lengths)).astype(np.int64)
        pairs = (lengths - least + 2) * (lengths - least + 1) // 2
        singles = lengths - least + 1
        # Texts that a long one may resemble, and the long ones, have keys of one token.
        meets_long = lengths * (2 - t) / t * (1 + _SLACK) >= self._long + 1
        return np.asarray(
            np.where(lengths <= self._long, pairs, 0)
            + np.where(meets_long, 2 * singles, 0)
            + np.where(least == 1, lengths, 0)
        )
