"""Score against number of instructions, with the spread of the seeds: the paper's Figure 3.

Belongs here: the rows of the table `data_scaling`, and its sizes in pairs. Does not: which
experiments belong to a curve (families), or the figure (figures.scaling).
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, NamedTuple

from bioinstruct_dagster.evaluation.metrics.measured import Floats, Measured, measured_mean
from bioinstruct_dagster.evaluation.statistics.averages import PairedTask, category_gain
from bioinstruct_dagster.findings.comparisons.intervals import Interval
from bioinstruct_dagster.findings.families import scaling_families
from bioinstruct_dagster.findings.family_rows import (
    groups_of_equals,
    measures,
    pooled_over,
    row_of_family,
)
from bioinstruct_dagster.findings.item_values import ItemValues
from bioinstruct_dagster.findings.published import PublishedFigures
from bioinstruct_dagster.findings.stored_scores import HELD_OUT, measured_on, stored_scores
from bioinstruct_dagster.models.experiments import ExperimentMatrix
from bioinstruct_dagster.store.database import Store

# The statement for a reader who wants the numbers of the figure from the store.
DATA_SCALING = """
    select base_model, hyperparameters, trained_on, measured_on, task, category, metric,
        train_rows, rows_asked, seeds, seed_scores, score, ci_low, ci_high, spread, base_score,
        difference, difference_low, difference_high, detectable, n, rehearsal
    from data_scaling
    order by base_model, hyperparameters, trained_on, measured_on, task, category, train_rows
"""
NO_RECIPES = (
    "the experiment file has no recipe of several sizes. Give one a list of rows, such as "
    "rows: [all, 1k, 2k]."
)
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


def scaling_rows(
    store: Store, matrix: ExperimentMatrix, published: PublishedFigures
) -> list[dict[str, Any]]:
    """The rows of the table `data_scaling`: one for each size, curve and measure.

    Args:
        store: with the scores.
        matrix: the experiments; scores of recipes that it has no more are left out.
        published: figures that are quoted beside ours.
    """
    scores = [
        row
        for row in measures(stored_scores(store))
        if row["task"] != HELD_OUT or row["category"] == "all"
    ]
    made_at = datetime.now(UTC)
    rows = []
    for entries in groups_of_equals(scaling_families(matrix), scores, by_categories=True):
        pooled = pooled_over(entries)
        for family, members in entries:
            row = row_of_family(family, members, pooled)
            gain = published.gain_beside(members[0])
            rows.append(
                row
                | {
                    "measured_on": measured_on(members[0]),
                    "rows_asked": family.rows,
                    "train_rows": row["train_rows"] or family.rows,
                    "seed_scores": [one["score"] for one in members],
                    "quoted_gain": gain.gain if gain else None,
                    "quoted_from": published.told(gain) if gain else None,
                    "made_at": made_at,
                }
            )
    return rows


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
