"""A task's file: what it may say, and how each fault in it is named."""

import pytest

from bioinstruct_dagster.eval_sets.catalogue import EvaluationTasksError, read_tasks
from bioinstruct_dagster_tests.eval_sets.task_files import (
    CHOICE,
    LABELS,
    SPANS,
    TEXT,
    changed,
    read_task,
    tasks_folder,
)


@pytest.mark.parametrize("task", [CHOICE, LABELS, SPANS, TEXT])
def test_the_smallest_file_of_each_kind_is_enough(tmp_path, task):
    read = read_task(tmp_path, task)
    assert read.scoring.kind == task["scoring"]["kind"]
    assert read.origin == "own"
    assert read.fields.id == "id?"


def test_the_answer_can_name_the_right_option(tmp_path):
    answer = {"answer": {"index": "a", "first": 1}, "gold": None}
    read = read_task(tmp_path, changed(CHOICE, fields=answer))
    assert read.fields.right_option.index == "a"


def fault_of(tmp_path, task):
    with pytest.raises(EvaluationTasksError) as stated:
        read_tasks(tasks_folder(tmp_path, quiz=task))
    assert str(stated.value).startswith(str(tmp_path / "tasks" / "quiz.yaml:"))
    return str(stated.value)


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (changed(CHOICE, fields={"question": "a b"}), "fields.question: 'a b' is no path"),
        (
            changed(CHOICE, fields={"anser": "a"}),
            "fields.anser: unknown key 'anser'; did you mean 'answer'?",
        ),
        (changed(CHOICE, fields={"question": None}), "fields.question: missing"),
        (changed(CHOICE, nmae="quiz"), "nmae: unknown key 'nmae'"),
        (changed(CHOICE, name="quiz"), "name: unknown key 'name'"),
        (changed(CHOICE, scoring={"kind": "chioce"}), "scoring.kind: must be one of"),
        (
            changed(CHOICE, fields={"options": None}),
            "fields.gold: picks an option, but the task has no `options`",
        ),
        (changed(CHOICE, fields={"gold": {}}), "fields.gold: must have either `letter` or `index`"),
        (changed(CHOICE, fields={"gold": None}), "fields.gold: missing; add the field that says"),
        (
            changed(LABELS, fields={"options": "o"}),
            "fields.options: give either the items' own `options`, or `labels`",
        ),
        (changed(CHOICE, prompt={"prior": None}), "prompt.prior: missing"),
        (changed(CHOICE, prompt={"prior": "{question}"}), "prompt.prior: holds {question}"),
        (changed(CHOICE, prompt={"input": "{question}"}), "prompt.input: must hold {options}"),
        (changed(CHOICE, prompt={"input": "{options}"}), "prompt.input: must hold {question}"),
        (
            changed(CHOICE, prompt={"input": "{question} {question}\n\n{options}"}),
            "prompt.input: holds {question} more than once",
        ),
        (changed(TEXT, prompt={"input": "{question} {note}"}), "prompt.input: holds {note}"),
        (changed(TEXT, prompt={"instruction": "Do {question}"}), "it has no placeholders"),
        (changed(LABELS, scoring={"orders": 2}), "scoring.orders: must be 1"),
        (changed(TEXT, prompt={"prior": "x"}), "prompt.prior: is for a choice among options"),
        (changed(TEXT, fields={"answer": None}), "fields.answer: must be the path"),
        (
            changed(SPANS, fields={"spans": {"Drug": "d", "Route": "r"}}),
            "fields.spans.Route: is no label of `scoring` (Drug, Dose)",
        ),
        (changed(SPANS, fields={"spans": None}), "fields.spans: give the right spans"),
        (changed(CHOICE, source={"format": "xml"}), "source.format: must be one of jsonl"),
        (changed(CHOICE, source={"licence": None}), "source.licence: missing"),
        (
            changed(CHOICE, source={"hub": {"id": "a/b", "revision": "main", "split": "test"}}),
            "source.hub.revision: 'main' is no commit",
        ),
        (
            changed(CHOICE, source={"hub": {"id": "a", "revision": 40 * "0", "split": "test"}}),
            "source.hub.id: 'a' is no data set of the hub",
        ),
        (
            changed(
                CHOICE,
                source={
                    "hub": {
                        "id": "a/b",
                        "revision": 40 * "0",
                        "split": "test",
                        "fields": {"question": "q"},
                    }
                },
            ),
            "source.hub.fields.gold: missing",
        ),
        (changed(CHOICE, fixture="../x.jsonl"), "fixture: must be a file's name"),
        (
            changed(CHOICE, stands_in_for="quiz", origin="recalled"),
            "origin: a substitute is none of the paper's tasks",
        ),
    ],
)
def test_a_fault_is_named_by_file_and_field(tmp_path, task, said):
    assert said in fault_of(tmp_path, task)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("", "must be relative to the evaluation folder"),
        (".", "must be relative to the evaluation folder"),
        ("../x", "must be relative to the evaluation folder"),
        ("/abs/*.jsonl", "must be relative to the evaluation folder"),
        ("medqa/**.jsonl", "has ** beside other characters"),
        ("a**/x.jsonl", "has ** beside other characters"),
        ("***/x.jsonl", "has ** beside other characters"),
        ("**", "matches folders only"),
        ("medqa/", "matches folders only"),
        ("a\0b", "holds a control character"),
        ("a\nb", "holds a control character"),
        ("~/x", "begins with ~"),
        ("~user/x", "begins with ~"),
        (" medqa/x", "has blanks around it"),
        ("medqa/[.jsonl", "has a [ without its ]"),
        ("medqa/[!]x", "has a [ without its ]"),
        ("medqa/[]x", "has a [ without its ]"),
        ("medqa/[a/b].jsonl", "has a [ without its ]"),
    ],
)
def test_a_pattern_that_can_match_no_file_is_refused(tmp_path, pattern, said):
    fault = fault_of(tmp_path, changed(CHOICE, source={"files": ["x", pattern]}))
    assert f"source.files.2: {pattern!r} {said}" in fault


def test_a_task_survives_the_way_to_another_process():
    for task in read_tasks().tasks:
        assert type(task).model_validate_json(task.model_dump_json()) == task
        assert type(task).model_validate(task.model_dump(mode="json")) == task
