"""A process alone is all ranks at once, and two processes train the adapter of one."""

import pytest

from bioinstruct_dagster.training.loop.ranks import Ranks, joined_ranks
from bioinstruct_dagster_tests.training.loop.tiny_training import (
    child,
    difference,
    result_of,
    train,
)


def test_a_process_that_torchrun_did_not_start_is_alone(monkeypatch):
    for name in ("RANK", "WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    with joined_ranks() as ranks:
        assert ranks == Ranks.current() == Ranks(0, 1)
        assert ranks.first


def test_alone_nothing_is_exchanged():
    import torch

    one = torch.ones(3)
    ranks = Ranks()
    ranks.sum([one])
    ranks.copy_of_first([one])
    ranks.wait()
    assert one.tolist() == [1, 1, 1]
    assert ranks.same("value") == "value"


def test_two_processes_give_the_loss_curve_of_one(tmp_path, one_thread):
    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    options = {"dtype": "float32", "checkpoint_seconds": 0.0}
    launched = child(tmp_path, *launcher, **options)
    launched.communicate()
    assert launched.returncode == 0
    facts, weights = result_of(tmp_path)
    one = train(**options)
    assert facts["ranks"] == 2
    assert facts["losses"] == pytest.approx(one.outcome.losses, rel=1e-5)
    assert difference(weights, one.weights) < 1e-3
