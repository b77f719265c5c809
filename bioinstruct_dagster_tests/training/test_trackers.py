"""Places for metrics: TensorBoard's files, and trackers that are missing or fail."""

import importlib.util
import sys

import pytest

from bioinstruct_dagster.training import trackers
from bioinstruct_dagster.training.tracker_process import TrackerProcess
from bioinstruct_dagster.training.trackers import TensorBoardFiles, open_sinks


@pytest.fixture
def lines(monkeypatch):
    monkeypatch.setattr(TensorBoardFiles, "_said", False)
    return []


def opened(tmp_path, lines, **options):
    usual = {"tensorboard": None, "tracker": "off", "folder": tmp_path, "parameters": {}}
    return open_sinks("base|all", lines.append, **usual | options)


def without(monkeypatch, package):
    """Make a package look as if it were not installed."""
    real = importlib.util.find_spec
    monkeypatch.setattr(trackers, "find_spec", lambda name: None if name == package else real(name))


def test_nothing_is_opened_by_default(tmp_path, lines):
    assert opened(tmp_path, lines) == []
    assert lines == []


def test_without_tensorboard_it_is_said_once(tmp_path, lines, monkeypatch):
    without(monkeypatch, "tensorboard")
    for _ in range(3):
        assert opened(tmp_path, lines, tensorboard=tmp_path / "tensorboard") == []
    assert len(lines) == 1
    assert "bioinstruct-dagster[tensorboard]" in lines[0]
    assert not (tmp_path / "tensorboard").exists()


@pytest.mark.parametrize("tracker", ["mlflow", "trackio"])
def test_a_tracker_that_is_not_installed_is_named_with_its_extra(
    tmp_path, lines, monkeypatch, tracker
):
    without(monkeypatch, tracker)
    assert opened(tmp_path, lines, tracker=tracker) == []
    assert len(lines) == 1
    assert f"bioinstruct-dagster[{tracker}]" in lines[0]


def test_a_tracker_that_is_installed_runs_in_its_process(tmp_path, lines, monkeypatch):
    (tmp_path / "mlflow.py").write_text("raise SystemExit(0)", "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(trackers, "find_spec", lambda name: object())
    (sink,) = opened(tmp_path, lines, tracker="mlflow")
    assert isinstance(sink, TrackerProcess)
    sink.close()


def test_tensorboard_files_hold_the_metrics_and_not_the_machines_name(tmp_path, lines):
    accumulator = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator",
        reason="the extra `tensorboard` is not installed",
    )
    (sink,) = opened(tmp_path, lines, tensorboard=tmp_path / "tensorboard")
    for update in (1, 2):
        sink.write(update, {"train/loss": 3.0 - update})
    sink.close()
    sink.close()
    assert [path.name for path in (tmp_path / "tensorboard").iterdir()] == ["events.out.tfevents.0"]
    read = accumulator.EventAccumulator(str(tmp_path / "tensorboard"))
    read.Reload()
    assert [(e.step, e.value) for e in read.Scalars("train/loss")] == [(1, 2.0), (2, 1.0)]
    assert lines == []


def test_the_files_of_a_resumed_run_are_kept(tmp_path):
    for run in range(12):
        (tmp_path / f"events.out.tfevents.17{run:02}.machine.{run}.0").write_text(str(run), "utf-8")
        trackers._number_files(tmp_path)
    files = {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()}
    assert files == {f"events.out.tfevents.{run}": str(run) for run in range(12)}


def test_a_folder_that_can_not_be_written_ends_no_training(tmp_path, lines):
    pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")
    (tmp_path / "file").write_text("", "utf-8")
    assert opened(tmp_path, lines, tensorboard=tmp_path / "file" / "tensorboard") == []
    assert lines[0].startswith("No TensorBoard files are written: ")
