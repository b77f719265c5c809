"""Scanning many signatures for texts that may be similar, compiled. Import inside functions only.

Belongs here: the scan. Does not: making signatures (key_kernels), or reading them (stored_index).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.tokens.compilation import compiled, inner
from bioinstruct_dagster.curation.tokens.lcs_kernels import popcount


class Sketches(NamedTuple):
    """Length and signature of texts, by column."""

    sizes: NDArray[np.int64]  # tokens
    low: NDArray[np.uint64]
    high: NDArray[np.uint64]


class Windows(NamedTuple):
    """The LCS that a pair must reach, and the sizes of texts that can be similar."""

    least: NDArray[np.int64]  # smallest LCS by tokens of both texts
    first: NDArray[np.int64]  # by size of a kept text: the first new text that may be similar
    last: NDArray[np.int64]  # the end of these new texts, which are sorted by size


@inner
def can_match(one: Sketches, i: int, other: Sketches, j: int, least: int) -> bool:
    """Whether two texts can have an LCS of this length."""
    low, high, other_low, other_high = one.low[i], one.high[i], other.low[j], other.high[j]
    mine = one.sizes[i] - popcount(low & ~other_low) - popcount(high & ~other_high)
    its = other.sizes[j] - popcount(other_low & ~low) - popcount(other_high & ~high)
    return bool(mine >= least and its >= least)


@compiled
def mark_matching(
    kept: Sketches,
    new: Sketches,
    windows: Windows,
    which: tuple[int, int],
    marked: NDArray[np.bool_],
) -> None:
    """Mark the kept texts of a range that may be similar to any new text."""
    for i in range(which[0], which[1]):
        size = kept.sizes[i]
        for j in range(windows.first[size], windows.last[size]):
            if can_match(kept, i, new, j, windows.least[size + new.sizes[j]]):
                marked[i] = True
                break
