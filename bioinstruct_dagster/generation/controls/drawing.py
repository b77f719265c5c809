"""Drawing what to ask: a value of every dimension, by what the pool lacks, never what to avoid.

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

# Rows over which a lack is made good, and what each row of the pool adds. Too few would overshoot.
HORIZON, HORIZON_PER_ROW = 100, 0.1
REQUEST_HORIZON = 4  # the same among the tasks of one request: it spreads them over the values
# Bounds of how many times its share a value is asked for. They keep a value whose rows are always
# rejected from eating the budget, and an over-full one from never being tried again.
FLOOR, CEILING = 0.05, 3.0
FIT_ROUNDS, FIT_GAP = 200, 0.005  # `avoid` may keep a share so far from its target, no further
HASHES, TINY = 2.0**64, 1e-300
SLACK = 1e-9  # more than rounding can move a number of times

ShareByValue = Mapping[str, float]  # by value
Pool = Mapping[str, ShareByValue]  # rows kept or expected, by dimension and value
Pair = tuple[tuple[str, str], tuple[str, str]]  # two (dimension, value) that contradict


@dataclass(frozen=True, eq=False)
class Targets:
    """The values of one dimension and the shares they are to reach, in the order of the file."""

    id: str
    values: tuple[str, ...]
    shares: tuple[float, ...]

    @cached_property
    def parts(self) -> tuple[float, ...]:
        """The shares over their sum, which rounding keeps from one."""
        return tuple(share / sum(self.shares) for share in self.shares)


class ControlDraw:
    """Draws for one controls file.

    Args:
        shares: target share by dimension and value.
        pairs: values never to be asked for together.
    """

    def __init__(self, shares: Mapping[str, ShareByValue], pairs: Sequence[Pair]) -> None:
        self._all = [Targets(name, tuple(by), tuple(by.values())) for name, by in shares.items()]
        names = {dimension for pair in pairs for dimension, _ in pair}
        self._tied = [place for place, one in enumerate(self._all) if one.id in names]
        tied = [self._all[place] for place in self._tied]
        self._allowed = np.ones([len(one.values) for one in tied])  # an axis for each
        for pair in map(dict, pairs):
            self._allowed[
                tuple(
                    one.values.index(pair[one.id]) if one.id in pair else slice(None)
                    for one in tied
                )
            ] = 0
        # Of each value of the first tied dimension, what it allows of all the others.
        self._rows = self._allowed.reshape(len(self._allowed), -1) if tied else self._allowed
        self._names = [f"\0{one.id}\0{value}".encode() for one in self._all for value in one.values]
        ends = list(itertools.accumulate(len(one.values) for one in self._all))
        self._parts = [slice(*ends) for ends in itertools.pairwise([0, *ends])]

    def draw(self, run_seed: int, number: int, task: int, pool: Pool) -> dict[str, str]:
        """What to ask of one task: a function of the arguments and the file alone."""
        (clocks,) = self._clocks(run_seed, number, [task])
        return self._named(self._draw(clocks, self._have(pool), []))

    def draw_all(self, run_seed: int, number: int, tasks: int, pool: Pool) -> list[dict[str, str]]:
        """What to ask of each task of a request; what earlier ones are asked is drawn less."""
        have = self._have(pool)
        drawn: list[list[int]] = []
        for clocks in self._clocks(run_seed, number, range(tasks)):
            drawn.append(self._draw(clocks, have, drawn))
        return [self._named(places) for places in drawn]

    def faults(self) -> Iterator[tuple[tuple[str, str], str]]:
        """Values that `avoid` keeps from their shares: dimension and value, and what to do."""
        product = self._product(self._base)
        for axis, place in enumerate(self._tied):
            one, had = self._all[place], _margin(product, axis)
            for value, share, reached in zip(one.values, one.shares, had, strict=True):
                if not abs(reached - share) <= FIT_GAP:
                    what = f"avoid allows a share of {reached:.1%}, not {share:.1%}"
                    hint = "change the share or remove it from an avoid"
                    yield (one.id, value), f"{what}; {hint}"

    def _have(self, pool: Pool) -> list[list[float]]:
        counts = [pool.get(one.id, {}) for one in self._all]
        return [
            [had.get(value, 0) for value in one.values]
            for one, had in zip(self._all, counts, strict=True)
        ]

    def _named(self, places: Sequence[int]) -> dict[str, str]:
        return {one.id: one.values[at] for one, at in zip(self._all, places, strict=True)}

    def _draw(
        self, rings: list[float], have: list[list[float]], earlier: list[list[int]]
    ) -> list[int]:
        """The place of the value drawn, by dimension."""
        weights: list[list[float]] = []
        for place, one in enumerate(self._all):
            asked = sorted([task[place] for task in earlier])
            counts = have[place].copy() if asked else have[place]
            for value in set(asked):
                counts[value] += asked.count(value)
            in_pool = _lacks(one, counts, HORIZON + HORIZON_PER_ROW * sum(counts))
            own = list(map(mul, self._base[place], in_pool))
            weights.append(list(map(mul, own, _spread(one, tuple(asked)))) if asked else own)
        clocks = [rings[part] for part in self._parts]
        drawn = self._draw_tied(weights, clocks)
        return [
            drawn[place] if place in drawn else _first(clocks[place], own)
            for place, own in enumerate(weights)
        ]

    def _draw_tied(self, weights: list[list[float]], clocks: list[list[float]]) -> dict[int, int]:
        """The values of the tied dimensions: each given those before it."""
        if not self._tied:
            return {}
        one, *others = self._tied
        after = np.ones(1)  # the weights of all combinations of the others
        for place in others:
            after = (after[:, None] * np.array(weights[place])).ravel()
        sums: list[float] = (self._rows @ after).tolist()
        drawn = {one: _first(clocks[one], list(map(mul, weights[one], sums)))}
        left = (self._rows[drawn[one]] * after).tolist()
        for place in others:
            size = len(left) // len(weights[place])
            parts = [left[start : start + size] for start in range(0, len(left), size)]
            drawn[place] = _first(clocks[place], [sum(part) for part in parts])
            left = parts[drawn[place]]
        return drawn

    def _clocks(self, run_seed: int, number: int, tasks: Sequence[int]) -> list[list[float]]:
        """By task when the clock of each value would ring, if all ran at weight one."""
        digests = []
        for task in tasks:
            begun = blake2b(f"{run_seed}\0{number}\0{task}".encode(), digest_size=8)
            for name in self._names:
                one = begun.copy()  # half the time of hashing it all anew
                one.update(name)
                digests.append(one.digest())
        drawn = np.frombuffer(b"".join(digests), ">u8").reshape(len(tasks), -1).astype(float)
        rings: list[list[float]] = np.maximum(-np.log((drawn + 1) / HASHES), TINY).tolist()
        return rings

    @cached_property
    def _base(self) -> list[Sequence[float]]:
        """Weights that give every value its share in spite of `avoid` (proportional fitting)."""
        weights: list[Sequence[float]] = [one.shares for one in self._all]
        for _ in range(FIT_ROUNDS):
            for axis, place in enumerate(self._tied):
                had = _margin(self._product(weights), axis)
                parts = zip(weights[place], self._all[place].shares, had, strict=True)
                new = [reached and weight * share / reached for weight, share, reached in parts]
                total = sum(new) or 1
                weights[place] = [weight / total for weight in new]
        return weights

    def _product(self, weights: list[Sequence[float]]) -> NDArray[Any]:
        """The weight of every combination: the product of its values' weights, 0 if to avoid."""
        along = [np.array(weights[place]) for place in self._tied]
        return math.prod(np.ix_(*along), start=self._allowed)


