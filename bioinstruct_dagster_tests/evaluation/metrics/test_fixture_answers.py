"""Right answers to the fixtures reach the best score of every task; others do not."""

import pytest

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.eval_sets.item import options_of
from bioinstruct_dagster.eval_sets.items import items_of
from bioinstruct_dagster.evaluation.metrics.tasks import measured_of
from bioinstruct_dagster.evaluation.statistics.estimates import estimate
from bioinstruct_dagster.evaluation.tasks.item_results import ItemResult

CATALOGUE = read_tasks()
TASKS = {task.name: task for task in CATALOGUE.tasks}
GENERATED = {
    "choice": ("accuracy_generated",),
    "spans": ("span_f1_strict", "span_f1_relaxed"),
    "text": ("rouge_1", "rouge_2", "rouge_l"),
}


def right_answer(task, item):
    if task.scoring.kind == "choice":
        by_letter = task.scoring.options == "letters"
        return "ABCD"[item.gold] if by_letter else options_of(task, item)[item.gold]
    if task.scoring.kind == "spans":
        return "\n".join(f"{label}: {text}" for label, text in item.spans)
    return item.answers[0]


def scores_of(task, items, answer_to):
    results = {
        item.id: [
            ItemResult(
                key=item.id,
                task=task.name,
                item_id=item.id,
                subject="base",
                measure="answer",
                answer=answer_to(task, item),
            )
        ]
        for item in items
    }
    clusters = {item.id: item.cluster for item in items}
    return {
        measured.metric: estimate(measured, clusters, seed=1).score
        for measured in measured_of(task, items, results)
    }


@pytest.fixture(params=TASKS)
def task(request):
    return TASKS[request.param]


@pytest.fixture
def items(task, tmp_path):
    return items_of(task, tmp_path, fixtures=CATALOGUE.fixtures).items


def test_right_answers_to_a_fixture_reach_the_best_score(task, items):
    scores = scores_of(task, items, right_answer)
    for metric in GENERATED[task.scoring.kind]:
        assert scores[metric] == pytest.approx(1.0), metric
    assert scores.get("invalid_answers", 0.0) == 0.0
    if task.scoring.kind == "text" and task.scoring.composite:
        assert scores["composite"] == pytest.approx(1.0)
        assert scores["factual_errors"] == 0.0


def test_the_answers_of_the_next_item_do_not_reach_it(task, items):
    after = dict(zip((item.id for item in items), [*items[1:], items[0]], strict=True))
    scores = scores_of(task, items, lambda task, item: right_answer(task, after[item.id]))
    for metric in GENERATED[task.scoring.kind]:
        assert scores[metric] < 0.7, metric


def test_an_answer_that_says_nothing_is_counted(task, items):
    scores = scores_of(task, items, lambda *_: "")
    for metric in GENERATED[task.scoring.kind]:
        assert scores[metric] == 0.0, metric
    counted = "empty_answers" if task.scoring.kind == "text" else "invalid_answers"
    assert scores[counted] == 1.0
