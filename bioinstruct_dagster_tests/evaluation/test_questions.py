"""Questions as files: both sides know the same keys, or the work is refused."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.eval_sets.items import items_of
from bioinstruct_dagster.evaluation.held_out import HELD_OUT, held_out_items
from bioinstruct_dagster.evaluation.questions import (
    TaskQuestions,
    questions_of,
    read_questions,
    write_questions,
)
from bioinstruct_dagster.evaluation.spec import EvaluationError
from bioinstruct_dagster.evaluation.tasks.keys import Conditions

CONDITIONS = Conditions("base", "none", "alpaca/1", "auto", None, 42)


@pytest.fixture(scope="module")
def tasks(dataset_rows):
    """All tasks with their fixtures, and the own rows."""
    catalogue = read_tasks()
    found = [
        TaskQuestions(
            task, items_of(task, Path("/no folder"), fixtures=catalogue.fixtures).items[:3]
        )
        for task in catalogue.tasks
    ]
    return [TaskQuestions(HELD_OUT, tuple(held_out_items(dataset_rows[:3]))), *found]


def test_every_task_and_item_survives_the_way_to_the_model_process(tasks, tmp_path):
    questions = replace(
        questions_of(tasks, CONDITIONS),
        missing={"base": [0, 2]},
        known={"base": [1]},
        precision="float32 on cpu",
    )
    write_questions(questions, tmp_path / "questions")
    assert read_questions(tmp_path / "questions", CONDITIONS) == questions


def test_a_process_of_another_version_is_refused(tasks, tmp_path):
    write_questions(questions_of(tasks, CONDITIONS), tmp_path / "questions")
    with pytest.raises(EvaluationError, match="another version of this project"):
        read_questions(tmp_path / "questions", replace(CONDITIONS, seed=1))
    file = tmp_path / "questions" / "questions.json"
    values = json.loads(file.read_text("utf-8"))
    values["tasks"][1]["items"][0]["question"] += "?"
    file.write_text(json.dumps(values), "utf-8")
    with pytest.raises(EvaluationError, match="Install the same version"):
        read_questions(tmp_path / "questions", CONDITIONS)


def test_a_machine_of_another_precision_answers_known_questions_again(tasks):
    questions = replace(
        questions_of(tasks, CONDITIONS),
        missing={"base": [2], "adapter": []},
        known={"base": [0, 1], "adapter": [0]},
        precision="float32 on cpu",
    )
    assert questions.places("base", "float32 on cpu") == [2]
    assert questions.places("base", "bfloat16 on cuda") == [0, 1, 2]
    assert questions.places("adapter", "float32 on cpu") == []
    assert questions.places("another", "float32 on cpu") == []
    assert replace(questions, precision="").places("base", "bfloat16 on cuda") == [2]
