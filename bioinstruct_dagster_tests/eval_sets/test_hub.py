"""Copies of the hub's data sets: made from a folder in the hub's form, and refused in words."""

import json
import os
import subprocess
import sys

import pytest

from bioinstruct_dagster.eval_sets.hub import fetch_from_hub, hub_copy
from bioinstruct_dagster.eval_sets.items import EvaluationFileError, items_of, load_items
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster_tests.eval_sets.hub_server import serving
from bioinstruct_dagster_tests.eval_sets.task_files import CHOICE, changed, put, read_task

COMMIT = "0123456789" * 4
HUB = {"id": "owner/quiz", "revision": COMMIT, "split": "test"}
OPTIONS = {"A": "iris", "B": "retina"}
ROWS = [{"id": str(n), "q": f"Sees {n}?", "o": OPTIONS, "key": n % 2} for n in range(5)]
# The hub's rows give the place of the right option; the files give its letter.
FIELDS = {"question": "q", "options": "o", "gold": {"index": "key"}}


@pytest.fixture
def mirror(tmp_path):
    """A folder in the form of the hub: one data set with two splits."""
    put(tmp_path / "mirror", "owner/quiz/data/test-00000-of-00001.jsonl", ROWS)
    put(tmp_path / "mirror", "owner/quiz/data/train-00000-of-00001.jsonl", ROWS[:1])
    return tmp_path / "mirror"


def task_in(tmp_path, **hub):
    task = changed(CHOICE, source={"hub": {**HUB, "fields": FIELDS, **hub}})
    return read_task(tmp_path, task)


def test_a_copy_is_read_by_evaluation_and_by_decontamination(tmp_path, mirror):
    task, folder = task_in(tmp_path), tmp_path / "eval"
    assert hub_copy(task, folder) is None
    path = fetch_from_hub(task, folder, mirror=mirror)
    assert path == folder / "hub" / "owner--quiz" / COMMIT / "test.parquet"
    found = items_of(task, folder)
    assert (found.source, len(found.items)) == ("hub", 5)
    assert [item.gold for item in found.items] == [0, 1, 0, 1, 0]
    assert found.items[1].options == ("iris", "retina")
    assert load_items(tmp_path / "tasks", folder).counts == {"quiz": 5}


def test_own_files_come_before_a_copy(tmp_path, mirror):
    task, folder = task_in(tmp_path), tmp_path / "eval"
    fetch_from_hub(task, folder, mirror=mirror)
    put(folder, "quiz/a.jsonl", [{**ROWS[0], "key": "B"}])
    found = items_of(task, folder)
    assert (found.source, len(found.items), found.items[0].gold) == ("files", 1, 1)


def test_a_copy_is_made_once_and_belongs_to_its_commit(tmp_path, mirror):
    task, folder = task_in(tmp_path), tmp_path / "eval"
    first = fetch_from_hub(task, folder, mirror=mirror)
    made = first.stat().st_mtime_ns
    assert fetch_from_hub(task, folder, mirror=tmp_path / "nowhere").stat().st_mtime_ns == made
    other = task_in(tmp_path, revision=COMMIT[::-1])
    assert hub_copy(other, folder) is None
    assert items_of(other, folder).source == "none"


@pytest.mark.parametrize(
    ("hub", "said"),
    [
        ({"id": "owner/none"}, "owner/none, split 'test', can't be had"),
        ({"split": "valid"}, "can't be had (ValueError: its splits are"),
        ({"config": "other"}, "can't be had"),
    ],
)
def test_what_is_not_there_is_said_with_what_to_do(tmp_path, mirror, hub, said):
    with pytest.raises(EvaluationFileError) as stated:
        fetch_from_hub(task_in(tmp_path, **hub), tmp_path / "eval", mirror=mirror)
    assert said in str(stated.value)
    assert "Task quiz" in str(stated.value)
    assert f"put the task's files into {tmp_path / 'eval'} as quiz/*" in str(stated.value)
    assert not list(tmp_path.glob("eval/hub/owner--*/**/*.parquet"))


