"""Drawing controls: a value of every dimension for each task, weighted by what the pool lacks.

Belongs here: the weights of values, and the draw by hashes. Does not: what a value means
(dimensions), how a row shows it (measuring), or which rows the pool holds (steering).
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import blake2b
from operator import mul, truediv
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A missing share is filled over this many rows, plus a part for each row of the pool. Fewer rows
# would overshoot the target.
POOL_HORIZON, POOL_HORIZON_PER_ROW = 100, 0.1
# The horizon for the tasks of one request. It spreads them over the values.
REQUEST_HORIZON = 4
# Bounds of a value's factor: how many times its share it is requested. The upper bound limits what
# a value costs whose rows are always rejected. The lower bound keeps requesting a value that has
# too many rows.
LEAST_FACTOR, MOST_FACTOR = 0.05, 3.0
FIT_ROUNDS = 200
FIT_TOLERANCE = 0.005  # `avoid` may move a share this far from its target
HASH_COUNT, LEAST_TIME = 2.0**64, 1e-300
ROUNDING_SLACK = 1e-9  # more than rounding can change a factor

ShareByValue = Mapping[str, float]
Pool = Mapping[str, ShareByValue]  # rows kept or expected, by dimension and value
ValuePair = tuple[tuple[str, str], tuple[str, str]]  # two (dimension, value) that contradict


@dataclass(frozen=True, eq=False)
class DimensionTargets:
    """The values of one dimension and their target shares, in the order of the file."""

    id: str
    values: tuple[str, ...]
    shares: tuple[float, ...]

    @cached_property
    def normalized_shares(self) -> tuple[float, ...]:
        """The shares divided by their sum, which rounding keeps from being one."""
        return tuple(share / sum(self.shares) for share in self.shares)


class ControlDraw:
    """Draws values for one controls file.

    Dimensions that a pair names are called paired. They are drawn together; all others are drawn
    independently.

    Args:
        shares: target share by dimension and value.
        pairs: pairs of values that are never requested together.
    """

    def __init__(self, shares: Mapping[str, ShareByValue], pairs: Sequence[ValuePair]) -> None:
        self._dimensions = [
            DimensionTargets(name, tuple(by), tuple(by.values())) for name, by in shares.items()
        ]
        names = {dimension for pair in pairs for dimension, _ in pair}
        self._paired_places = [
            place for place, dimension in enumerate(self._dimensions) if dimension.id in names
        ]
        paired = [self._dimensions[place] for place in self._paired_places]
        # An axis for each paired dimension; 0 for a combination to avoid, else 1.
        self._allowed = np.ones([len(dimension.values) for dimension in paired])
        for pair in map(dict, pairs):
            self._allowed[
                tuple(
                    dimension.values.index(pair[dimension.id])
                    if dimension.id in pair
                    else slice(None)
                    for dimension in paired
                )
            ] = 0
        # A row for each value of the first paired dimension: which combinations of the others it
        # allows.
        self._allowed_rows = (
            self._allowed.reshape(len(self._allowed), -1) if paired else self._allowed
        )
        self._hash_keys = [
            f"\0{dimension.id}\0{value}".encode()
            for dimension in self._dimensions
            for value in dimension.values
        ]
        ends = list(itertools.accumulate(len(dimension.values) for dimension in self._dimensions))
        self._slices = [slice(*ends) for ends in itertools.pairwise([0, *ends])]

    def draw(self, run_seed: int, number: int, task: int, pool: Pool) -> dict[str, str]:
        """The values of one task. They depend on the arguments and the file alone."""
        (times,) = self._ring_times(run_seed, number, [task])
        return self._by_dimension(self._draw(times, self._counts(pool), []))

    def draw_all(self, run_seed: int, number: int, tasks: int, pool: Pool) -> list[dict[str, str]]:
        """The values of each task of a request; values of earlier tasks are drawn less often."""
        counts = self._counts(pool)
        drawn: list[list[int]] = []
        for times in self._ring_times(run_seed, number, range(tasks)):
            drawn.append(self._draw(times, counts, drawn))
        return [self._by_dimension(places) for places in drawn]

    def unreachable_shares(self) -> Iterator[tuple[tuple[str, str], str]]:
        """Values whose target share `avoid` rules out: (dimension, value), and what to do."""
        product = self._product(self._base_weights)
        for axis, place in enumerate(self._paired_places):
            dimension, reached_shares = self._dimensions[place], _marginal_shares(product, axis)
            for value, share, reached in zip(
                dimension.values, dimension.shares, reached_shares, strict=True
            ):
                if not abs(reached - share) <= FIT_TOLERANCE:
                    fault = f"avoid allows a share of {reached:.1%}, not {share:.1%}"
                    hint = "change the share or remove it from an avoid"
                    yield (dimension.id, value), f"{fault}; {hint}"

    def _counts(self, pool: Pool) -> list[list[float]]:
        counts = [pool.get(dimension.id, {}) for dimension in self._dimensions]
        return [
            [by_value.get(value, 0) for value in dimension.values]
            for dimension, by_value in zip(self._dimensions, counts, strict=True)
        ]

    def _by_dimension(self, places: Sequence[int]) -> dict[str, str]:
        return {
            dimension.id: dimension.values[place]
            for dimension, place in zip(self._dimensions, places, strict=True)
        }

    def _draw(
        self, all_times: list[float], pool_counts: list[list[float]], earlier: list[list[int]]
    ) -> list[int]:
        """The place of the drawn value, by dimension."""
        weights: list[list[float]] = []
        for place, dimension in enumerate(self._dimensions):
            requested = sorted([task[place] for task in earlier])
            counts = pool_counts[place].copy() if requested else pool_counts[place]
            for value in set(requested):
                counts[value] += requested.count(value)
            horizon = POOL_HORIZON + POOL_HORIZON_PER_ROW * sum(counts)
            factors = _demand_factors(dimension, counts, horizon)
            own = list(map(mul, self._base_weights[place], factors))
            if requested:
                own = list(map(mul, own, _request_factors(dimension, tuple(requested))))
            weights.append(own)
        times = [all_times[part] for part in self._slices]
        drawn = self._draw_paired(weights, times)
        return [
            drawn[place] if place in drawn else _first_to_ring(times[place], own)
            for place, own in enumerate(weights)
        ]

    def _draw_paired(self, weights: list[list[float]], times: list[list[float]]) -> dict[int, int]:
        """The values of the paired dimensions; each depends on the values drawn before it."""
        if not self._paired_places:
            return {}
        first, *others = self._paired_places
        after = np.ones(1)  # the weights of all combinations of the others
        for place in others:
            after = (after[:, None] * np.array(weights[place])).ravel()
        sums: list[float] = (self._allowed_rows @ after).tolist()
        drawn = {first: _first_to_ring(times[first], list(map(mul, weights[first], sums)))}
        left = (self._allowed_rows[drawn[first]] * after).tolist()
        for place in others:
            size = len(left) // len(weights[place])
            parts = [left[start : start + size] for start in range(0, len(left), size)]
            drawn[place] = _first_to_ring(times[place], [sum(part) for part in parts])
            left = parts[drawn[place]]
        return drawn

    def _ring_times(self, run_seed: int, number: int, tasks: Sequence[int]) -> list[list[float]]:
        """By task: when the clock of each value rings, if every clock runs at weight one."""
        digests = []
        for task in tasks:
            prefix = blake2b(f"{run_seed}\0{number}\0{task}".encode(), digest_size=8)
            for key in self._hash_keys:
                digest = prefix.copy()  # takes half the time of hashing the prefix again
                digest.update(key)
                digests.append(digest.digest())
        drawn = np.frombuffer(b"".join(digests), ">u8").reshape(len(tasks), -1).astype(float)
        times: list[list[float]] = np.maximum(
            -np.log((drawn + 1) / HASH_COUNT), LEAST_TIME
        ).tolist()
        return times

    @cached_property
    def _base_weights(self) -> list[Sequence[float]]:
        """Weights that give every value its share in spite of `avoid` (proportional fitting)."""
        weights: list[Sequence[float]] = [dimension.shares for dimension in self._dimensions]
        for _ in range(FIT_ROUNDS):
            for axis, place in enumerate(self._paired_places):
                reached_shares = _marginal_shares(self._product(weights), axis)
                parts = zip(
                    weights[place], self._dimensions[place].shares, reached_shares, strict=True
                )
                new = [reached and weight * share / reached for weight, share, reached in parts]
                total = sum(new) or 1
                weights[place] = [weight / total for weight in new]
        return weights

    def _product(self, weights: list[Sequence[float]]) -> NDArray[Any]:
        """The weight of every combination: the product of its values' weights, 0 if to avoid."""
        along = [np.array(weights[place]) for place in self._paired_places]
        return math.prod(np.ix_(*along), start=self._allowed)


