"""Which metrics a task has."""

import pytest

from bioinstruct_dagster.evaluation.metrics.tasks import main_metric, measured_of
from bioinstruct_dagster_tests.evaluation.metrics.items import (
    by_item,
    by_name,
    item,
    result,
    task_of,
)

KINDS = {
    "accuracy": {"kind": "choice"},
    "span_f1_strict": {"kind": "spans", "labels": ["Drug"]},
    "rouge_l": {"kind": "text"},
    "composite": {"kind": "text", "composite": True},
}
ITEMS = {
    "choice": item(1, options=("Aspirin", "Metformin"), gold=0),
    "spans": item(1, spans=(("Drug", "aspirin"),)),
    "text": item(1, answers=("aspirin",)),
}


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_of_task_has_a_main_metric(name):
    assert main_metric(task_of(KINDS[name])) == name


def test_the_main_metric_of_the_own_test_split_is_its_loss():
    assert main_metric(task_of({"kind": "text"}, name="held_out")) == "loss"


@pytest.mark.parametrize("name", [name for name in KINDS if name != "composite"])
def test_the_main_metric_is_measured(name):
    task = task_of(KINDS[name])
    results = by_item(
        result(1, "answer", answer="aspirin"),
        result(1, "options", log_likelihoods=(-1, -2), option_tokens=(1, 1)),
    )
    found = by_name(measured_of(task, [ITEMS[task.scoring.kind]], results))
    assert found[name].item_values() == {"item-1": 1}
    assert "not_asked" not in found


def test_items_that_were_not_asked_or_were_cut_are_counted():
    task = task_of({"kind": "text"})
    items = [item(number, answers=("aspirin",)) for number in range(4)]
    results = by_item(
        result(0, "answer", answer="aspirin"),
        result(1, "answer", answer="aspirin", tokens_lost=12),
        result(2, "answer", asked=False),
    )
    found = by_name(measured_of(task, items, results))
    assert found["not_asked"].item_values() == {"item-0": 0, "item-1": 0, "item-2": 1}
    assert found["shortened"].item_values() == {"item-0": 0, "item-1": 1, "item-2": 0}
    assert found["rouge_l"].item_ids == ("item-0", "item-1")


def test_the_loss_of_references_stands_beside_the_other_metrics():
    task = task_of({"kind": "text"}, name="held_out")
    results = by_item(result(1, "reference", log_likelihoods=(-3.0,), option_tokens=(2,)))
    assert set(by_name(measured_of(task, [ITEMS["text"]], results))) == {"loss"}
