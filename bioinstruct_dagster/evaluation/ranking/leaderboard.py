"""The leaderboard: the main scores of all experiments side by side, and what each rests on.

Only scores on equal items are ranked: the same items, as many of them, asked in the same way.
Belongs here: which experiments are compared, in which order, and what is named beside a score. Does
not: the scores of one experiment (evaluation.shown), or whether a score is older than the present
data set (dataset.older_results), which a table that is kept can't say.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bioinstruct_dagster.dataset.older_results import SHORT
from bioinstruct_dagster.evaluation.shown import interval
from bioinstruct_dagster.evaluation.summaries.trained_on import items_trained_on
from bioinstruct_dagster.store.database import Store

# The main metric of each whole task, and the averages of categories.
_SCORES = """
    select base_model || '|' || recipe as experiment, task, task_version, metric, category, subject,
        score, ci_low, ci_high, n, rehearsal, items_fingerprint, items_source, dataset_fingerprint
    from eval_scores
    where items = 'all' and subject <> 'base' and (task <> 'held_out' or category = 'all')
        and (main or (task = 'average' and metric = 'main_metrics'))
    order by task, metric, category, experiment
"""


def leaderboard(store: Store) -> list[dict[str, str]]:
    """A row for each task and experiment: by task and items, and among equal items the best first.

    The score is the adapter's, with its 95 % interval and the difference to the base model. Rows
    whose `items` and `n` differ are not comparable. The columns `items from`, `data set` (on which
    the adapter was trained), `items trained on` and `rehearsal` say what else a score rests on.
    """
    trained_on = items_trained_on(store)
    found: dict[tuple[str, ...], dict[str, dict[str, Any]]] = {}
    for row in store.rows(_SCORES):
        key = (row["task"], row["metric"], row["category"], row["experiment"])
        found.setdefault(key, {})[row["subject"]] = row
    ranked = sorted(
        (subjects for subjects in found.values() if "adapter" in subjects),
        key=lambda subjects: _place(subjects["adapter"]),
    )
    return [_shown(subjects, trained_on) for subjects in ranked]


def equal_items(row: Mapping[str, str]) -> tuple[str, ...]:
    """What two rows of the leaderboard have in common if they may be ranked."""
    return tuple(row[name] for name in ("task", "metric", "n", "items"))


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """The order: by task, the most items first, and among equal items the best score first."""
    score = row["score"] if row["metric"] == "loss" else -row["score"]
    of_task = (row["task"], row["metric"], row["category"])
    return (*of_task, -row["n"], _items(row), score, row["experiment"])


def _items(row: Mapping[str, Any]) -> str:
    """The beginnings of the fingerprint of the items, and of the version of the task."""
    return f"{row['items_fingerprint'][:8]}/{row['task_version'][:8]}"


def _shown(
    subjects: Mapping[str, Mapping[str, Any]], trained_on: Mapping[tuple[str, str, str], int]
) -> dict[str, str]:
    adapter = subjects["adapter"]
    difference = subjects.get("difference")
    average = adapter["task"] == "average"
    category = adapter["category"] if average else ""
    return {
        "task": f"average of {category}" if average else adapter["task"],
        "metric": adapter["metric"],
        "n": f"{adapter['n']:,}",
        "items": _items(adapter),
        "items from": adapter["items_source"],
        "experiment": adapter["experiment"],
        "score": interval(adapter),
        "difference to base": interval(difference) if difference else "",
        "data set": adapter["dataset_fingerprint"][:SHORT],
        "items trained on": str(
            trained_on.get((adapter["experiment"], adapter["task"], category), 0)
        ),
        "rehearsal": "yes" if adapter["rehearsal"] else "no",
    }


def groups_of_equals(rows: Sequence[dict[str, str]]) -> list[list[dict[str, str]]]:
    """The rows that may be ranked, by their equal items: groups of two or more, in their order."""
    groups: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for row in rows:
        groups.setdefault(equal_items(row), []).append(row)
    return [group for group in groups.values() if len(group) > 1]
