"""Item results that are made, not computed: for the tests of what comes after the model process."""

from pathlib import Path

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.eval_sets.items import items_of
from bioinstruct_dagster.evaluation.selection import ChosenTask
from bioinstruct_dagster.evaluation.tasks.item_results import ItemResult
from bioinstruct_dagster.store.fingerprints import sha256_of


def chosen_task(name, count=20):
    """A task of the catalogue with items of its fixture."""
    catalogue = read_tasks()
    task = catalogue.task(name)
    items = items_of(task, Path("/no folder"), fixtures=catalogue.fixtures).items[:count]
    return ChosenTask(task, items, "fixture", len(items), sha256_of([item.id for item in items]))


def choice_results(chosen, right):
    """Results of a subject that chooses the right option of the items that `right` names."""
    return {item.id: choice_result(chosen, item, right=item.id in right) for item in chosen.items}


def choice_result(chosen, item, *, right):
    size = len(item.options) or len(chosen.task.scoring.labels)
    picked = item.gold if right else (item.gold + 1) % size
    values = tuple(-1.0 if place == picked else -3.0 for place in range(size))
    common = {"task": chosen.task.name, "item_id": item.id, "subject": "base"}
    letter = "ABCDEFGH"[picked]
    return [
        *(
            ItemResult(
                f"{item.id}-{order}", **common, measure="options", order=order,
                permutation=tuple(range(size)), log_likelihoods=values, option_tokens=(1,) * size,
            )
            for order in range(chosen.task.scoring.orders)
        ),
        ItemResult(
            f"{item.id}-p", **common, measure="prior", permutation=tuple(range(size)),
            log_likelihoods=(-2.0,) * size, option_tokens=(1,) * size,
        ),
        ItemResult(f"{item.id}-a", **common, measure="answer", answer=letter, answer_tokens=2),
    ]  # fmt: skip
