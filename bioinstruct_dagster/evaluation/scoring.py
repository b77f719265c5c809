"""From item results to scores: metrics, intervals, and the paired difference of adapter and base.

No model runs here, so scores can be computed again from stored results at any time. Belongs here:
the rows of `eval_scores`, `eval_predictions` and `eval_class_counts` of one task. Does not: a
metric (evaluation.metrics), an interval (evaluation.statistics), or storing rows
(evaluation.assets).
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from bioinstruct_dagster.eval_sets.items import EvaluationItem, options_of
from bioinstruct_dagster.evaluation.metrics.measured import Measured
from bioinstruct_dagster.evaluation.metrics.tasks import main_metric, measured_of
from bioinstruct_dagster.evaluation.selection import ChosenTask
from bioinstruct_dagster.evaluation.statistics.comparisons import compare
from bioinstruct_dagster.evaluation.statistics.estimates import estimate
from bioinstruct_dagster.evaluation.statistics.families import (
    ALL_ITEMS,
    CLEAN_ITEMS,
    corrected_over_families,
)
from bioinstruct_dagster.evaluation.tasks.item_results import ItemResult
from bioinstruct_dagster.evaluation.tasks.keys import OWN_TASK, task_version
from bioinstruct_dagster.store.fingerprints import sha256_of, sha256_of_file

ALL_CATEGORIES = "all"
Results = Mapping[str, Sequence[ItemResult]]  # by item
_COMPUTED_BY = ("metrics", "statistics", "summaries")  # folders whose code determines a score


@dataclass(frozen=True)
class SubjectResults:
    """What one subject answered to one task.

    Attributes:
        chosen: the task and its items.
        by_item: the results.
        bertscores: by item, if a model for them is given.
    """

    chosen: ChosenTask
    by_item: Results
    bertscores: Mapping[str, float] | None = None

    @cached_property
    def measured(self) -> list[Measured]:
        """All metrics. They are computed when they are first asked for."""
        return measured_of(self.chosen.task, self.chosen.items, self.by_item, self.bertscores)


@dataclass(frozen=True)
class TaskResults:
    """What two subjects answered to one task.

    Attributes:
        chosen: the task and its items.
        base: the base model's results.
        adapter: the adapter's results.
        contaminated: the items that training rows repeat.
        groups: by category, the items of it; empty if the task has one category.
    """

    chosen: ChosenTask
    base: SubjectResults
    adapter: SubjectResults
    contaminated: Collection[str] = ()
    groups: Mapping[str, Collection[str]] = field(default_factory=dict)

    @property
    def category(self) -> str:
        """The category of the rows over all items."""
        return ALL_CATEGORIES if self.groups else self.chosen.task.category


def score_task(results: TaskResults, seed: int) -> list[dict[str, Any]]:
    """The scores of a task: each metric of base, adapter and difference, with intervals.

    The scores are given once over all items, and once more without contaminated ones if there are
    any. `p_holm` is left to `correct_over_tasks`.

    Args:
        results: of both subjects.
        seed: of resamples.
    """
    task, items = results.chosen.task, results.chosen.items
    main = main_metric(task)
    pairs = _pairs(results)
    clean = {item.id for item in items} - set(results.contaminated)
    parts: list[tuple[str, str, Collection[str] | None]] = [(results.category, ALL_ITEMS, None)]
    parts += [(name, ALL_ITEMS, ids) for name, ids in results.groups.items()]
    if results.contaminated:
        parts.append((results.category, CLEAN_ITEMS, clean))
    clusters = {item.id: item.cluster for item in items}
    rows = []
    for category, kind, ids in parts:
        for base, adapter in pairs:
            of = [base, adapter] if ids is None else [one.for_items(ids) for one in (base, adapter)]
            if not of[0].item_ids:
                continue
            rows += [
                {
                    "task": task.name,
                    "task_version": task_version(task),
                    "metric": base.metric,
                    "category": category,
                    "items": kind,
                    "main": base.metric == main,
                    **row,
                }
                for row in _scores(of[0], of[1], clusters, seed)
            ]
    return rows


def main_pair(results: TaskResults) -> tuple[Measured, Measured] | None:
    """The main metric of base and adapter over the items that both have; None without any."""
    main = main_metric(results.chosen.task)
    found = next((pair for pair in _pairs(results) if pair[0].metric == main), None)
    return found if found and found[0].item_ids else None


def _pairs(results: TaskResults) -> list[tuple[Measured, Measured]]:
    """Each metric that both subjects have, over the items that both have."""
    of_base = {one.metric: one for one in results.base.measured}
    pairs = []
    for adapter in results.adapter.measured:
        base = of_base.get(adapter.metric)
        if base is not None:
            both = set(base.item_ids) & set(adapter.item_ids)
            pairs.append((base.for_items(both), adapter.for_items(both)))
    return pairs


def _scores(
    base: Measured, adapter: Measured, clusters: Mapping[str, str], seed: int
) -> Iterator[dict[str, Any]]:
    for subject, measured in (("base", base), ("adapter", adapter)):
        found = estimate(measured, clusters, seed)
        yield {"subject": subject, **found.columns()}
    compared = compare(base, adapter, clusters, seed)
    yield {"subject": "difference", **compared.columns()}


def correct_over_tasks(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows with `p_holm`: p-values corrected by Holm's method over the tasks of an experiment.

    The main metrics of all tasks are one family. Each other metric is a family over the tasks that
    have it. The categories of one task are a family of their own. Scores without contaminated items
    are corrected over the same family: a task without such items counts with its full score.
    """

    def family_of(row: Mapping[str, Any]) -> tuple[Any, ...]:
        metric = None if row["main"] else row["metric"]
        return metric, None if is_task_wide(row) else row["task"]

    return corrected_over_families(rows, family_of)


