"""A study in one process: what is shared, what is not, and how each experiment ends."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bioinstruct_dagster.models.base_models import CheckedBaseModel
from bioinstruct_dagster.training import rows as rows_module
from bioinstruct_dagster.training.study.run import train_study, worker_devices
from bioinstruct_dagster.training.study.spec import StudySpec
from bioinstruct_dagster.training.train import train

EXTRACTION = ("information_extraction",)


def variant(spec, name, **changes):
    return replace(
        spec,
        experiment=f"rehearsal-llama|{name}",
        recipe=spec.recipe.model_copy(update=changes),
    )


def messages_of(*experiments, **options):
    """Each experiment's message, by the recipe's name, in the order of reports."""
    reported = []
    train_study(StudySpec(experiments, **options), lambda _: None, reported.append)
    return {message["experiment"].partition("|")[2]: message for message in reported}


@pytest.fixture
def counted(monkeypatch):
    """How often base models are loaded and rows are encoded."""
    counts = {"loads": 0, "rows": []}
    load, encode = CheckedBaseModel.load, rows_module.encode_rows

    def counting_load(checked, log):
        counts["loads"] += 1
        return load(checked, log)

    def counting_encode(rows, *arguments):
        counts["rows"] += [row["row_id"] for row in rows]
        return encode(rows, *arguments)

    monkeypatch.setattr(CheckedBaseModel, "load", counting_load)
    monkeypatch.setattr(rows_module, "encode_rows", counting_encode)
    return counts


@pytest.fixture
def spec(training_spec, tmp_path):
    """The tiny experiment with adapters of the test's own."""
    return replace(training_spec, adapters_dir=str(tmp_path / "adapters"))


def test_a_study_loads_a_base_model_once_and_encodes_a_row_once(spec, counted):
    messages = messages_of(
        variant(spec, "all"),
        variant(spec, "rank", lora_rank=2),
        variant(spec, "some", categories=EXTRACTION),
    )
    assert [message["kind"] for message in messages.values()] == ["adapter"] * 3
    assert counted["loads"] == 1
    assert len(counted["rows"]) == len(set(counted["rows"])) > 0


def test_an_adapter_does_not_depend_on_what_else_the_study_trains(spec, adapter):
    # The session's adapter was trained alone, in a base model of its own.
    others = [
        variant(spec, "before", lora_rank=8, learning_rate=5e-2, target_modules=("q_proj",)),
        variant(spec, "broken", target_modules=("no_such_layer",)),
        variant(spec, "diverged", learning_rate=1e30, max_grad_norm=1e30),
    ]
    messages = messages_of(*others, variant(spec, "all"))
    assert messages["all"]["result"]["adapter_sha256"] == adapter["adapter_sha256"]
    assert messages["all"]["result"]["losses"] == adapter["losses"]


def test_the_others_go_on_when_one_fails_or_is_too_large(spec):
    messages = messages_of(
        variant(spec, "broken", target_modules=("no_such_layer",)),
        variant(spec, "short", max_length=16),
        variant(spec, "large", rows=100_000),
        variant(spec, "all"),
    )
    kinds = {name: message["kind"] for name, message in messages.items()}
    assert kinds == {
        "broken": "failed", "short": "failed", "large": "passed_over", "all": "adapter",
    }  # fmt: skip
    assert "no_such_layer" in messages["broken"]["error"]
    assert "left out: too long" in messages["short"]["error"]
    assert "100,000" in messages["large"]["reason"]


def test_what_failed_leaves_no_adapter_and_no_remains(spec):
    messages_of(variant(spec, "diverged", learning_rate=1e30, max_grad_norm=1e30))
    folders = list(Path(spec.adapters_dir).glob("rehearsal*/*"))
    assert folders == []


def test_an_intact_adapter_is_reused_without_loading_the_base_model(spec, counted):
    first = messages_of(variant(spec, "all"))["all"]
    again = messages_of(variant(spec, "all"))["all"]
    assert (first["reused"], again["reused"]) == (False, True)
    assert json.loads(json.dumps(again["result"])) == json.loads(json.dumps(first["result"]))
    assert counted["loads"] == 1
    assert messages_of(variant(spec, "all"), retrain=True)["all"]["reused"] is False


def test_a_base_model_that_can_not_be_loaded_fails_its_own_experiments_alone(spec):
    missing = spec.base.model_copy(update={"source": "./no-such-folder"})
    messages = messages_of(
        replace(variant(spec, "one"), base=missing),
        replace(variant(spec, "two"), base=missing),
        variant(spec, "all"),
    )
    assert [message["kind"] for message in messages.values()] == ["failed", "failed", "adapter"]
    assert "no-such-folder" in messages["one"]["error"]


def test_train_alone_gives_the_same_result(spec, adapter):
    assert train(spec, lambda _: None)["adapter_sha256"] == adapter["adapter_sha256"]


def test_without_a_gpu_there_is_one_worker_unless_more_are_set():
    assert worker_devices(0) == [None]
    assert worker_devices(3) == [None] * 3
