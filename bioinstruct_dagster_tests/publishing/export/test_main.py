"""The command `export`, as a user calls it."""

import json
import os
import pty
import subprocess
import sys
import termios

import pytest

from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster_tests.publishing.made_dataset import (
    made_dataset,
    made_rows,
    rejected_by_review,
)


@pytest.fixture
def run(settings, tmp_path):
    """Call the command in the test's data folder."""
    environment = {
        **os.environ,
        "BIOINSTRUCT_DATA_DIR": str(settings.store.data_dir),
        "PYTHONPATH": str(PROJECT_ROOT),
    }

    def called(*arguments, **options):
        command = [sys.executable, "-m", "bioinstruct_dagster.publishing", "export", *arguments]
        return subprocess.run(
            command, env=environment, cwd=tmp_path, text=True, check=False,
            **({"capture_output": True} | options),
        )  # fmt: skip

    return called


def test_the_train_split_is_exported_unless_others_are_named(store, settings, hugging_face, run):
    built = made_dataset(store, settings)
    done = run("alpaca", "out.jsonl")
    train = built.sizes["train"]
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"out.jsonl: {train} rows of train\n"
    done = run("messages", "all.json", "--split", "all")
    assert done.stdout == "all.json: 30 rows of train, validation, test\n"
    done = run("alpaca", "out.jsonl")
    assert done.returncode == 1
    assert "Add --force" in done.stderr
    assert "Traceback" not in done.stderr
    assert run("alpaca", "out.jsonl", "--force", "--split", "test").returncode == 0


def test_a_rehearsal_is_refused_and_marked_on_request(store, settings, hugging_face, run, tmp_path):
    made_dataset(store, settings, made_rows(rehearsal=True))
    done = run("alpaca", "out.jsonl", "--split", "all")
    assert done.returncode == 1
    assert "30 of 30 rows are marked rehearsal" in done.stderr
    done = run("alpaca", "out.jsonl", "--split", "all", "--rehearsal")
    assert "30 of them marked rehearsal" in done.stdout
    rows = (tmp_path / "out.jsonl").read_text("utf-8").splitlines()
    assert all(json.loads(row)["rehearsal"] is True for row in rows)


def test_without_a_data_set_it_says_what_to_do(store, run):
    store.replace({})
    done = run("alpaca", "out.jsonl")
    assert done.returncode == 1
    assert "Materialize key:hf_dataset first" in done.stderr


def test_rows_that_reviewers_rejected_are_not_exported(store, settings, hugging_face, run):
    made_dataset(store, settings)
    labelled = store.rows("select * from categorized_instructions")
    rejected_by_review(store, "row-00003")
    done = run("alpaca", "out.jsonl")
    assert done.returncode == 1
    assert "holds 1 rows that reviewers reject" in done.stderr
    store.replace({"review_results": [], "categorized_instructions": labelled[1:]})
    done = run("alpaca", "out.jsonl")
    assert done.returncode == 0
    assert done.stderr.startswith("Warning: The data set is older than its labelled rows")


def test_a_review_that_nobody_has_read_stops_the_export(store, settings, hugging_face, run):
    made_dataset(store, settings)
    filled = settings.store.data_dir / "review" / "filled"
    filled.mkdir(parents=True)
    line = "item_id,reviewer,decision,reason\nrow-00003-12345678,AB,reject,unsafe\n"
    (filled / "AB.csv").write_text(line, "utf-8")
    done = run("alpaca", "out.jsonl")
    assert done.returncode == 1
    assert "review_results has not read 1 judgement" in done.stderr


def test_a_terminal_shows_a_bar(store, settings, hugging_face, run):
    made_dataset(store, settings)
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 80))
    done = run("alpaca", "out.jsonl", capture_output=False, stdout=subprocess.PIPE, stderr=end)
    os.close(end)
    shown = os.read(terminal, 10_000).decode()
    os.close(terminal)
    assert done.returncode == 0
    assert "Exporting: 100%" in shown
