"""The main metric of single items, by which adapters on equal items are compared in pairs.

Belongs here: reading the values, and the test that they give the stored score. Does not: the
comparison (comparisons.places).
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from bioinstruct_dagster.evaluation.metrics.measured import Floats
from bioinstruct_dagster.findings.stored_scores import AVERAGE, HELD_OUT, experiment_name
from bioinstruct_dagster.store.database import Store

# A loss is a mean over tokens. The number of tokens of an item is that of the stored result with
# this very loss. Other values count alike.
VALUES = """
    with reference as (
        select distinct task, item_id, -log_likelihoods[1] / option_tokens[1] as value,
            option_tokens[1]::double as tokens
        from eval_items
        where task = $task and measure = 'reference' and asked
            and len(log_likelihoods) = 1 and option_tokens[1] > 0
    ),
    valued as (
        select answer.base_model, answer.recipe, answer.item_id, answer.value,
            coalesce(max(reference.tokens), 1.0) as weight
        from eval_predictions as answer
        left join reference on answer.metric = 'loss' and reference.task = answer.task
            and reference.item_id = answer.item_id and reference.value = answer.value
        where answer.task = $task and answer.subject = 'adapter' and answer.value is not null
            and ($category is null or answer.item_id in (
                select row_id from hf_dataset where category = $category
            ))
        group by all
    )
    select base_model || '|' || recipe as experiment,
        list(item_id order by item_id) as items,
        list(value order by item_id) as item_values,
        list(weight order by item_id) as weights
    from valued
    group by all
"""
_CLOSE = 1e-9  # two ways to add the same numbers


class ItemValues:
    """The values of items, read once for each task.

    Args:
        store: with the predictions.
        stand_ins: by the name of a task that stands in for another, the name of the other.
    """

    def __init__(self, store: Store, stand_ins: Mapping[str, str]) -> None:
        self._store, self._stand_ins = store, stand_ins
        self._read: dict[tuple[str, str | None], dict[str, Any]] = {}

    def of(self, rows: Sequence[Mapping[str, Any]]) -> list[Floats] | None:
        """For each task behind a measure an array of shape (experiments, items).

        The mean of an experiment's values is its score in the task.

        Args:
            rows: of `stored_scores`, of the same measure and of equal items.

        Returns:
            The arrays. None if the stored values do not give the stored scores, as those of an F1
            score, or if items share a passage, so that they are not independent.
        """
        first = rows[0]
        experiments = [experiment_name(row) for row in rows]
        if first["task"] != AVERAGE:
            scores = {experiment_name(row): row for row in rows}
            found = self._of_task(first["task"], _part(first), experiments, scores)
            return None if found is None else [found]
        arrays = []
        for task in self._averaged(first):
            scores = {one: self._mains.get((one, task), {}) for one in experiments}
            found = self._of_task(task, None, experiments, scores)
            if found is None:
                return None
            arrays.append(found)
        means = np.mean([array.mean(axis=1) for array in arrays], axis=0) if arrays else None
        same = means is not None and _close(means, [row["score"] for row in rows])
        return arrays if same else None

    @cached_property
    def _mains(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The score of each experiment's main metric by task."""
        rows = self._store.rows(
            "select base_model, recipe, task, category, score, n, clusters from eval_scores "
            "where main and items = 'all' and subject = 'adapter' and task <> 'held_out'"
        )
        return {(experiment_name(row), row["task"]): row for row in rows}

    def _averaged(self, row: Mapping[str, Any]) -> list[str]:
        """The tasks of an average, by the rule of `evaluation.summaries.averages`."""
        scored = {task for name, task in self._mains if name == experiment_name(row)}
        return sorted(
            task
            for task in scored
            if self._mains[experiment_name(row), task]["category"] == row["category"]
            and self._stand_ins.get(task) not in scored
        )

    def _of_task(
        self,
        task: str,
        category: str | None,
        experiments: Sequence[str],
        scores: Mapping[str, Mapping[str, Any]],
    ) -> Floats | None:
        key = (task, category)
        if key not in self._read:
            rows = self._store.rows(VALUES, {"task": task, "category": category})
            self._read[key] = {row["experiment"]: row for row in rows}
        of_task = self._read[key]
        found = [of_task[one] for one in experiments if one in of_task]
        if len(found) < len(experiments) or any(one["items"] != found[0]["items"] for one in found):
            return None
        n = len(found[0]["items"])
        if any(not one or not one["n"] == one["clusters"] == n for one in scores.values()):
            return None
        values = np.array([one["item_values"] for one in found], dtype=np.float64)
        weights = np.array([one["weights"] for one in found], dtype=np.float64)
        means = (values * weights).sum(axis=1) / weights.sum(axis=1)
        if not _close(means, [scores[one]["score"] for one in experiments]):
            return None
        # The values of a mean that is linear in the items: a weighted mean by the delta method.
        scaled = weights / weights.mean(axis=1, keepdims=True)
        linear: Floats = means[:, None] + scaled * (values - means[:, None])
        return linear


def _part(row: Mapping[str, Any]) -> str | None:
    """The category of the test split whose items are meant; None for all items of the task."""
    return row["category"] if row["task"] == HELD_OUT and row["category"] != "all" else None


def _close(found: Floats, stored: Sequence[float]) -> bool:
    return bool(np.allclose(found, np.array(stored), rtol=_CLOSE, atol=_CLOSE))
