"""Adapters that two processes train together: the loss curve of one process, one report each."""

import os
import signal
from dataclasses import replace

import pytest

from bioinstruct_dagster.training.study.run import train_study
from bioinstruct_dagster.training.study.spec import StudySpec
from bioinstruct_dagster_tests.training.study.test_workers import processes_of


@pytest.fixture
def experiments(training_spec, tmp_path):
    """Two experiments without dropout, whose draws depend on the number of ranks."""
    recipe = training_spec.recipe.model_copy(update={"lora_dropout": 0.0})
    return tuple(
        replace(
            training_spec,
            experiment=f"rehearsal-llama|{name}",
            recipe=recipe.model_copy(update={"lora_rank": rank}),
            adapters_dir=str(tmp_path),
        )
        for name, rank in (("a", 2), ("b", 4))
    )


@pytest.mark.slow
def test_two_ranks_give_the_loss_curve_of_one(experiments, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    together, lines = [], []
    train_study(StudySpec(experiments, ranks=2), lines.append, together.append)
    assert [m["experiment"] for m in together] == ["rehearsal-llama|a", "rehearsal-llama|b"]
    assert sum("rows to train on" in line for line in lines) == len(experiments)
    alone = []
    elsewhere = tuple(replace(one, adapters_dir=str(tmp_path / "alone")) for one in experiments)
    train_study(StudySpec(elsewhere), lambda _: None, alone.append)
    for one, other in zip(together, alone, strict=True):
        assert one["result"]["losses"] == pytest.approx(other["result"]["losses"], rel=1e-5)
        assert one["result"]["run_facts"]["ranks"] == 2


@pytest.mark.slow
def test_a_rank_that_dies_fails_the_experiments_that_are_not_done(experiments, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    reported = []

    def log(line):
        if "rows to train on" in line and "|b" in line:
            for process in processes_of(b"training.study.worker", b"\0-u\0"):
                os.kill(process, signal.SIGKILL)

    train_study(StudySpec(experiments, ranks=2), log, reported.append)
    assert [m["kind"] for m in reported] == ["adapter", "failed"]
    assert "One of 2 ranks ended" in reported[1]["error"]
