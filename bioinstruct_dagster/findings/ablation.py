"""Which training category helps which evaluation category: the paper's Figure 2.

Belongs here: the rows of the table `category_ablation`. Does not: which experiments belong to an
ablation (families), or the figure (figures.ablation).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from statistics import fmean
from typing import Any

from bioinstruct_dagster.findings.comparisons.intervals import (
    OverSeeds,
    SeedVariance,
    detectable,
    over_seeds,
    seed_variance,
)
from bioinstruct_dagster.findings.comparisons.item_values import ItemValues
from bioinstruct_dagster.findings.comparisons.places import PAIRED, UNPAIRED, Entrant, places
from bioinstruct_dagster.findings.families import Family, ablation_families
from bioinstruct_dagster.findings.stored_scores import (
    AVERAGE,
    HELD_OUT,
    interval_of,
    measured_on,
    stored_scores,
)
from bioinstruct_dagster.models.experiments import ExperimentMatrix
from bioinstruct_dagster.store.database import Store

# The statement for a reader who wants the numbers of the figure from the store.
CATEGORY_ABLATION = """
    select base_model, hyperparameters, trained_on, measured_on, task, category, metric, seeds,
        difference, difference_low, difference_high, relative_gain, relative_low, relative_high,
        detectable, n, tied_with_best, rehearsal
    from category_ablation
    order by base_model, hyperparameters, measured_on, task, category, len(categories), trained_on
"""
Entry = tuple[Family, list[Mapping[str, Any]]]  # with the scores of its seeds, on equal items
# What scores on equal items have in common.
_EQUAL = ("task", "category", "metric", "task_version", "items_fingerprint", "n", "prompt_version",
          "dataset_fingerprint")  # fmt: skip
# The categories of evaluation tasks and those of rows have names of their own.
SAME = {"extraction": "information_extraction"}
NO_RECIPES = (
    "the experiment file has no recipes of single categories or pairs without a number of rows. "
    "Add them, as data/experiments.yaml does."
)


def ablation_rows(
    store: Store, matrix: ExperimentMatrix, stand_ins: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The rows of the table `category_ablation`: one for each training set and measure.

    Args:
        store: with the scores.
        matrix: the experiments; scores of recipes that it has no more are left out.
        stand_ins: by the name of a task that stands in for another, the name of the other.
    """
    scores = list(measures(stored_scores(store)))
    values = ItemValues(store, stand_ins)
    made_at = datetime.now(UTC)
    groups = groups_of_equals(ablation_families(matrix), scores)
    rows = []
    for entries in groups:
        pooled = pooled_over(entries)
        ties = _tied_with_best(entries, values)
        for (family, members), (tied, method) in zip(entries, ties, strict=True):
            first = members[0]
            rows.append(
                row_of_family(family, members, pooled)
                | {
                    "measured_on": measured_on(first),
                    "trained_on_it": SAME.get(first["category"], first["category"])
                    in family.categories,
                    "tied_with_best": tied,
                    "compared": len(entries),
                    "compared_by": method,
                    "made_at": made_at,
                }
            )
    return rows


