"""Best-fit packing: which rows of an update are computed in one pass, and on which rank.

Belongs here: arithmetic on the lengths of rows. Does not: the order of rows
(training.loop.updates), or the tensors of a pass (models.attention.passes).
"""

from bisect import bisect_left, insort
from collections.abc import Sequence


def best_fit(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Passes of at most `capacity` tokens, each a list of places in `lengths`.

    The longest rows come first, and each goes into the fullest pass that still has room. A row
    that is longer than the capacity has a pass of its own: no row is ever cut. The result depends
    on the lengths and their order alone.
    """
    passes: list[list[int]] = []
    room: list[tuple[int, int]] = []  # (tokens left, pass), in ascending order
    for at in _longest_first(lengths):
        found = bisect_left(room, (lengths[at], -1))
        if found < len(room):
            left, number = room.pop(found)
            passes[number].append(at)
        else:
            left, number = capacity, len(passes)
            passes.append([at])
        insort(room, (left - lengths[at], number))
    return passes


def shares(lengths: Sequence[int], ranks: int) -> list[list[int]]:
    """The places in `lengths` that each rank computes, so that all have about as many tokens."""
    result: list[list[int]] = [[] for _ in range(ranks)]
    loads = [0] * ranks
    for at in _longest_first(lengths):
        rank = loads.index(min(loads))
        result[rank].append(at)
        loads[rank] += lengths[at]
    return result


def _longest_first(lengths: Sequence[int]) -> list[int]:
    return sorted(range(len(lengths)), key=lambda at: (-lengths[at], at))
