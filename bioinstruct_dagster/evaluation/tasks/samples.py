"""The random sample of a task's items: those that are scored, and those that get an answer.

Belongs here: the draw. Does not: how many are drawn (evaluation.selection, evaluation.planning).
"""

from collections.abc import Sequence

from bioinstruct_dagster.eval_sets.item import EvaluationItem
from bioinstruct_dagster.models.experiments.subsets import drawn


def sample(items: Sequence[EvaluationItem], most: int | None, seed: int) -> list[EvaluationItem]:
    """At most so many items, drawn by hash, in their given order.

    With one seed, a smaller sample is a part of every larger one. Items that are added to a task
    replace members of the sample, and do not change the draw of the others.

    Args:
        items: of one task.
        most: how many are drawn; None for all.
        seed: the run seed.
    """
    if most is None or len(items) <= most:
        return list(items)
    return drawn(items, most, lambda item: (seed, item.task, item.id))
