"""The sample of a task's items: nested, and stable when items are added."""

from bioinstruct_dagster.eval_sets.item import EvaluationItem
from bioinstruct_dagster.evaluation.tasks.samples import sample

ITEMS = [EvaluationItem("medqa", str(number), "Which?") for number in range(200)]


def ids(items):
    return [item.id for item in items]


def test_a_sample_is_nested_and_keeps_the_order():
    small, large = sample(ITEMS, 20, 42), sample(ITEMS, 60, 42)
    assert set(ids(small)) < set(ids(large))
    assert len(small) == 20
    assert ids(large) == sorted(ids(large), key=int)
    assert ids(sample(ITEMS, 20, 43)) != ids(small)
    assert sample(ITEMS, None, 42) == sample(ITEMS, 200, 42) == ITEMS


def test_items_that_are_added_leave_the_draw_of_the_others_alone():
    before = set(ids(sample(ITEMS[:150], 20, 42)))
    after = set(ids(sample(ITEMS, 20, 42)))
    assert len(before & after) >= 10
