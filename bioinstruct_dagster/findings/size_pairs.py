"""What more instructions changed: two sizes of one curve, paired by item.

Belongs here: which sizes are compared, and the interval of their difference. Does not: the rows of
the curve (scaling), or the statistics (evaluation.statistics).
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from bioinstruct_dagster.evaluation.metrics.measured import Floats, Measured, measured_mean
from bioinstruct_dagster.evaluation.statistics.averages import PairedTask, category_gain
from bioinstruct_dagster.findings.comparisons.intervals import Interval
from bioinstruct_dagster.findings.item_values import ItemValues
from bioinstruct_dagster.findings.stored_scores import stored_scores
from bioinstruct_dagster.store.database import Store

_SEED = 1  # of the bootstrap
_CURVE = ("base_model", "variant", "trained_on", "dataset_fingerprint", "prompt_version", "task",
          "category", "metric", "items_fingerprint", "n")  # fmt: skip


class SizePair(NamedTuple):
    """Two sizes of a curve.

    Attributes:
        small: the row of `data_scaling` with fewer instructions.
        large: the row with more.
        change: the larger size's score minus the smaller one's, each a mean over its seeds. The
            interval counts other items, and not other seeds.
    """

    small: Mapping[str, Any]
    large: Mapping[str, Any]
    change: Interval


def size_pairs(
    rows: Sequence[Mapping[str, Any]], store: Store, stand_ins: Mapping[str, str]
) -> list[SizePair]:
    """Of each curve the smallest size with the largest one, then the neighbours.

    A pair is left out if the stored values of the items do not give its scores.

    Args:
        rows: of the table `data_scaling`.
        store: with the scores and the predictions.
        stand_ins: by the name of a task that stands in for another, the name of the other.
    """
    curves: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["train_rows"]:
            curves.setdefault(tuple(row[name] for name in _CURVE), []).append(row)
    scores = {_name(row, row["recipe"]): row for row in stored_scores(store)}
    values = ItemValues(store, stand_ins)
    found = []
    for curve in curves.values():
        curve.sort(key=lambda row: row["train_rows"])
        ends = [(curve[0], curve[-1])] if len(curve) > 1 else []
        neighbours = list(pairwise(curve)) if len(curve) > 2 else []  # noqa: PLR2004
        for small, large in ends + neighbours:
            change = _change(small, large, scores, values)
            if change:
                found.append(SizePair(small, large, change))
    return found


def _change(
    small: Mapping[str, Any],
    large: Mapping[str, Any],
    scores: Mapping[tuple[str, ...], Mapping[str, Any]],
    values: ItemValues,
) -> Interval | None:
    names = [_name(row, recipe) for row in (small, large) for recipe in row["recipes"]]
    if any(name not in scores for name in names):
        return None
    tasks = values.of([scores[name] for name in names])
    if not tasks:
        return None
    seeds = len(small["recipes"])
    pairs = []
    for place, array in enumerate(tasks):
        first, second = (
            _measured(part.mean(axis=0), small["metric"]) for part in (array[:seeds], array[seeds:])
        )
        alone = dict.fromkeys(first.item_ids, "")
        pairs.append(PairedTask(str(place), first, second, alone))
    difference = category_gain(pairs, _SEED).difference
    return Interval(difference.score, difference.ci_low, difference.ci_high)


def _measured(of_items: Floats, metric: str) -> Measured:
    ends = (0.0, math.inf) if metric == "loss" else (0.0, 1.0)
    by_item = {str(place): float(value) for place, value in enumerate(of_items)}
    return measured_mean(metric, by_item, bounds=ends)


def _name(row: Mapping[str, Any], recipe: str) -> tuple[str, ...]:
    return row["base_model"], recipe, row["task"], row["category"], row["metric"]