def test_a_data_set_that_needs_code_is_refused(tmp_path):
    put(tmp_path / "mirror", "owner/quiz/quiz.py", "raise SystemExit('run')\n")
    with pytest.raises(EvaluationFileError, match="can't be had"):
        fetch_from_hub(task_in(tmp_path), tmp_path / "eval", mirror=tmp_path / "mirror")


def test_a_data_set_that_is_no_table_is_refused(tmp_path):
    put(tmp_path / "mirror", "owner/quiz/test.txt", "one line\n")
    with pytest.raises(EvaluationFileError, match=r"need the reader .*text, not one of \['arrow'"):
        fetch_from_hub(task_in(tmp_path), tmp_path / "eval", mirror=tmp_path / "mirror")


def test_a_task_without_a_hub_source_says_where_its_files_go(tmp_path):
    task = read_task(tmp_path, CHOICE)
    with pytest.raises(EvaluationFileError, match=r"names no data set of the hub in quiz\.yaml"):
        fetch_from_hub(task, tmp_path / "eval")


def command(tmp_path, task, **environment):
    """The command in a process of its own, since the hub's address is read on import."""
    return subprocess.run(
        [sys.executable, "-m", "bioinstruct_dagster.eval_sets", task],
        env={
            **os.environ,
            "BIOINSTRUCT_EVAL_DIR": str(tmp_path / "eval"),
            "PYTHONPATH": str(PROJECT_ROOT),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            **environment,
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


LINES = "".join(json.dumps(row) + "\n" for row in ROWS).encode()


def test_the_hub_is_asked_for_the_pinned_commit(tmp_path):
    task_in(tmp_path)
    files = {"data/test-00000-of-00001.jsonl": LINES, "data/train-00000-of-00001.jsonl": b"{}\n"}
    with serving("owner/quiz", COMMIT, files) as hub:
        environment = {
            "HF_ENDPOINT": hub.address,
            "BIOINSTRUCT_EVALUATION_TASKS": str(tmp_path / "tasks"),
        }
        done = command(tmp_path, "quiz", **environment)
        assert done.returncode == 0, done.stderr
        assert "5 items from hub" in done.stdout
        of_set = [path for path in hub.asked if "owner/quiz" in path]
        assert of_set
        assert all(COMMIT in path for path in of_set)
        hub.asked.clear()
        assert "5 items from hub" in command(tmp_path, "quiz", **environment).stdout
        assert hub.asked == []


def test_a_commit_that_the_hub_does_not_have_is_refused(tmp_path):
    task_in(tmp_path)
    with serving("owner/quiz", COMMIT[::-1], {"test.jsonl": LINES}) as hub:
        done = command(
            tmp_path,
            "quiz",
            HF_ENDPOINT=hub.address,
            BIOINSTRUCT_EVALUATION_TASKS=str(tmp_path / "tasks"),
        )
    assert done.returncode == 1
    assert "Task quiz: the hub's owner/quiz at 012345678901, split 'test'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_here_is_not_taken_for_the_hubs_data_set(tmp_path, mirror, monkeypatch):
    monkeypatch.chdir(mirror)
    with pytest.raises(EvaluationFileError, match=r"a folder of this name is in .*mirror"):
        fetch_from_hub(task_in(tmp_path), tmp_path / "eval")


def test_without_network_the_command_says_what_to_do(tmp_path):
    done = command(tmp_path, "medmcqa", HF_HUB_OFFLINE="1")
    assert done.returncode == 1
    assert "Task medmcqa: the hub's openlifescienceai/medmcqa at 91c6572c4540" in done.stderr
    assert "Check the network, HF_ENDPOINT and HF_HUB_OFFLINE" in done.stderr
    assert "Traceback" not in done.stderr
