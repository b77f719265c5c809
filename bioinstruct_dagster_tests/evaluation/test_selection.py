"""The choice of tasks and items: what is at hand, what the settings say, and nested samples."""

import shutil

import pytest

from bioinstruct_dagster.evaluation.selection import TaskChoiceError, chosen_tasks
from bioinstruct_dagster.settings import Settings


@pytest.fixture
def settings(tmp_path):
    return Settings.of(data_dir=tmp_path / "data", eval_dir=tmp_path / "eval")


def test_without_files_the_embedded_model_gets_fixtures(settings, dataset_rows):
    chosen = chosen_tasks(settings, dataset_rows, rehearsal=True)
    assert chosen.tasks[0].task.name == "held_out"
    assert {one.source for one in chosen.tasks} == {"own", "fixture"}
    assert not chosen.missing


def test_a_real_model_never_gets_fixtures(settings, dataset_rows):
    chosen = chosen_tasks(settings, dataset_rows, rehearsal=False)
    assert [one.task.name for one in chosen.tasks] == ["held_out"]
    assert len(chosen.missing) == 13
    assert "BIOINSTRUCT_EVAL_DIR" in chosen.missing["medqa"]


def test_files_without_rows_are_said_to_have_none(settings, dataset_rows):
    folder = settings.eval_sets.folder / "pubmedqa"
    folder.mkdir(parents=True)
    (folder / "empty.jsonl").write_text("")
    chosen = chosen_tasks(settings, dataset_rows, rehearsal=False)
    assert chosen.missing["pubmedqa"].startswith("no rows in pubmedqa/")
    assert "has none of" in chosen.missing["medqa"]


def test_files_come_before_fixtures_also_for_the_embedded_model(settings, dataset_rows):
    fixture = settings.eval_sets.tasks / "fixtures" / "pubmedqa.jsonl"
    folder = settings.eval_sets.folder / "pubmedqa"
    folder.mkdir(parents=True)
    shutil.copy(fixture, folder / "ori_pqal.jsonl")
    chosen = chosen_tasks(settings, dataset_rows, rehearsal=True)
    sources = {one.task.name: one.source for one in chosen.tasks}
    assert sources["pubmedqa"] == "files"
    assert sources["medqa"] == "fixture"


def test_names_choose_tasks_in_the_order_of_the_catalogue(settings, dataset_rows):
    named = settings.changed(evaluate_tasks="phee, medqa,phee")
    chosen = chosen_tasks(named, dataset_rows, rehearsal=True)
    assert [one.task.name for one in chosen.tasks] == ["medqa", "phee"]


def test_an_unknown_name_is_refused_with_the_known_ones(settings, dataset_rows):
    with pytest.raises(TaskChoiceError, match=r"no evaluation task medqua in .*held_out, medqa"):
        chosen_tasks(settings.changed(evaluate_tasks="medqua"), dataset_rows, rehearsal=True)


def test_an_empty_test_split_is_listed_and_not_scored(settings):
    chosen = chosen_tasks(settings, [], rehearsal=True)
    assert "test split of the data set is empty" in chosen.missing["held_out"]


def test_the_most_items_are_said_in_a_note(settings, dataset_rows):
    few = settings.changed(evaluation_items=3)
    chosen = chosen_tasks(few, dataset_rows, rehearsal=True)
    assert {len(one.items) for one in chosen.tasks} == {3}
    assert "medqa: 3 of 20 items, drawn by the run seed" in chosen.notes
    whole = {one.task.name: one for one in chosen_tasks(settings, [], rehearsal=True).tasks}
    for one in chosen.tasks[1:]:
        assert one.total == whole[one.task.name].total
        assert one.fingerprint != whole[one.task.name].fingerprint


def test_without_answers_tasks_that_only_answers_score_are_left_out(settings, dataset_rows):
    silent = chosen_tasks(settings.changed(evaluation_answers=0), dataset_rows, rehearsal=True)
    names = {one.task.name for one in silent.tasks}
    assert {"held_out", "medqa", "nli4ct"} <= names
    assert not {"phee", "mts_dialog", "icliniq", "coreference"} & names
    assert "BIOINSTRUCT_EVALUATION_ANSWERS is 0" in silent.missing["phee"]


def test_few_answers_limit_the_items_of_tasks_that_only_answers_score(settings, dataset_rows):
    few = settings.changed(evaluation_answers=3, evaluation_items=8)
    chosen = chosen_tasks(few, dataset_rows, rehearsal=True)
    sizes = {one.task.name: len(one.items) for one in chosen.tasks}
    assert sizes["medqa"] == sizes["held_out"] == 8
    assert sizes["phee"] == sizes["mts_dialog"] == 3
