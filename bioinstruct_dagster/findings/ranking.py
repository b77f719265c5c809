"""The leaderboard: experiments by tasks, with intervals, gains over the base model, and places.

Belongs here: which experiments are ranked against each other, and the rows of the table
`leaderboard`. Does not: the comparison of pairs (comparisons.places),
or the figure (figures.leaderboard).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bioinstruct_dagster.evaluation.summaries.trained_on import items_trained_on
from bioinstruct_dagster.findings.comparisons.places import PAIRED, UNPAIRED, Entrant, Place, places
from bioinstruct_dagster.findings.item_values import ItemValues
from bioinstruct_dagster.findings.published import PublishedFigures
from bioinstruct_dagster.findings.stored_scores import (
    HELD_OUT,
    interval_of,
    stored_scores,
    with_repeated_items,
)
from bioinstruct_dagster.store.database import Store

# The statement for a reader who wants the numbers of a figure from the store.
LEADERBOARD = """
    select base_model, recipe, task, category, metric, score, ci_low, ci_high, difference,
        difference_low, difference_high, relative_gain, place_best, place_last, compared, n,
        rehearsal
    from leaderboard
    order by task, metric, category, place_best, place_last, base_model, recipe
"""


def leaderboard_rows(
    store: Store, published: PublishedFigures, stand_ins: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The rows of the table `leaderboard`.

    Args:
        store: with the scores.
        published: figures that are quoted beside ours.
        stand_ins: by the name of a task that stands in for another, the name of the other.
    """
    values = ItemValues(store, stand_ins)
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in with_repeated_items(stored_scores(store), items_trained_on(store)):
        if row["task"] != HELD_OUT or row["category"] == "all":
            groups.setdefault(_equal_items(row), []).append(row)
    made_at = datetime.now(UTC)
    rows = []
    for members in groups.values():
        found, method = _places(members, values)
        for row, place in zip(members, found, strict=True):
            gain = published.gain_beside(row)
            rows.append(
                row
                | {
                    "place_best": place.best,
                    "place_last": place.last,
                    "compared": place.of,
                    "tied_with_best": place.tied_with_best,
                    "compared_by": method,
                    "quoted_gain": gain.gain if gain else None,
                    "quoted_from": published.told(gain) if gain else None,
                    "made_at": made_at,
                }
            )
    return sorted(rows, key=_order)


def _equal_items(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """What scores have in common that may be ranked.

    The losses of two base models are not comparable: their tokens differ.
    """
    of_base = row["base_model"] if row["metric"] == "loss" else ""
    names = ("task", "metric", "category", "task_version", "items_fingerprint", "n")
    return (*(row[name] for name in names), of_base)


def _places(members: Sequence[Mapping[str, Any]], values: ItemValues) -> tuple[list[Place], str]:
    if len(members) == 1:
        return [Place(1, 1, 1)], "no other experiment on these items"
    tasks = values.of(members)
    entrants = [Entrant([row["score"]], [interval_of(row).error]) for row in members]
    items = min(row["clusters"] for row in members)
    if tasks is not None:
        items = min(array.shape[1] for array in tasks)
    found = places(entrants, tasks, items, lower_is_better=members[0]["lower_is_better"])
    return found, PAIRED if tasks is not None else UNPAIRED


def _order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    score = row["score"] if row["lower_is_better"] else -row["score"]
    return (row["task"], row["metric"], row["category"], -row["n"], row["items_fingerprint"],
            score, row["base_model"], row["recipe"])  # fmt: skip
