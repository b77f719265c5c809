"""The leaderboard: the main scores of all experiments side by side, and what each rests on.

Scores of an older data set stand at the end and are marked, because other items and other training
rows stand behind them. Belongs here: which experiments are compared, in which order, with which
marks. Does not: the scores of one experiment (evaluation.shown), or finding older results
(dataset.older_results).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bioinstruct_dagster.dataset.older_results import made_results, older_experiments
from bioinstruct_dagster.evaluation.shown import interval
from bioinstruct_dagster.store.database import Store

PRESENT = "present data set"

# The main metric of each whole task, and the averages of categories.
_SCORES = """
    select base_model || '|' || recipe as experiment, task, metric, category, subject, score,
        ci_low, ci_high, rehearsal, items_fingerprint
    from eval_scores
    where items = 'all' and subject <> 'base' and (task <> 'held_out' or category = 'all')
        and (main or (task = 'average' and metric = 'main_metrics'))
    order by task, metric, category, experiment
"""


def leaderboard(store: Store) -> list[dict[str, str]]:
    """A row for each task and experiment: first by task, then the best score.

    The score is the adapter's, with its 95 % interval and the difference to the base model. The
    columns `items` (the beginning of their fingerprint), `rests on` and `rehearsal` say what keeps
    a score from being compared with others.
    """
    older = older_experiments(made_results(store), "eval_scores")
    found: dict[tuple[str, ...], dict[str, dict[str, Any]]] = {}
    for row in store.rows(_SCORES):
        key = (row["task"], row["metric"], row["category"], row["experiment"])
        found.setdefault(key, {})[row["subject"]] = row
    rows = sorted(found.items(), key=lambda item: _place(item[0], item[1], older))
    return [_shown(key, subjects, older) for key, subjects in rows if "adapter" in subjects]


def _place(
    key: tuple[str, ...], subjects: Mapping[str, Mapping[str, Any]], older: Mapping[str, str]
) -> tuple[Any, ...]:
    """The order: by task, results on the present data set first, the best score first."""
    *task, experiment = key
    score = subjects["adapter"]["score"] if "adapter" in subjects else 0.0
    lower_is_better = task[1] == "loss"
    return (*task, experiment in older, score if lower_is_better else -score, experiment)


def _shown(
    key: Sequence[str], subjects: Mapping[str, Mapping[str, Any]], older: Mapping[str, str]
) -> dict[str, str]:
    task, metric, category, experiment = key
    adapter = subjects["adapter"]
    difference = subjects.get("difference")
    return {
        "task": task if task != "average" else f"average of {category}",
        "metric": metric,
        "experiment": experiment,
        "score": interval(adapter),
        "difference to base": interval(difference) if difference else "",
        "items": adapter["items_fingerprint"][:8],
        "rests on": older.get(experiment, PRESENT),
        "rehearsal": "yes" if adapter["rehearsal"] else "no",
    }
