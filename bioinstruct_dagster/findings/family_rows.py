"""Scores of families of seeds: which scores are on equal items, and what a table says of a family.

Belongs here: what the ablation and the curves have in common. Does not: their own columns
(ablation, scaling), or which experiments are families (families).
"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from bioinstruct_dagster.findings.comparisons.intervals import detectable
from bioinstruct_dagster.findings.comparisons.seeds import (
    OverSeeds,
    SeedVariance,
    over_seeds,
    seed_variance,
)
from bioinstruct_dagster.findings.families import Family
from bioinstruct_dagster.findings.stored_scores import AVERAGE, HELD_OUT, interval_of

Entry = tuple[Family, list[Mapping[str, Any]]]  # with the scores of its seeds, on equal items
# What scores on equal items have in common.
_EQUAL = ("task", "category", "metric", "task_version", "items_fingerprint", "n", "prompt_version",
          "dataset_fingerprint")  # fmt: skip


def measures(scores: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
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
