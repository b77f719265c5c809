"""The task that docs/evaluation.md shows is complete: it loads and asks what the page says."""

import re

import pytest

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.eval_sets.items import items_of, load_items
from bioinstruct_dagster.evaluation.tasks.prompting import input_of
from bioinstruct_dagster_tests.conftest import PROJECT_ROOT

FENCE = re.compile(r"^```(yaml|json|text)\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.fixture
def shown():
    page = (PROJECT_ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    section = page.partition("## How to add a task\n")[2].partition("\n## ")[0]
    return dict(FENCE.findall(section))


@pytest.fixture
def folders(tmp_path, shown):
    tasks, items = tmp_path / "tasks", tmp_path / "eval" / "drug_classes"
    tasks.mkdir()
    items.mkdir(parents=True)
    (tasks / "drug_classes.yaml").write_text(shown["yaml"])
    (items / "test.jsonl").write_text(shown["json"])
    return tasks, tmp_path / "eval"


def test_the_documented_task_loads_without_code(folders):
    tasks, eval_folder = folders
    (task,) = read_tasks(tasks).tasks
    found = items_of(task, eval_folder)
    assert task.name == "drug_classes"
    assert found.source == "files"
    assert [(item.id, item.options[item.gold]) for item in found.items] == [
        ("d1", "ACE inhibitor"),
        ("d2", "Beta blocker"),
    ]
    assert {item.cluster for item in found.items} == {"heart-failure-4"}
    assert load_items(tasks, eval_folder).counts == {"drug_classes": 2}


def test_the_documented_prompt_is_what_the_model_is_asked(folders, shown):
    tasks, eval_folder = folders
    (task,) = read_tasks(tasks).tasks
    item = items_of(task, eval_folder).items[0]
    asked = f"{task.prompt.instruction}\n\n{input_of(task, item, item.options, '')}\n"
    assert asked == shown["text"]
