"""The child's side of the model process: its files, log lines and error messages."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from bioinstruct_dagster.models.base_models import BaseModelError
from bioinstruct_dagster.models.process.child import run_from_files
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster.training.study.spec import StudySpec


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Specification and result file, given on the command line."""
    spec, result = tmp_path / "spec.json", tmp_path / "result.json"
    spec.write_text('{"β": 1}', "utf-8")
    monkeypatch.setattr(sys, "argv", ["python -m module", str(spec), str(result)])
    return spec, result


def test_what_the_work_reports_is_written_and_its_log_printed(files, capsys):
    def work(text, log, report):
        log("half-way")
        report({"kind": "adapter", "read": json.loads(text)})

    assert run_from_files("module", work) == 0
    kept = json.loads(files[1].read_text("utf-8"))
    assert kept == {"messages": [{"kind": "adapter", "read": {"β": 1}}]}
    assert capsys.readouterr().out == "half-way\n"


def test_a_stated_error_is_a_message_and_no_traceback(files, capsys):
    def work(text, log, report):
        raise BaseModelError("no such model: give another")

    assert run_from_files("module", work) == 1
    assert json.loads(files[1].read_text("utf-8")) == {"error": "no such model: give another"}
    assert capsys.readouterr().err == "no such model: give another\n"


def test_any_other_error_has_a_traceback_and_no_result(files):
    def work(text, log, report):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_from_files("module", work)
    assert not files[1].exists()


def test_messages_are_kept_in_their_order(files):
    def work(text, log, report):
        report({"kind": "adapter", "n": 1})
        report({"kind": "adapter", "n": 2})

    assert run_from_files("module", work) == 0
    kept = json.loads(files[1].read_text("utf-8"))
    assert kept == {"messages": [{"kind": "adapter", "n": 1}, {"kind": "adapter", "n": 2}]}


def test_without_its_files_it_says_how_it_is_called(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["module"])
    with pytest.raises(SystemExit) as stopped:
        run_from_files("bioinstruct_dagster.training", lambda *_: None)
    assert stopped.value.code == 2
    assert "usage: python -m bioinstruct_dagster.training" in capsys.readouterr().err


def test_by_hand_a_study_leaves_its_messages_in_the_result_file(training_spec, tmp_path):
    base = training_spec.base.model_copy(update={"source": "nobody/no-such-model"})
    study = StudySpec((replace(training_spec, base=base),))
    (tmp_path / "spec.json").write_text(study.to_json(), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "bioinstruct_dagster.training", "spec.json", "result.json"],
        cwd=tmp_path,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    (message,) = json.loads((tmp_path / "result.json").read_text("utf-8"))["messages"]
    assert (message["kind"], message["experiment"]) == ("failed", "rehearsal-llama|all")
    assert "nobody/no-such-model" in message["error"]
    assert "Traceback" not in done.stderr
