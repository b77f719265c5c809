"""A study that is killed and started again: whole adapters are reused, the rest goes on."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster.training.study.run import train_study
from bioinstruct_dagster.training.study.spec import StudySpec


def variants(spec, folder):
    """Three experiments of three epochs: each end of an epoch writes a checkpoint."""
    return StudySpec(
        tuple(
            replace(
                spec,
                experiment=f"rehearsal-llama|{name}",
                recipe=spec.recipe.model_copy(update={"epochs": 3.0, "lora_rank": rank}),
                adapters_dir=str(folder),
            )
            for name, rank in (("first", 2), ("second", 3), ("third", 4))
        )
    )


def kill_amid(study, spec, fingerprint, folder):
    """Run the study in a process, and kill it when an experiment has written a checkpoint."""
    folder.mkdir()
    (folder / "spec.json").write_text(study.to_json(), "utf-8")
    checkpoints = spec.working_folder(fingerprint) / "checkpoints"
    with subprocess.Popen(
        [sys.executable, "-m", "bioinstruct_dagster.training", "spec.json", "result.json"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(PROJECT_ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        while not any(checkpoints.glob("[!.]*")):
            assert process.poll() is None, "the study ended before it was killed"
            time.sleep(0.001)
        os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.slow
def test_a_killed_study_goes_on_where_it_was(training_spec, tiny_base, tmp_path):
    whole = []
    train_study(variants(training_spec, tmp_path / "whole"), lambda _: None, whole.append)
    study = variants(training_spec, tmp_path / "killed")
    second = study.experiments[1]
    kill_amid(study, second, tiny_base.fingerprint, tmp_path / "run")

    messages = []
    train_study(study, lambda _: None, messages.append)
    assert [message["reused"] for message in messages] == [True, False, False]
    assert messages[1]["result"]["run_facts"]["resumed_from"] >= 1
    assert [m["result"]["adapter_sha256"] for m in messages] == [
        m["result"]["adapter_sha256"] for m in whole
    ]
    assert not list(second.working_folder(tiny_base.fingerprint).parent.iterdir())
