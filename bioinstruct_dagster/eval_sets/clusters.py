"""Clusters of evaluation items: items that share a passage, a note or a trial.

Such items are not independent, so an interval must count clusters. Belongs here: which items
belong together. Does not: the field that says what an item shares (task), or intervals
(evaluation.statistics).
"""

import hashlib
from collections import Counter
from collections.abc import Sequence

_LONGEST_NAME = 64  # characters; a longer value, such as a passage, is named by its hash


def cluster_names(shared: Sequence[Sequence[str]]) -> list[str]:
    """By item, the name of its cluster; empty for an item that shares nothing with another.

    Two items are in one cluster if they share a value, or if a chain of items connects them. A
    question about two trials so joins the questions about either trial.

    Args:
        shared: by item, the values that it may share with others.
    """
    parent = list(range(len(shared)))
    first: dict[str, int] = {}
    for at, values in enumerate(shared):
        for value in values:
            other = first.setdefault(value, at)
            parent[_root(parent, at)] = _root(parent, other)
    roots = [_root(parent, at) for at in range(len(shared))]
    sizes = Counter(roots)
    names: dict[int, str] = {}
    for root, values in zip(roots, shared, strict=True):
        for value in values:
            names[root] = min(names.get(root, value), value)
    return [_name(names[root]) if sizes[root] > 1 else "" for root in roots]


def _root(parent: list[int], at: int) -> int:
    while parent[at] != at:
        parent[at] = parent[parent[at]]
        at = parent[at]
    return at


def _name(value: str) -> str:
    if len(value) <= _LONGEST_NAME and value.isprintable():
        return value
    return hashlib.sha256(value.encode()).hexdigest()[:16]
