"""A run that SIGKILL ends, and that is started again, trains the same adapter."""

import signal

import pytest

from bioinstruct_dagster_tests.training.loop.tiny_training import (
    DROPOUT,
    child,
    equal,
    result_of,
    train,
)

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(
    ("seconds", "resumed_from"), [(0.0, 8), pytest.param(1e6, 6, marks=pytest.mark.slow)]
)
def test_a_run_killed_and_started_again_gives_the_uninterrupted_adapter(
    tmp_path, seconds, resumed_from
):
    # A checkpoint after each update, or after each epoch of 6. The kill comes in update 9.
    options = DROPOUT | {"checkpoint_seconds": seconds}
    killed = child(tmp_path, **options, stop_at=9)
    lines = []
    for line in killed.stdout:
        lines.append(line.strip())
        if line.startswith("update 9"):
            break
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert not (tmp_path / "facts.json").exists()

    again = child(tmp_path, **options)
    told = again.communicate()[0].split("\n")
    assert again.returncode == 0
    facts, weights = result_of(tmp_path)
    assert facts["resumed_from"] == resumed_from
    [said] = facts["log"]
    assert said.startswith(f"Training goes on from the checkpoint after update {resumed_from}. ")
    assert told[0] == f"update {resumed_from + 1}"
    uninterrupted = train(**DROPOUT)
    assert facts["losses"] == uninterrupted.outcome.losses
    assert equal(weights, uninterrupted.weights)
