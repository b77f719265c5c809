"""Questions as requests: one for each question, the same for all subjects."""

from dataclasses import replace
from pathlib import Path

import pytest

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.eval_sets.items import EvaluationItem, items_of
from bioinstruct_dagster.evaluation.asked import ask_all
from bioinstruct_dagster.evaluation.engine.requests import AnswerResult, OptionResult
from bioinstruct_dagster.evaluation.held_out import HELD_OUT, held_out_items
from bioinstruct_dagster.evaluation.questions import TaskQuestions, questions_of
from bioinstruct_dagster.evaluation.tasks.keys import Conditions, item_key

CONDITIONS = Conditions("base", "none", "alpaca/1", "auto", None, 42)


@pytest.fixture(scope="module")
def questions(dataset_rows):
    catalogue = read_tasks()
    tasks = [TaskQuestions(HELD_OUT, tuple(held_out_items(dataset_rows[:2])))]
    tasks += [
        TaskQuestions(
            task, items_of(task, Path("/no folder"), fixtures=catalogue.fixtures).items[:2]
        )
        for task in catalogue.tasks
    ]
    return questions_of(tasks, CONDITIONS)


def asked_of(questions, base, places=None, log=lambda _: None):
    places = range(len(questions.keys)) if places is None else places
    return ask_all(questions, list(places), base, 42, log)


def test_every_question_of_every_task_has_its_request(questions, tiny_base):
    asked = asked_of(questions, tiny_base)
    for place, (question, key) in enumerate(questions.keys.items()):
        assert asked[place].question == question
        assert asked[place].key == key
        if asked[place].request:  # a dialogue may be longer than the tiny model's context
            assert asked[place].request.key == key
    assert sum(one.request is not None for one in asked.values()) > len(asked) * 0.9


def test_only_what_is_wanted_is_asked(questions, tiny_base):
    asked = asked_of(questions, tiny_base, [5, 3])
    assert set(asked) == {3, 5}
    whole = asked_of(questions, tiny_base)
    assert asked[3] == whole[3]
    assert asked[5] == whole[5]


def test_a_result_becomes_the_row_of_its_subject(questions, tiny_base):
    asked = asked_of(questions, tiny_base)
    places = {question: place for place, question in enumerate(questions.keys)}
    options = asked[next(place for q, place in places.items() if q[0::2] == ("medqa", "options"))]
    size = len(options.request.option_ids)
    values = tuple(-float(number) for number in range(size))
    row = options.result("adapter", OptionResult(options.key, values))
    assert row.key == item_key(options.key, "adapter")
    asked_of_row = (row.task, row.item_id, row.measure, row.order)
    assert (asked_of_row, row.subject) == (options.question, "adapter")
    assert row.log_likelihoods == values
    assert row.option_tokens == (1,) * size
    assert sorted(row.permutation) == list(range(size))
    assert row.asked
    answer = asked[next(place for q, place in places.items() if q[0::2] == ("phee", "answer"))]
    for ended in (True, False):
        row = answer.result("base", AnswerResult(answer.key, "none", 3, ended=ended))
        told = (row.answer, row.answer_tokens, row.ended, row.measure)
        assert told == ("none", 3, ended, "answer")


def test_an_item_that_does_not_fit_is_a_row_and_said_to_be(questions, tiny_base):
    lines = []
    asked = asked_of(questions, replace(tiny_base, context=48), log=lines.append)
    assert set(asked) == set(range(len(questions.keys)))
    unasked = [one for one in asked.values() if one.request is None]
    assert unasked
    row = unasked[0].result("base", None)
    assert not row.asked
    assert not row.ended
    assert row.log_likelihoods == ()
    assert any("do not fit into the context: not answered" in line for line in lines)


def test_an_option_without_a_token_is_another_reason(tiny_base):
    """Some tokenizers drop signs that they do not know; each drops blanks at the ends."""
    task = read_tasks().task("medqa")
    scoring = task.scoring.model_copy(update={"options": "texts"})
    task = task.model_copy(update={"scoring": scoring})
    item = EvaluationItem("medqa", "1", "Which sign?", options=(" ", "fever"), gold=1)
    lines = []
    asked_of(questions_of([TaskQuestions(task, (item,))], CONDITIONS), tiny_base, log=lines.append)
    said = "medqa: 1 items are not answered: an option has no token in the model's vocabulary"
    assert lines == [said]


def test_a_shortened_passage_is_counted_and_said(questions, tiny_base):
    lines = []
    asked = asked_of(questions, replace(tiny_base, context=200), log=lines.append)
    assert any(one.tokens_lost for one in asked.values())
    assert any("are shortened to fit" in line for line in lines)