def _marginal_shares(product: NDArray[Any], axis: int) -> list[float]:
    """The share of each value of a dimension among weighted combinations."""
    summed = product.sum(axis=tuple(a for a in range(product.ndim) if a != axis))
    shares: list[float] = (summed / (summed.sum() or 1)).tolist()
    return shares


@lru_cache(maxsize=4096)
def _request_factors(dimension: DimensionTargets, requested: tuple[int, ...]) -> Sequence[float]:
    """The factor of each value, given the places that the request's other tasks have.

    There are few cases, so the cache answers most calls.
    """
    counts = [0.0] * len(dimension.values)
    for place in requested:
        counts[place] += 1
    # Short cut for many values: every requested value is at the lower bound, and no other value
    # is at a bound.
    others = sum(share for share, n in zip(dimension.shares, counts, strict=True) if not n)
    most = len(requested) / others if others else math.inf  # highest rows per share of the rest
    least = min(counts[place] / dimension.shares[place] for place in requested)
    bounded = least > most + (1 - LEAST_FACTOR) * REQUEST_HORIZON + ROUNDING_SLACK
    if bounded and most < (MOST_FACTOR - 1) * REQUEST_HORIZON - ROUNDING_SLACK:
        return [LEAST_FACTOR if n else 1.0 for n in counts]
    return _demand_factors(dimension, counts, REQUEST_HORIZON)