def is_task_wide(row: Mapping[str, Any]) -> bool:
    """Whether a score is one of a whole task, and not of a category of the test split."""
    return bool(row["task"] != OWN_TASK or row["category"] == ALL_CATEGORIES)


def prediction_rows(results: TaskResults) -> Iterator[dict[str, Any]]:
    """A row for each item and subject: what was answered, and what it is worth."""
    task, items = results.chosen.task, results.chosen.items
    main = main_metric(task)
    for subject, found in (("base", results.base), ("adapter", results.adapter)):
        values: dict[str, dict[str, float]] = {item.id: {} for item in items}
        for measured in found.measured:
            for item_id, value in measured.item_values().items():
                values[item_id][measured.metric] = value
        for item in items:
            of_item = found.by_item.get(item.id, ())
            answer = next((one for one in of_item if one.measure == "answer"), None)
            yield {
                "task": task.name,
                "subject": subject,
                "item_id": item.id,
                "prediction": answer.answer if answer else "",
                "chosen": _chosen(results.chosen, item, of_item),
                "metric": main,
                "value": values[item.id].get(main),
                "metrics": json.dumps(values[item.id]),
                "ended": answer.ended if answer else True,
                "tokens_lost": max((one.tokens_lost for one in of_item), default=0),
                "contaminated": item.id in results.contaminated,
                "answer_key": answer.key if answer else None,
            }


def class_count_rows(results: TaskResults) -> Iterator[dict[str, Any]]:
    """For each F1 score over several classes, the counts of each class by subject."""
    for subject, found in (("base", results.base), ("adapter", results.adapter)):
        for measured in found.measured:
            counts = measured.counts_by_class()
            if len(counts) == 1:  # they are the score itself
                continue
            for name, (true, false, missed) in counts.items():
                yield {
                    "task": results.chosen.task.name,
                    "metric": measured.metric,
                    "subject": subject,
                    "class": name,
                    "true_positives": true,
                    "false_positives": false,
                    "false_negatives": missed,
                }


def _chosen(chosen: ChosenTask, item: EvaluationItem, results: Sequence[ItemResult]) -> str | None:
    """The option that is the likeliest in the first order shown."""
    first = next((one for one in results if one.measure == "options" and one.order == 0), None)
    if first is None or not first.log_likelihoods:
        return None
    likeliest = max(range(len(first.log_likelihoods)), key=first.log_likelihoods.__getitem__)
    return options_of(chosen.task, item)[likeliest]


def scored_from(
    keys: Iterable[str], chosen: ChosenTask, contaminated: Iterable[str], more: Any
) -> str:
    """The hash of all that the scores of a task are computed from, the code of metrics included.

    Args:
        keys: of the item results.
        chosen: the task.
        contaminated: the items that training rows repeat.
        more: what else stands in a row of a score.
    """
    values = [
        code_sha256(),
        task_version(chosen.task),
        chosen.fingerprint,
        chosen.source,
        sorted(contaminated),
        hashlib.sha256("".join(keys).encode()).hexdigest(),
        more,
    ]
    return sha256_of(values)


@cache
def code_sha256() -> str:
    """The hash of the modules that compute metrics, intervals and these rows."""
    here = Path(__file__).parent
    folders = (here / name for name in _COMPUTED_BY)
    files = sorted(path for folder in folders for path in folder.rglob("*") if path.is_file())
    sums = [
        [path.relative_to(here).as_posix(), sha256_of_file(path)]
        for path in [Path(__file__), *files]
        if path.suffix != ".pyc"
    ]
    return sha256_of(sums)
