"""The orders in which an item's options are shown.

A model may prefer a place, such as the first one, whatever stands there. Shown in several orders,
an option's score can be told from its place's. Belongs here: the orders. Does not: prompts
(evaluation.tasks.prompting), or the bias that results show (evaluation.metrics).
"""

import hashlib

from bioinstruct_dagster.eval_sets.item import EvaluationItem, options_of
from bioinstruct_dagster.eval_sets.task import EvaluationTask


def shown_order(
    task: EvaluationTask, item: EvaluationItem, order: int, *, seed: int
) -> tuple[int, ...]:
    """The place among an item's own options of each option shown; empty if it has none.

    Args:
        task: of the item.
        item: the item.
        order: the number of the order, from 0.
        seed: of the experiment. It changes neither order 0 nor that of two options.
    """
    count = len(options_of(task, item))
    return permutation_of(count, order, seed=seed, name=f"{task.name}\n{item.id}") if count else ()


def permutation_of(options: int, order: int, *, seed: int, name: str) -> tuple[int, ...]:
    """The place among the item's own options of each option that is shown.

    Order 0 is the item's own order. The first `options` orders show each option once at each place
    (a Latin square), so that no place is favoured. Further orders begin another square.

    Args:
        options: their number.
        order: the number of the order, from 0.
        seed: of the experiment.
        name: of the item. Items get different orders.
    """
    square, shift = divmod(order, options)
    circle = _shuffled(options, f"{seed}\n{name}\ncircle\n{square}")
    after = {place: circle[(at + shift) % options] for at, place in enumerate(circle)}
    first = _shuffled(options, f"{seed}\n{name}\nfirst\n{square}") if square else range(options)
    return tuple(after[place] for place in first)


def _shuffled(size: int, name: str) -> list[int]:
    """The numbers below `size` in an order that the name determines, in every version of Python."""
    return sorted(range(size), key=lambda at: hashlib.sha256(f"{name}\n{at}".encode()).digest())
