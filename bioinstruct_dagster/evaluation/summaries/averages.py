"""The averages over the tasks of a category, as rows of `eval_scores`.

The paper states its gains in this form. Belongs here: which tasks count, and the rows. Does not:
the average and its interval (evaluation.statistics.averages).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from bioinstruct_dagster.evaluation.scoring import TaskResults, main_pair
from bioinstruct_dagster.evaluation.selection import ChosenTask
from bioinstruct_dagster.evaluation.statistics.averages import PairedTask, category_gain
from bioinstruct_dagster.evaluation.statistics.estimates import ScoreEstimate
from bioinstruct_dagster.evaluation.statistics.families import ALL_ITEMS
from bioinstruct_dagster.evaluation.tasks.keys import OWN_TASK

AVERAGE = "average"  # stands for a task in the rows
MEAN, GAIN = "main_metrics", "relative_gain"
_FEWEST_TASKS = 2


def averaged_tasks(tasks: Sequence[ChosenTask]) -> dict[str, list[ChosenTask]]:
    """By category the tasks that its average is over; a category with one task has no average.

    The own test split is none of them. A substitute counts only if its original is not scored.
    """
    scored = {one.task.name for one in tasks}
    found: dict[str, list[ChosenTask]] = {}
    for one in tasks:
        if one.task.name != OWN_TASK and one.task.stands_in_for not in scored:
            found.setdefault(one.task.category, []).append(one)
    return {name: members for name, members in found.items() if len(members) >= _FEWEST_TASKS}


def average_rows(
    category: str, results: Sequence[TaskResults], seed: int
) -> Iterator[dict[str, Any]]:
    """The average of the main metrics of base and adapter, their difference, and the gain.

    Args:
        category: of the tasks.
        results: of each task.
        seed: of the resamples.
    """
    pairs = [
        PairedTask(
            one.chosen.task.name, *pair, {item.id: item.cluster for item in one.chosen.items}
        )
        for one in results
        if (pair := main_pair(one))
    ]
    if len(pairs) < _FEWEST_TASKS:
        return
    gain = category_gain(pairs, seed)
    rows: list[tuple[str, str, ScoreEstimate | None]] = [
        (MEAN, "base", gain.base),
        (MEAN, "adapter", gain.adapter),
        (MEAN, "difference", gain.difference),
        (GAIN, "difference", gain.gain),
    ]
    for metric, subject, found in rows:
        if found is not None:
            yield {
                "task": AVERAGE,
                "metric": metric,
                "category": category,
                "subject": subject,
                "items": ALL_ITEMS,
                **found.columns(),
                "p_holm": None,  # the averages are no tests
                "main": False,
            }
