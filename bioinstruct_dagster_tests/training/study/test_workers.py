"""Several workers: they share the queue, and no experiment is lost if one of them is killed."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from bioinstruct_dagster.training.study.queue import StudyQueue
from bioinstruct_dagster.training.study.run import train_study
from bioinstruct_dagster.training.study.spec import StudySpec
from bioinstruct_dagster.training.study.workers import train_with_workers


def variants(spec, folder, *names):
    """Experiments that differ in rank, so that each has an adapter of its own."""
    return tuple(
        replace(
            spec,
            experiment=f"rehearsal-llama|{name}",
            recipe=spec.recipe.model_copy(update={"lora_rank": 2 + number}),
            adapters_dir=str(folder),
        )
        for number, name in enumerate(names)
    )


def processes_of(*words):
    """The processes below this one with all of these words in their command."""
    parents, commands = {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            commands[int(path.name)] = path.joinpath("cmdline").read_bytes()
            stat = path.joinpath("stat").read_text()
        except OSError:
            continue  # it has ended
        parents[int(path.name)] = int(stat.rpartition(")")[2].split()[1])

    def is_below(process):
        while process := parents.get(process, 0):
            if process == os.getpid():
                return True
        return False

    return [
        process
        for process, command in commands.items()
        if is_below(process) and all(word in command for word in words)
    ]


def workers_of_this_process():
    return processes_of(b"training.study.worker")


@pytest.fixture(autouse=True)
def one_thread_each(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_two_workers_make_the_adapters_of_one(training_spec, tmp_path):
    names = ("a", "b", "c")
    reported = {1: [], 2: []}
    for workers, messages in reported.items():
        experiments = variants(training_spec, tmp_path / str(workers), *names)
        train_study(StudySpec(experiments, workers=workers), lambda _: None, messages.append)
    hashes = [
        {m["experiment"]: m["result"]["adapter_sha256"] for m in messages}
        for messages in reported.values()
    ]
    assert hashes[0] == hashes[1]
    assert len(set(hashes[0].values())) == len(names)
    assert workers_of_this_process() == []


@pytest.mark.slow
def test_the_experiment_of_a_killed_worker_is_trained_by_another(training_spec, tmp_path):
    experiments = variants(training_spec, tmp_path, "a", "b")
    killed, reported, lines = [], [], []

    def log(line):
        lines.append(line)
        if "rows to train on" in line and "|a" in line and not killed:
            killed.extend(workers_of_this_process())
            for process in killed:
                os.kill(process, signal.SIGKILL)

    train_study(StudySpec(experiments, workers=2), log, reported.append)
    assert killed
    assert sorted(m["experiment"] for m in reported) == ["rehearsal-llama|a", "rehearsal-llama|b"]
    assert {m["kind"] for m in reported} == {"adapter"}
    assert any("died (signal 9)" in line for line in lines)


@pytest.mark.slow
def test_an_experiment_that_kills_two_workers_is_reported_as_failed(training_spec, tmp_path):
    experiments = variants(training_spec, tmp_path, "a")
    reported = []

    def log(line):
        if "rows to train on" in line and "|a" in line:
            for process in workers_of_this_process():
                os.kill(process, signal.SIGKILL)

    train_with_workers(StudyQueue(experiments), [None], log, reported.append)
    (message,) = reported
    assert message["kind"] == "failed"
    assert "BIOINSTRUCT_TRAINING_WORKERS" in message["error"]


@pytest.mark.slow
def test_an_error_of_the_report_ends_the_workers(training_spec, tmp_path):
    def report(message):
        raise RuntimeError("the run was cancelled")

    with pytest.raises(RuntimeError, match="cancelled"):
        train_study(
            StudySpec(variants(training_spec, tmp_path, "a", "b"), workers=2),
            lambda _: None,
            report,
        )
    assert workers_of_this_process() == []
