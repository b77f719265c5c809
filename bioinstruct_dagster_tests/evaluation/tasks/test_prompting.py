"""The words of a prompt: what a template becomes for an item."""

import pytest

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.eval_sets.items import EvaluationItem, items_of
from bioinstruct_dagster.evaluation.tasks.prompting import input_of, passage_of, prior_input_of
from bioinstruct_dagster_tests.eval_sets.task_files import CHOICE, LABELS, TEXT, changed, read_task


@pytest.fixture
def task(tmp_path):
    def make(content):
        return read_task(tmp_path, content)

    return make


ITEM = EvaluationItem("quiz", "1", "Sees?", options=("iris", "retina"), context=("One.", "Two."))


def test_letters_are_listed_in_the_order_that_is_shown(task):
    shown = input_of(task(CHOICE), ITEM, ["retina", "iris"], "")
    assert shown == "Sees?\n\nA. retina\nB. iris"
    assert prior_input_of(task(CHOICE), ["iris", "retina"]) == "A. iris\nB. retina"


def test_texts_are_listed_without_letters(task):
    listed = changed(CHOICE, scoring={"kind": "choice", "options": "texts"})
    assert input_of(task(listed), ITEM, ITEM.options, "") == "Sees?\n\n- iris\n- retina"


def test_a_paragraph_without_a_passage_is_left_out(task):
    read = task(LABELS)
    passage = passage_of(read, ITEM)
    assert passage == "One.\n\nTwo."
    assert input_of(read, ITEM, (), passage) == "Text: One.\n\nTwo.\n\nQuestion: Sees?"
    assert input_of(read, ITEM, (), "") == "Question: Sees?"
    assert prior_input_of(read, ()) == "Question:"


def test_a_conversation_is_the_passage_if_the_task_says_so(task):
    read = task(changed(TEXT, prompt={"input": "Talk: {question}", "passage": "question"}))
    assert passage_of(read, ITEM) == "Sees?"
    assert input_of(read, ITEM, (), "S [...] s?") == "Talk: S [...] s?"


def test_braces_in_an_item_are_text(task):
    odd = EvaluationItem("quiz", "1", "Is {context} {options} {x}?", context=("{question}",))
    read = task(LABELS)
    assert input_of(read, odd, (), passage_of(read, odd)) == (
        "Text: {question}\n\nQuestion: Is {context} {options} {x}?"
    )


def test_the_shipped_prompts_hold_all_of_their_fixtures():
    catalogue = read_tasks()
    for task_ in catalogue.tasks:
        items = items_of(task_, catalogue.folder / "nowhere", fixtures=catalogue.fixtures).items
        assert items, task_.name
        for item in items:
            text = input_of(task_, item, item.options, passage_of(task_, item))
            parts = [item.question, *item.context, *item.options]
            assert all(part in text for part in parts), (task_.name, item.id)
            assert item.question not in prior_input_of(task_, item.options)
