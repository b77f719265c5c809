"""The modes do the same work: after one update of the same rows, all have learned the same."""

import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.training.material import Material, made_material
from benchmarks.training.ours import ours
from benchmarks.training.peers import measured
from benchmarks.training.peers.measured import Job, Marks, held_out_loss

PEERS = Path(measured.__file__).parent
SHAPE = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}
ROWS = 16


@pytest.fixture(scope="module")
def material(tmp_path_factory) -> Material:
    return made_material(tmp_path_factory.mktemp("material") / "made", ROWS, SHAPE)


@pytest.fixture
def job(material, tmp_path) -> Job:
    options = {
        "rows_per_update": ROWS,
        "rank": 4,
        "learning_rate": 1e-2,
        "tokens_per_pass": 1_024,
    }
    return Job(
        "none",
        base=material.base,
        rows=material.rows,
        held_out=material.held_out,
        result=tmp_path / "result.json",
        folder=tmp_path,
        options=options,
    )


@pytest.fixture
def peers(monkeypatch):
    """The peers' modules as their own interpreter finds them."""
    monkeypatch.syspath_prepend(PEERS)
    before = set(sys.modules)
    yield lambda name: importlib.import_module(f"{name}_peer")
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(PEERS)):
            del sys.modules[name]


def test_every_mode_learns_the_same_from_one_update(job, peers):
    bare, trainer = peers("bare"), peers("trainer")
    modes = {
        "ours": ours,
        "bare": bare.bare,
        "padding": trainer.padding,
        "grouped": trainer.grouped,
    }
    untrained = held_out_loss(measured.lora_model(job), job)
    trained = {name: mode(job) for name, mode in modes.items()}
    tokens = sum(len(row["input_ids"]) for row in job.read(job.rows))
    assert {name: one.marks.useful for name, one in trained.items()} == dict.fromkeys(modes, tokens)
    padded = {name for name, one in trained.items() if one.marks.positions > tokens}
    assert padded == {"padding", "grouped"}
    losses = {name: held_out_loss(one.model, job) for name, one in trained.items()}
    assert losses == pytest.approx(dict.fromkeys(modes, losses["bare"]), rel=1e-5)
    assert losses["bare"] < untrained - 1e-3


def test_smaller_passes_of_the_bare_loop_change_nothing(job, peers):
    bare = peers("bare").bare
    small = replace(job, options=dict(job.options) | {"tokens_per_pass": 1})
    assert held_out_loss(bare(small).model, job) == pytest.approx(
        held_out_loss(bare(job).model, job), rel=1e-6
    )


def test_figures_begin_after_the_warm_up_updates():
    marks = Marks()
    marks.ends = [(10.0, 100.0, 50, 100), (12.0, 104.0, 150, 260), (15.0, 110.0, 250, 420)]
    figures = marks.figures(1)
    assert figures["tokens"] == 200
    assert figures["per_cpu_second"] == 200 / 5
    assert figures["per_second"] == 200 / 10
    assert figures["useful"] == 200 / 320
    assert figures["updates"] == 3


def test_held_out_rows_are_not_trained(material):
    def ids(path: Path) -> set[str]:
        return {json.loads(line)["row_id"] for line in path.read_text("utf-8").splitlines()}

    assert len(ids(material.rows)) == material.count == ROWS
    assert ids(material.held_out).isdisjoint(ids(material.rows))
