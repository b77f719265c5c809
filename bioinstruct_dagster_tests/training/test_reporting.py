"""The progress of a specification has its operations, the machine's speed, and its trackers."""

import json
from dataclasses import replace

import pytest

from bioinstruct_dagster.models.encoding import Example
from bioinstruct_dagster.training import reporting, trackers
from bioinstruct_dagster.training.reporting import open_progress
from bioinstruct_dagster.training.throughput import SpeedLimit

ROWS = [Example("row", list(range(1, 41)), 10)]


@pytest.fixture
def opened(training_spec, tiny_base, tmp_path, monkeypatch):
    """Open the progress of an experiment, without the package tensorboard."""
    monkeypatch.setattr(
        trackers, "find_spec", lambda name: None if name == "tensorboard" else object()
    )
    monkeypatch.setattr(trackers.TensorBoardFiles, "_said", True)
    lines = []

    def opened(spec=training_spec, **options):
        return open_progress(
            spec, tiny_base, tiny_base.model, ROWS, folder=tmp_path, log=lines.append, **options
        )

    return opened, lines


def test_a_cpu_is_no_measure_of_utilisation(opened):
    start, lines = opened
    progress = start()
    progress.update(1, 1, 2.0, learning_rate=1e-3, tokens=40, padding=0)
    progress.close()
    facts = progress.facts()
    assert facts["flops_per_token"] > 1e6
    assert facts["flop_utilisation"] is None
    assert facts["speed_limit"] is None
    assert "matmul" not in lines[0]


def test_several_gpus_are_measured_against_all_of_them(tiny_base, monkeypatch):
    monkeypatch.setattr(
        reporting, "measured_limit", lambda *_: SpeedLimit("the measured matmul speed", 1e9)
    )
    two = reporting._limit(replace(tiny_base, device="cuda"), 2)
    assert two.flops_per_second == 2e9
    assert two.name == "the measured matmul speed of 2 devices"


def test_a_tracker_gets_the_recipe_and_no_secret(opened, training_spec, monkeypatch):
    given = []
    monkeypatch.setattr(trackers, "TrackerProcess", lambda *arguments: given.append(arguments))
    start, _ = opened
    base = training_spec.base
    start(replace(training_spec, tracker="mlflow", base=base))
    kind, name, _, folder, parameters = given[0]
    assert (kind, name) == ("mlflow", "rehearsal-llama|all")
    assert str(folder) == str(reporting.Path(training_spec.adapters_dir).parent)
    assert parameters["lora_rank"] == 4
    assert parameters["rows_trained_on"] == 1
    assert parameters["dataset_fingerprint"] == training_spec.dataset_fingerprint
    assert json.loads(json.dumps(parameters)) == parameters