def measures(scores: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The scores of categories: averages, single tasks of categories without, and the test split.

    A category of evaluation tasks has an average if several of its tasks are scored.
    """
    averaged = {
        (row["base_model"], row["recipe"], row["category"])
        for row in scores
        if row["task"] == AVERAGE
    }
    for row in scores:
        of_category = (row["base_model"], row["recipe"], row["category"])
        if row["task"] in {AVERAGE, HELD_OUT} or of_category not in averaged:
            yield row


def groups_of_equals(
    planned: Sequence[Family], scores: Sequence[Mapping[str, Any]], *, by_categories: bool = False
) -> list[list[Entry]]:
    """The scored families of each base model, variant and measure, on equal items.

    Seeds on another data set, prompt or version of a task are no seeds of the same experiment, so
    they are a family in another group.

    Args:
        planned: the families of a design.
        scores: of all experiments.
        by_categories: whether families of other categories are in groups of their own.
    """
    of_experiment: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in scores:
        of_experiment.setdefault((row["base_model"], row["recipe"]), []).append(row)
    groups: dict[tuple[Any, ...], list[Entry]] = {}
    for family in planned:
        found: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
        for one in family.experiments:
            for row in of_experiment.get(one, ()):
                found.setdefault(tuple(row[name] for name in _EQUAL), []).append(row)
        own = (family.base_model, family.variant, family.categories if by_categories else ())
        for key, members in found.items():
            groups.setdefault((*own, *key), []).append((family, members))
    return list(groups.values())


def pooled_over(entries: Sequence[Entry]) -> dict[str, SeedVariance | None]:
    """The variance over seeds of each number, pooled over the families of a group."""
    return {
        name: seed_variance(
            [row[name] for row in members if row[name] is not None] for _, members in entries
        )
        for name in ("score", "difference", "relative_gain")
    }


def row_of_family(
    family: Family,
    members: Sequence[Mapping[str, Any]],
    pooled: Mapping[str, SeedVariance | None],
) -> dict[str, Any]:
    """What the tables of findings say of a family of seeds and one measure.

    Args:
        family: what was trained.
        members: the scores of its seeds, on equal items.
        pooled: the variance over seeds, from `pooled_over`.
    """
    first = members[0]
    score = over_seeds([interval_of(row) for row in members], pooled["score"])
    found: dict[str, Any] = {
        "base_model": family.base_model,
        "variant": family.variant,
        "hyperparameters": family.hyperparameters,
        "trained_on": family.trained_on,
        "categories": list(family.categories),
        "recipes": [row["recipe"] for row in members],
        "seeds": score.seeds,
        "train_rows": _mean(row["train_rows"] for row in members),
        **{name: first[name] for name in ("task", "category", "metric", "n", "items_source",
           "items_fingerprint", "prompt_version", "dataset_fingerprint", "base_score", "base_low",
           "base_high", "lower_is_better")},
        "score": score.mean.score,
        "ci_low": None if score.mean.low is None else max(score.mean.low, 0.0),
        "ci_high": _below(score.mean.high, first["metric"]),
        "spread": score.spread,
        "older": next((row["older"] for row in members if row["older"]), None),
        "rehearsal": any(row["rehearsal"] for row in members),
    }  # fmt: skip
    for of, column in (("difference", "difference"), ("relative", "relative_gain")):
        known = [row for row in members if row[column] is not None]
        mean = (
            over_seeds([interval_of(row, of) for row in known], pooled[column]) if known else None
        )
        if mean is None or len(known) < len(members):
            found |= dict.fromkeys((column, f"{of}_low", f"{of}_high"))
        else:
            found |= _columns(mean, column, of)
            found.setdefault("detectable", detectable(mean.mean))  # of the difference, the first
    return found


def _columns(found: OverSeeds, score: str, ends: str) -> dict[str, float | None]:
    mean = found.mean
    return {score: mean.score, f"{ends}_low": mean.low, f"{ends}_high": mean.high}


def _below(high: float | None, metric: str) -> float | None:
    """The upper end of a score's interval: no share is above 1, and a loss has no bound."""
    return high if high is None or metric == "loss" else min(high, 1.0)


def _mean(values: Any) -> float | None:
    known = [float(value) for value in values if value is not None]
    return fmean(known) if known else None


def _tied_with_best(entries: Sequence[Entry], values: ItemValues) -> list[tuple[bool | None, str]]:
    """Whether each training set may be the best one, and by what it was compared."""
    if len(entries) == 1:
        return [(None, "no other training set on these items")]
    flat = [row for _, members in entries for row in members]
    arrays = values.of(flat)
    entrants = [
        Entrant([row["score"] for row in members], [interval_of(row).error for row in members])
        for _, members in entries
    ]
    tasks = None
    items = min(row["clusters"] for row in flat)
    if arrays is not None:
        tasks = [_over_seeds(array, [len(members) for _, members in entries]) for array in arrays]
        items = min(array.shape[1] for array in tasks)
    found = places(entrants, tasks, items, lower_is_better=flat[0]["lower_is_better"])
    method = UNPAIRED if tasks is None else PAIRED
    return [(place.tied_with_best, method) for place in found]


def _over_seeds(values: Any, sizes: Collection[int]) -> Any:
    """The rows of an array, averaged over the seeds of each family."""
    import numpy as np

    ends = np.cumsum(list(sizes))
    return np.stack([part.mean(axis=0) for part in np.split(values, ends[:-1])])
