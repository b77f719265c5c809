"""The folder of task files: what it gives, and how faults in it are named."""

import pytest

from bioinstruct_dagster.eval_sets.catalogue import EvaluationTasksError, read_tasks
from bioinstruct_dagster.eval_sets.task import HubSource
from bioinstruct_dagster_tests.eval_sets.task_files import (
    CHOICE,
    LABELS,
    SPANS,
    TEXT,
    changed,
    tasks_folder,
)

# The paper's nine as recalled; conversation to note is two data sets.
NINE = {
    "medqa", "medmcqa", "pubmedqa", "bioasq", "mednli", "medication_status", "coreference",
    "mts_dialog", "aci_bench", "icliniq",
}  # fmt: skip
SUBSTITUTES = {
    "nli4ct": "mednli",
    "phee": "medication_status",
    "craft_coreference": "coreference",
}


def test_the_shipped_folder_holds_the_nine_tasks_and_their_substitutes():
    tasks = {task.name: task for task in read_tasks().tasks}
    assert {name for name, task in tasks.items() if task.origin == "recalled"} == NINE
    stand_ins = {name: task.stands_in_for for name, task in tasks.items() if task.stands_in_for}
    assert stand_ins == SUBSTITUTES
    assert set(tasks) == NINE | set(SUBSTITUTES)
    assert all(tasks[name].source.credentialed for name in SUBSTITUTES.values())
    assert not any(tasks[name].source.credentialed for name in SUBSTITUTES)


def test_the_shipped_tasks_say_all_that_evaluation_needs():
    for task in read_tasks().tasks:
        assert task.fixture, task.name
        assert task.scoring.kind != "text" or task.category == "generation"
    composite = {task.name for task in read_tasks().tasks if getattr(task.scoring, "composite", 0)}
    assert composite == {"mts_dialog", "aci_bench"}


def test_a_task_has_the_name_of_its_file_and_tasks_stand_by_their_place(tmp_path):
    folder = tasks_folder(
        tmp_path, zebra=changed(TEXT, place=1), ant=TEXT, bee=changed(CHOICE, place=2)
    )
    catalogue = read_tasks(folder)
    assert [task.name for task in catalogue.tasks] == ["zebra", "bee", "ant"]
    assert catalogue.task("bee").scoring.kind == "choice"
    assert catalogue.fixtures == folder / "fixtures"
    with pytest.raises(EvaluationTasksError, match=r"no evaluation task 'cow'. Use one of: zebra"):
        catalogue.task("cow")


def test_a_user_adds_a_task_by_adding_a_file(tmp_path):
    folder = tasks_folder(tmp_path, ours=LABELS)
    before = read_tasks(folder).tasks
    tasks_folder(tmp_path, theirs=SPANS)
    assert [task.name for task in read_tasks(folder).tasks] == ["ours", "theirs"]
    assert read_tasks(folder).tasks[:1] == before


def test_other_files_in_the_folder_are_not_read(tmp_path):
    folder = tasks_folder(tmp_path, ours=TEXT)
    (folder / "README.md").write_text("how to")
    (folder / "fixtures").mkdir()
    assert len(read_tasks(folder).tasks) == 1


def test_all_faults_of_all_files_are_named_at_once(tmp_path):
    folder = tasks_folder(
        tmp_path,
        first=changed(CHOICE, version=0, place="x"),
        second=TEXT,
        third=changed(TEXT, what=""),
    )
    (folder / "fourth.yaml").write_text("a: [")
    with pytest.raises(EvaluationTasksError) as stated:
        read_tasks(folder)
    told = [line.rpartition("/")[2] for line in str(stated.value).splitlines()]
    assert len(told) == 4
    assert told[0].startswith("first.yaml:1: version: must be at least 1, not 0")
    assert told[1].startswith("first.yaml:")
    assert ": place: must be a whole number, not 'x'" in told[1]
    assert told[2].startswith("fourth.yaml:")
    assert told[3].startswith("third.yaml:2: what: is empty")


@pytest.mark.parametrize("name", ["Quiz.yaml", "my quiz.yaml", "1quiz.yaml", "quiz.yml", "Q.YAML"])
def test_a_file_whose_name_is_no_tasks_name_is_refused(tmp_path, name):
    folder = tasks_folder(tmp_path, ours=TEXT)
    (folder / "ours.yaml").rename(folder / name)
    with pytest.raises(EvaluationTasksError, match=r"the file's name is no task's name. Rename"):
        read_tasks(folder)


def test_a_substitute_names_a_task_of_the_folder(tmp_path):
    folder = tasks_folder(tmp_path, quiz=changed(CHOICE, stands_in_for="mednli"))
    with pytest.raises(EvaluationTasksError, match=r"quiz.yaml: stands_in_for: there is no task"):
        read_tasks(folder)
    tasks_folder(tmp_path, mednli=LABELS)
    assert read_tasks(folder).task("quiz").stands_in_for == "mednli"


def test_a_folder_without_tasks_is_refused(tmp_path):
    with pytest.raises(EvaluationTasksError, match=r"holds no .yaml file.*EVALUATION_TASKS"):
        read_tasks(tmp_path)
    with pytest.raises(EvaluationTasksError, match=r"nowhere does not exist.*EVALUATION_TASKS"):
        read_tasks(tmp_path / "nowhere")
    (tmp_path / "old.yaml").write_text("tasks: []")
    with pytest.raises(EvaluationTasksError, match=r"is a file, not a folder.*one YAML file for"):
        read_tasks(tmp_path / "old.yaml")


def test_the_hub_sources_that_ship_are_pinned():
    hubs = [task.source.hub for task in read_tasks().tasks if task.source.hub]
    assert hubs
    assert all(isinstance(hub, HubSource) and len(hub.revision) == 40 for hub in hubs)
