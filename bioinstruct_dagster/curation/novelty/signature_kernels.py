"""Which of many signatures can matter to any of a few, compiled. Import inside functions only.

Belongs here: the scan. Does not: what a signature is (key_kernels), or who asks (novelty_index).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.curation.tokens.compilation import compiled, inner
from bioinstruct_dagster.curation.tokens.lcs_kernels import popcount


class Sketches(NamedTuple):
    """Texts as far as a signature tells them, one of each column per text."""

    sizes: NDArray[np.int64]  # tokens
    low: NDArray[np.uint64]
    high: NDArray[np.uint64]


class Windows(NamedTuple):
    """What a pair must have in common, and which sizes can go together."""

    least: NDArray[np.int64]  # smallest LCS by tokens of both texts
    first: NDArray[np.int64]  # by size of one text: the first of the other kind, sorted by size
    last: NDArray[np.int64]  # and where they end


@inner
def can_match(one: Sketches, i: int, other: Sketches, j: int, least: int) -> bool:
    """Whether two texts can have this many tokens in common, in order."""
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
    """Mark the kept texts of a range that can match any new one; those are sorted by size."""
    for i in range(which[0], which[1]):
        size = kept.sizes[i]
        for j in range(windows.first[size], windows.last[size]):
            if can_match(kept, i, new, j, windows.least[size + new.sizes[j]]):
                marked[i] = True
                break
