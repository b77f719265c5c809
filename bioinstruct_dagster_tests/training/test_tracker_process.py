"""A tracker in its own process: it gets everything, and none of its faults reaches training."""

import json
import os
from pathlib import Path

import pytest

from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster.training import tracker_process
from bioinstruct_dagster.training.tracker_process import TrackerProcess, public

# A stand-in for the package `mlflow`, which is not installed with the tests: it writes its calls
# to a file. `FAULT` is replaced by a statement that goes wrong in one of them.
STAND_IN = """
import json, os, sys, time
from contextlib import contextmanager
def keep(*call):
    with open(os.environ["CALLS"], "a") as file:
        file.write(json.dumps(call) + chr(10))
def set_experiment(name): keep("experiment", name)
@contextmanager
def start_run(run_name):
    keep("start", run_name)
    yield
    keep("end")
def log_params(values): keep("parameters", values)
def log_metrics(values, step):
    FAULT
    keep("metrics", step, values)
keep("environment", {name: os.environ.get(name) for name in
     ("MLFLOW_TRACKING_URI", "MLFLOW_DISABLE_TELEMETRY", "OPENAI_API_KEY")})
"""


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Start the process with the stand-in. Returns the sink, its lines, and a reader of calls."""

    def started(fault="pass", parameters=None, seconds_to_end=20.0):
        package = tmp_path / "package"
        package.mkdir()
        (package / "mlflow.py").write_text(STAND_IN.replace("FAULT", fault), "utf-8")
        calls = tmp_path / "calls"
        monkeypatch.setenv("PYTHONPATH", f"{package}{os.pathsep}{PROJECT_ROOT}")
        monkeypatch.setenv("CALLS", str(calls))
        lines = []
        sink = TrackerProcess(
            "mlflow",
            "base|all",
            lines.append,
            tmp_path / "data",
            parameters or {},
            seconds_to_end=seconds_to_end,
        )
        return sink, lines, lambda: [json.loads(line) for line in calls.read_text().splitlines()]

    return started


def test_the_tracker_gets_the_parameters_and_all_metrics_in_order(start, monkeypatch, tmp_path):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    sink, lines, calls = start(parameters={"lora_rank": 16, "api_key": "sk-secret"})
    for update in range(1, 200):
        sink.write(update, {"train/loss": 1 / update})
    sink.close()
    sink.close()
    environment, *rest = calls()
    assert rest[:3] == [
        ["experiment", "bioinstruct"],
        ["start", "base|all"],
        ["parameters", {"lora_rank": 16}],
    ]
    assert rest[3:-1] == [["metrics", n, {"train/loss": 1 / n}] for n in range(1, 200)]
    assert rest[-1] == ["end"]
    assert environment[1] == {
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'data' / 'mlflow.db'}",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "OPENAI_API_KEY": None,
    }
    assert lines == []


def test_a_server_that_the_user_names_is_used(start, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    sink, _, calls = start()
    sink.close()
    assert calls()[0][1]["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:5000"


def test_a_tracker_that_raises_is_dropped_with_its_last_line(start):
    sink, lines, _ = start("raise OSError('https://me:secret@host/ refuses')")
    sink.write(1, {"train/loss": 1.0})
    sink.close()
    sink.write(2, {"train/loss": 1.0})
    assert len(lines) == 1
    assert lines[0].startswith("base|all: mlflow is dropped, because it ended with status 1. ")
    assert lines[0].endswith("OSError: https://host/ refuses")
    assert "secret" not in lines[0]


def test_a_tracker_that_ended_is_noticed_while_training_goes_on(start):
    sink, lines, _ = start("os._exit(7)")
    sink.write(1, {"train/loss": 1.0})
    while not lines:  # until the pipe is broken
        sink.write(2, {"train/loss": 1.0})
    sink.close()
    assert len(lines) == 1
    assert "Training goes on without it." in lines[0]


def test_a_tracker_that_hangs_at_the_end_is_ended(start):
    sink, lines, _ = start("time.sleep(600)", seconds_to_end=0.5)
    process = sink._process
    sink.write(1, {"train/loss": 1.0})
    sink.close()
    assert "mlflow is dropped, because it did not end in time" in lines[0]
    assert process.returncode == -9


def test_a_tracker_that_hangs_early_is_dropped_before_it_fills_the_memory(start, monkeypatch):
    monkeypatch.setattr(tracker_process, "MOST_WAITING", 10_000)
    sink, lines, _ = start("time.sleep(600)")
    for update in range(1, 3_000):
        sink.write(update, {"train/loss": 1.0, "train/learning_rate": 3e-4})
    assert len(lines) == 1
    assert "because it is too slow, or hangs" in lines[0]
    sink.close()


def test_a_tracker_that_writes_much_does_not_block(start):
    sink, lines, calls = start("print('x' * 200_000); print('y' * 200_000, file=sys.stderr)")
    for update in (1, 2, 3):
        sink.write(update, {"train/loss": 1.0})
    sink.close()
    assert lines == []
    assert calls()[-1] == ["end"]


def test_a_process_that_can_not_start_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(tracker_process.sys, "executable", str(tmp_path / "no python"))
    lines = []
    sink = TrackerProcess("mlflow", "base|all", lines.append, tmp_path, {})
    sink.write(1, {"train/loss": 1.0})
    sink.close()
    assert len(lines) == 1
    assert "mlflow can't be started" in lines[0]


def test_parameters_hold_no_secret():
    given = {
        "hf_token": "x",
        "API_KEY": "x",
        "password": "x",
        "source": "https://me:word@host/model",
        "max_tokens": 5,
        "lora_rank": 4,
    }
    assert public(given) == {"source": "https://host/model", "max_tokens": 5, "lora_rank": 4}


def run_real(tmp_path: Path, kind: str):
    lines: list[str] = []
    sink = TrackerProcess(kind, "base|all", lines.append, tmp_path, {"r": 4}, seconds_to_end=120)
    for update in (1, 2):
        sink.write(update, {"train/loss": 3.0 - update})
    sink.close()
    assert lines == []


def test_the_real_mlflow_keeps_the_metrics(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="the extra `mlflow` is not installed")
    monkeypatch.chdir(tmp_path)
    run_real(tmp_path, "mlflow")
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name("bioinstruct").experiment_id])
    assert run.info.status == "FINISHED"
    assert run.data.params == {"r": "4"}
    history = client.get_metric_history(run.info.run_id, "train/loss")
    assert [(one.step, one.value) for one in history] == [(1, 2.0), (2, 1.0)]


def test_the_real_trackio_keeps_the_metrics(tmp_path):
    pytest.importorskip("trackio", reason="the extra `trackio` is not installed")
    run_real(tmp_path, "trackio")
    assert any((tmp_path / "trackio").rglob("*.db"))
