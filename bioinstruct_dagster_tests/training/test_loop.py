"""The optimization: the weights it changes, its results, and its log lines."""

from dataclasses import replace
from pathlib import Path

import pytest

from bioinstruct_dagster.dataset.build import read_split
from bioinstruct_dagster.models.base_models import load
from bioinstruct_dagster.models.encoding import encode_rows
from bioinstruct_dagster.training import loop
from bioinstruct_dagster.training.loop import optimize

EPOCH = {"epochs": 1.0, "learning_rate": 2e-2}  # 44 rows in batches of four


@pytest.fixture
def trained(training_spec):
    """A function that trains a fresh adapter for an epoch: losses, updates, log, weights."""
    import peft
    from transformers import set_seed

    spec = replace(training_spec, recipe=training_spec.recipe.model_copy(update=EPOCH))
    rows = read_split(Path(spec.dataset_path), "train", spec.dataset_fingerprint)

    def train(most_rows=None):
        base = load(spec.base, Path(spec.models_dir), lambda _: None)
        examples = encode_rows(rows[:most_rows], base, spec.recipe.max_length).examples
        set_seed(spec.seed)
        config = peft.LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear")
        model = peft.get_peft_model(base.model, config)
        before = {name: weight.clone() for name, weight in model.named_parameters()}
        lines = []
        losses, updates = optimize(model, base, examples, spec, lines.append)
        changed = {
            name for name, weight in model.named_parameters() if not weight.equal(before[name])
        }
        return losses, updates, lines, changed

    return train


def test_training_lowers_the_loss_and_changes_the_adapter_alone(trained):
    losses, updates, lines, changed = trained()
    assert updates == len(losses) == 11
    assert sum(losses[-3:]) < sum(losses[:3])
    assert changed
    assert all("lora_" in name for name in changed)
    assert lines[0].startswith("rehearsal-llama|all: step 1 of 11, loss ")
    assert lines[-1].startswith("rehearsal-llama|all: step 11 of 11, loss ")


def test_a_long_run_logs_a_bounded_number_of_losses(trained, monkeypatch):
    monkeypatch.setattr(loop, "LOGGED_STEPS", 2)
    losses, updates, _, _ = trained(most_rows=16)
    assert updates == 4
    assert len(losses) == 2  # every second update
