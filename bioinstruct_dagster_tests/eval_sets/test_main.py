"""`python -m bioinstruct_dagster.eval_sets`: what it lists."""

import sys

import pytest

from bioinstruct_dagster.eval_sets.__main__ import main
from bioinstruct_dagster_tests.eval_sets.task_files import CHOICE, TEXT, put, tasks_folder

ROW = {"id": "1", "q": "Sees?", "o": {"A": "iris", "B": "retina"}, "key": "B"}


@pytest.fixture
def command(tmp_path, monkeypatch):
    def run(*arguments):
        monkeypatch.setenv("BIOINSTRUCT_EVAL_DIR", str(tmp_path / "eval"))
        monkeypatch.setenv("BIOINSTRUCT_EVALUATION_TASKS", str(tmp_path / "tasks"))
        monkeypatch.setattr(sys, "argv", ["eval_sets", *arguments])
        return main()

    return run


def test_it_lists_the_items_of_each_task(tmp_path, command, capsys):
    tasks_folder(
        tmp_path, quiz=CHOICE, notes={**TEXT, "source": {**TEXT["source"], "files": ["n"]}}
    )
    put(tmp_path / "eval", "quiz/a.jsonl", [ROW, {**ROW, "id": "2", "key": None}])
    assert command() == 0
    assert capsys.readouterr().out.splitlines() == [
        "notes               no items",
        "quiz                      1 items from files, 1 without an answer",
    ]


def test_it_says_that_a_rehearsal_has_a_fixture(tmp_path, command, capsys):
    tasks_folder(tmp_path, quiz={**CHOICE, "fixture": "quiz.jsonl"})
    assert command() == 0
    assert capsys.readouterr().out.splitlines() == [
        "quiz                no items (a fixture for the embedded base model)",
    ]


def test_a_broken_file_is_named_and_the_other_tasks_are_listed(tmp_path, command, capsys):
    tasks_folder(tmp_path, quiz=CHOICE, words=TEXT)
    put(tmp_path / "eval", "quiz/a.jsonl", [ROW])
    assert command() == 1
    said = capsys.readouterr()
    assert "task words: line 1: field a: is missing" in said.err
    assert "1 items from files" in said.out


def test_an_unknown_task_is_refused(tmp_path, command, capsys):
    tasks_folder(tmp_path, quiz=CHOICE)
    assert command("quizz") == 1
    assert "there is no evaluation task 'quizz'. Use one of: quiz" in capsys.readouterr().err


def test_it_says_why_files_give_no_items(tmp_path, command, capsys):
    tasks_folder(tmp_path, quiz={**CHOICE, "source": {**CHOICE["source"], "where": {"id": ["x"]}}})
    put(tmp_path / "eval", "quiz/a.jsonl", [ROW])
    assert command() == 0
    assert "no items: 1 row in quiz/* in" in capsys.readouterr().out
