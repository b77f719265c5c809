"""ROUGE, length, loss and the composite of written texts."""

import importlib.util

import pytest

from bioinstruct_dagster.evaluation.metrics.texts import loss_metrics, text_metrics
from bioinstruct_dagster.evaluation.statistics.estimates import estimate
from bioinstruct_dagster_tests.evaluation.metrics.items import (
    by_item,
    by_name,
    item,
    result,
    task_of,
)

TEXT = task_of({"kind": "text"})
REFERENCE = "The patient takes aspirin daily"


def measured(items, *results, task=TEXT, bertscores=None):
    return by_name(text_metrics(task.scoring, items, by_item(*results), bertscores))


def answer(number, text, **values):
    return result(number, "answer", answer=text, **values)


def test_rouge_counts_shared_words_and_pairs_of_words():
    found = measured([item(1, answers=(REFERENCE,))], answer(1, "aspirin daily the patient takes"))
    assert found["rouge_1"].values.tolist() == pytest.approx([1])
    assert found["rouge_2"].values.tolist() == pytest.approx([3 / 4])
    assert found["rouge_l"].values.tolist() == pytest.approx([3 / 5])
    assert found["rouge_l"].bounds == (0, 1)


def test_the_best_of_several_references_counts():
    items = [item(1, answers=("Something else", REFERENCE))]
    assert measured(items, answer(1, REFERENCE))["rouge_l"].values.tolist() == [1]


def test_empty_and_cut_answers_are_counted():
    items = [item(1, answers=(REFERENCE,)), item(2, answers=(REFERENCE,))]
    found = measured(items, answer(1, " "), answer(2, "The patient", ended=False))
    assert found["rouge_l"].values[0] == 0
    assert found["empty_answers"].item_values() == {"item-1": 1, "item-2": 0}
    assert found["cut_answers"].item_values() == {"item-1": 0, "item-2": 1}
    assert estimate(found["length_ratio"], {}, 0).score == pytest.approx(2 / 10)


def test_items_without_reference_or_answer_do_not_count():
    items = [item(1), item(2, answers=(REFERENCE,)), item(3, answers=(REFERENCE,))]
    assert measured(items, answer(1, "x"), answer(2, "x", asked=False)) == {}


def test_the_loss_is_that_of_all_tokens():
    items = [item(1, answers=("a",)), item(2, answers=("b",)), item(3, answers=("c",))]
    results = by_item(
        result(1, "reference", log_likelihoods=(-6.0,), option_tokens=(2,)),
        result(2, "reference", log_likelihoods=(-2.0,), option_tokens=(6,)),
        result(3, "reference", asked=False),
    )
    (loss,) = loss_metrics(items, results)
    assert estimate(loss, {}, 0).score == 1  # and not (3 + 1/3) / 2
    assert loss.item_values() == {"item-1": 3, "item-2": pytest.approx(1 / 3)}
    assert loss.higher_is_better is False
    assert loss_metrics(items, {}) == []


def test_bertscores_are_taken_over():
    items = [item(1, answers=(REFERENCE,)), item(2, answers=(REFERENCE,))]
    found = measured(items, answer(1, "x"), answer(2, "y"), bertscores={"item-1": 0.8})
    assert found["bertscore"].item_values() == {"item-1": 0.8}


@pytest.mark.skipif(
    importlib.util.find_spec("bioinstruct_dagster.evaluation.metrics.composite") is None,
    reason="the composite is not there",
)
def test_the_composite_prefers_what_the_reference_says():
    task = task_of({"kind": "text", "composite": True})
    items = [item(1, answers=(REFERENCE,)), item(2, answers=(REFERENCE,))]
    found = measured(items, answer(1, REFERENCE), answer(2, "He has no pain."), task=task)
    same, other = found["composite"].values
    assert same > other
    assert found["factual_errors"].values.min() >= 0