def _demand_factors(
    dimension: DimensionTargets, counts: Sequence[float], horizon: float
) -> Sequence[float]:
    """How many times its share each value is requested, to fill what the pool lacks.

    The factor is (share * (rows + horizon) - count) / (share * horizon). A value beyond a bound
    gets the bound as its factor and is left out of the sums; the furthest value is left out first.
    Otherwise a value that never yields a row would make all other values look over-full.
    """
    rows = sum(counts)
    factors = [
        1 + (part * rows - n) / (share * horizon)
        for part, share, n in zip(
            dimension.normalized_shares, dimension.shares, counts, strict=True
        )
    ]
    if min(factors) >= LEAST_FACTOR and max(factors) <= MOST_FACTOR:
        return factors
    shares, left = list(dimension.shares), list(counts)  # 0 for values that are left out
    bounded: dict[int, float] = {}
    # Fewer rows per share always mean a higher factor, so leaving values out keeps this order.
    rising = sorted(range(len(factors)), key=factors.__getitem__)
    while True:
        total, rows = sum(shares), sum(left)
        beyond: list[tuple[float, str, int, float]] = []
        for order in (rising, reversed(rising)):
            for place in order:
                if place in bounded:
                    continue
                short = shares[place] / total * rows - left[place]
                factor = 1 + short / (shares[place] * horizon)
                if not LEAST_FACTOR <= factor <= MOST_FACTOR:
                    beyond.append((abs(short), dimension.values[place], place, factor))
                elif LEAST_FACTOR + ROUNDING_SLACK < factor < MOST_FACTOR - ROUNDING_SLACK:
                    break  # all values after it in this order are within the bounds
        if not beyond:
            break
        *_, place, factor = max(beyond)
        bounded[place] = MOST_FACTOR if factor > 1 else LEAST_FACTOR
        shares[place] = left[place] = 0.0
    return [
        bounded[place] if share == 0 else 1 + (share / total * rows - n) / (share * horizon)
        for place, (share, n) in enumerate(zip(shares, left, strict=True))
    ]


def _first_to_ring(times: Sequence[float], weights: Sequence[float]) -> int:
    """The place of the value whose clock rings first, if each clock runs at its weight.

    The chance of a value is proportional to its weight. If one weight changes, only draws to or
    from its value change (rendezvous hashing with weights).
    """
    paces = list(map(truediv, weights, times))
    return paces.index(max(paces))