def _margin(product: NDArray[Any], axis: int) -> list[float]:
    """The share of each value of a dimension among weighted combinations."""
    summed = product.sum(axis=tuple(a for a in range(product.ndim) if a != axis))
    shares: list[float] = (summed / (summed.sum() or 1)).tolist()
    return shares


@lru_cache(maxsize=4096)
def _spread(one: Targets, asked: tuple[int, ...]) -> Sequence[float]:
    """What the other tasks of a request leave lacking; few cases, so that most are known."""
    counts = [0.0] * len(one.values)
    for place in asked:
        counts[place] += 1
    # Where values are many, every one asked for is at the floor, and nothing else is touched.
    others = sum(share for share, n in zip(one.shares, counts, strict=True) if not n)
    most = len(asked) / others if others else math.inf  # rows for its share, whatever is left out
    least = min(counts[place] / one.shares[place] for place in asked)
    floored = least > most + (1 - FLOOR) * REQUEST_HORIZON + SLACK
    if floored and most < (CEILING - 1) * REQUEST_HORIZON - SLACK:
        return [FLOOR if n else 1.0 for n in counts]
    return _lacks(one, counts, REQUEST_HORIZON)


def _lacks(one: Targets, have: Sequence[float], horizon: float) -> Sequence[float]:
    """How many times its share each value is to be asked for, to fill what is lacking.

    That is (share * (rows + horizon) - have) / (share * horizon). A value beyond the bounds is
    set to its bound and left out of the count, the furthest first: otherwise one that never
    yields a row would make all others look over-full, however long it is asked for in vain.
    """
    rows = sum(have)
    times = [
        1 + (part * rows - n) / (share * horizon)
        for part, share, n in zip(one.parts, one.shares, have, strict=True)
    ]
    if min(times) >= FLOOR and max(times) <= CEILING:
        return times
    shares, counts = list(one.shares), list(have)  # 0 for those left out
    bounded: dict[int, float] = {}
    # The fewer rows for its share, the more often, whatever is left out: the order stays the same.
    rising = sorted(range(len(times)), key=times.__getitem__)
    while True:
        total, rows = sum(shares), sum(counts)
        beyond: list[tuple[float, str, int, float]] = []
        for order in (rising, reversed(rising)):
            for place in order:
                if place in bounded:
                    continue
                short = shares[place] / total * rows - counts[place]
                found = 1 + short / (shares[place] * horizon)
                if not FLOOR <= found <= CEILING:
                    beyond.append((abs(short), one.values[place], place, found))
                elif FLOOR + SLACK < found < CEILING - SLACK:
                    break  # so are all further in
        if not beyond:
            break
        *_, place, found = max(beyond)
        bounded[place] = CEILING if found > 1 else FLOOR
        shares[place] = counts[place] = 0.0
    return [
        bounded[place] if share == 0 else 1 + (share / total * rows - n) / (share * horizon)
        for place, (share, n) in enumerate(zip(shares, counts, strict=True))
    ]


def _first(clocks: Sequence[float], weights: Sequence[float]) -> int:
    """The place of the value whose clock, running at its weight, rings first.

    Each does with the chance of its weight, and a change of one weight moves only draws to or from
    its value: rendezvous hashing with weights.
    """
    paces = list(map(truediv, weights, clocks))
    return paces.index(max(paces))
