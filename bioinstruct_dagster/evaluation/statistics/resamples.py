"""Samples of clusters: drawn with replacement (bootstrap), or with subjects swapped (permutation).

10,000 samples are one product of matrices: weights of the clusters times their sums. Belongs here:
drawing, and an interval of the drawn scores. Does not: the choice of a method (estimates,
comparisons), or sums and scores (sums).
"""

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.evaluation.metrics.measured import Floats
from bioinstruct_dagster.evaluation.statistics.closed_forms import COVERAGE, t_quantile

RESAMPLES = 10_000
EXACT_CLUSTERS = 13  # up to so many, all 2**clusters swaps are computed: 8,192 at the most
_CELLS = 4_000_000  # of a part of the weights: 32 MB
_KEPT_CELLS = 64_000_000  # of weights that are kept for the next metric of the same items: 64 MB


def bootstrap(
    table: Floats, statistic: Callable[[Floats], Floats], seed: int, resamples: int = RESAMPLES
) -> Floats:
    """The statistic of resamples of clusters, drawn with replacement.

    Args:
        table: of shape (clusters, columns).
        statistic: takes sums of shape (resamples, columns), and returns shape (resamples,).
        seed: of the draws. Tables with the same number of clusters get the same draws.
        resamples: how many.
    """
    weights = _weights(len(table), seed, resamples)
    return np.concatenate([statistic(part @ table) for part in weights])


def _weights(clusters: int, seed: int, resamples: int) -> Iterator[Floats]:
    if clusters * resamples > _KEPT_CELLS:
        drawn = _drawn_weights(clusters, seed, resamples)
    else:
        drawn = iter(_kept_weights(clusters, seed, resamples))
    return (part.astype(np.float64) for part in drawn)


@lru_cache(maxsize=2)
def _kept_weights(clusters: int, seed: int, resamples: int) -> tuple[NDArray[np.uint8], ...]:
    return tuple(_drawn_weights(clusters, seed, resamples))


def _drawn_weights(clusters: int, seed: int, resamples: int) -> Iterator[NDArray[np.uint8]]:
    """How often each cluster is drawn, in parts of shape (part, clusters)."""
    rng = np.random.default_rng(seed)
    for rows in _parts(clusters, resamples):
        drawn = rng.integers(0, clusters, (rows, clusters))
        drawn += np.arange(rows)[:, None] * clusters
        counts = np.bincount(drawn.ravel(), minlength=rows * clusters)
        yield counts.reshape(rows, clusters).astype(np.uint8)


def _parts(clusters: int, samples: int) -> Iterator[int]:
    """How many samples are computed at once."""
    part = max(1, _CELLS // clusters)
    for start in range(0, samples, part):
        yield min(part, samples - start)


def widened_percentiles(drawn: Floats, clusters: int) -> tuple[float, float]:
    """The 95 % interval of bootstrapped scores, widened for few clusters."""
    tail = widened_tail(clusters)
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def widened_tail(clusters: int) -> float:
    """The share of resamples that is cut off at each end of an interval.

    The percentile interval of a mean is too narrow by the factor sqrt((n - 1) / n), and by that of
    the normal to the t distribution. The tails are moved out by both (Hesterberg 2015, "What
    teachers should know about the bootstrap", section 5.1: the expanded percentile interval).
    """
    from scipy import special

    wider = float(t_quantile((1 + COVERAGE) / 2, clusters - 1))
    return float(special.ndtr(-wider * np.sqrt(clusters / (clusters - 1))))


def swapped(
    first: Floats, second: Floats, statistic: Callable[[Floats], Floats], seed: int
) -> Floats:
    """Differences of a statistic after the two subjects were swapped in random clusters.

    Args:
        first: of shape (clusters, columns), the sums of one subject.
        second: the sums of the other subject in the same clusters.
        statistic: takes sums of shape (samples, columns), and returns shape (samples,).
        seed: of the draws.

    Returns:
        The statistic of the second minus that of the first: of all 2**clusters swaps if the
        clusters are few (EXACT_CLUSTERS), else of RESAMPLES random ones.
    """
    change = second - first
    from_first, from_second = first.sum(axis=0), second.sum(axis=0)
    parts = []
    for swaps in _swaps(len(first), seed):
        moved = swaps @ change
        parts.append(statistic(from_second - moved) - statistic(from_first + moved))
    return np.concatenate(parts)


def _swaps(clusters: int, seed: int) -> Iterator[Floats]:
    """Which clusters are swapped, 0 or 1, in parts of shape (part, clusters)."""
    if clusters <= EXACT_CLUSTERS:
        numbers = np.arange(2**clusters)[:, None]
        yield ((numbers >> np.arange(clusters)) & 1).astype(np.float64)
        return
    rng = np.random.default_rng(seed)
    for rows in _parts(clusters, RESAMPLES):
        bits = np.frombuffer(rng.bytes(rows * (clusters // 8 + 1)), dtype=np.uint8)
        swaps = np.unpackbits(bits.reshape(rows, -1), axis=1, count=clusters)
        yield swaps.astype(np.float64)


def permutation_p_value(observed: float, swaps: Floats, clusters: int) -> float:
    """The two-sided p value: the share of swaps with a difference as large as the observed one.

    Random swaps count the observed difference as one of them, so that the test keeps its level
    (Phipson and Smyth 2010).
    """
    slack = 1e-9 * max(1.0, abs(observed))  # the same difference, added up in another order
    as_large = int((np.abs(swaps) >= abs(observed) - slack).sum())
    if clusters <= EXACT_CLUSTERS:
        return as_large / len(swaps)
    return (as_large + 1) / (len(swaps) + 1)
