"""The estimate, and the plan that follows from it. The slow tests measure the peak of real runs."""

import gc
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.adapter_proof.faults import AdapterFaultError
from bioinstruct_dagster.models.encoding import Example
from bioinstruct_dagster.models.experiments import BaseModelSpec, Recipe
from bioinstruct_dagster.training.memory import plan
from bioinstruct_dagster.training.memory.dry_run import dry_model, pass_bytes
from bioinstruct_dagster.training.memory.faults import NotEnoughMemoryError
from bioinstruct_dagster.training.memory.planning import predicted_tokens

VALUES = {
    "lora_rank": 16, "lora_alpha": 16, "lora_dropout": 0.0, "target_modules": "all-linear",
    "learning_rate": 1e-4, "epochs": 1, "rows_per_update": 8, "warmup": 0, "max_length": 400,
}  # fmt: skip
GIB = 2**30


def recipe(**changes):
    return Recipe(**{**VALUES, **changes})


def rows(*lengths, response=0.5):
    return [
        Example(f"row-{at}", [1] * length, length - int(length * response))
        for at, length in enumerate(lengths)
    ]


@pytest.fixture(scope="module")
def checked(tmp_path_factory, one_thread):
    spec = BaseModelSpec(source="rehearsal", pretraining_steps=1)
    return base_models.check(spec, tmp_path_factory.mktemp("models"), lambda _: None)


def planned(checked, examples, lines=None, **limits):
    return plan(checked, recipe(), examples, (lines or []).append, **limits)


def test_the_estimate_is_logged_before_the_weights_are_read(checked):
    lines = []
    chosen = plan(checked, recipe(), rows(*[100] * 8), lines.append)
    assert list(chosen.lines) == lines
    assert "estimated peak memory of training, above the process after its imports: " in lines[0]
    assert chosen.estimated_bytes > 100 * 2**20


@pytest.mark.parametrize("names", [("q_proj", "c_attn"), ("self_attn",), ("embed_tokens",)])
def test_names_of_no_linear_layer_are_refused_before_the_weights_are_read(checked, names):
    with pytest.raises(AdapterFaultError, match=rf"{names[-1]}.* linear layers are: .*q_proj"):
        plan(checked, recipe(target_modules=names), rows(100), lambda _: None)


def test_a_pass_holds_an_update_and_never_less_than_the_longest_row(checked):
    assert planned(checked, rows(*[40] * 4)).tokens_per_pass == 256
    assert planned(checked, rows(*[100] * 80)).tokens_per_pass == 1_024
    assert planned(checked, rows(700, 10)).tokens_per_pass == 1_024
    assert planned(checked, rows(1_500, 10)).tokens_per_pass == 1_500


def test_less_memory_gives_smaller_passes_then_checkpointing_then_a_message(checked):
    examples = rows(*[200] * 40)
    whole = planned(checked, examples)
    assert (whole.tokens_per_pass, whole.activation_checkpointing) == (1_024, False)
    smaller = planned(checked, examples, memory=whole.estimated_bytes - 1)
    assert smaller.tokens_per_pass < whole.tokens_per_pass
    assert not smaller.activation_checkpointing
    smallest = planned(checked, examples, memory=whole.estimated_bytes, most_tokens=256)
    twice = planned(checked, examples, memory=smallest.estimated_bytes - 1)
    assert twice.activation_checkpointing
    assert twice.estimated_bytes < smallest.estimated_bytes
    with pytest.raises(NotEnoughMemoryError) as raised:
        planned(checked, examples, memory=30 * 2**20)
    message = str(raised.value)
    assert all(part in message for part in ("(1)", "(2)", "(3)", "estimated", "max_length"))


def test_memory_that_changes_a_little_gives_the_same_plan(checked):
    examples = rows(*[200] * 40)
    plans = {
        (one.tokens_per_pass, one.activation_checkpointing)
        for one in (planned(checked, examples, memory=size * GIB) for size in (1, 2, 3, 17))
    }
    assert len(plans) == 1


def test_an_estimate_grows_with_tokens_rank_dropout_and_logits(checked):
    def estimated(tokens=256, predicted=100, checkpointing=False, **changes):
        dry = dry_model(checked.config, recipe(**changes), "float32", "cpu")
        return pass_bytes(dry, tokens, predicted, checkpointing=checkpointing)

    plain = estimated()
    assert 1.9 * plain < estimated(tokens=512, predicted=200) < 2.1 * plain
    assert estimated(lora_dropout=0.1) > 1.2 * plain
    assert estimated(predicted=250) >= plain + 150 * checked.config.vocab_size * 4
    assert estimated(checkpointing=True) < plain


def test_the_count_of_living_tensors_is_that_of_autograd(checked):
    """One matrix product whose memory is known: input, output and gradient live together."""
    import torch

    from bioinstruct_dagster.training.memory.dry_run import _LivingBytes

    with torch.device("meta"):
        weight = torch.zeros(64, 64)
        given = torch.zeros(8, 64, requires_grad=True)
    with _LivingBytes() as count:
        result = (given @ weight).square()
        del result
    gc.collect()
    # The product is kept for the gradient of the square, beside its square.
    assert count.most == 2 * 8 * 64 * 4


def test_no_weights_of_the_checked_model_are_changed_by_the_estimate(checked):
    before = checked.config.to_json_string()
    planned(checked, rows(100, 120))
    assert checked.config.to_json_string() == before


def test_the_predicted_tokens_follow_the_share_of_responses():
    assert predicted_tokens(rows(*[100] * 20, response=0.25), 1_000) == 250
    mixed = rows(*[100] * 10, response=0.2) + rows(*[100] * 10, response=0.8)
    assert 500 < predicted_tokens(mixed, 1_000) < 900
    assert predicted_tokens(rows(100, response=0.0), 1_000) == 1


def measured(source, models_dir, dropout):
    case = {
        "source": source, "models_dir": str(models_dir), "rows": 32,
        "recipe": VALUES | {"lora_dropout": dropout},
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "bioinstruct_dagster_tests.training.memory.measured_peak",
         json.dumps(case)],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("dropout", [0.0, 0.05])
def test_the_estimate_is_within_a_fifth_of_the_peak_of_the_embedded_model(checked, dropout):
    result = measured("rehearsal", checked.folder.parent, dropout)
    assert 0.8 < result["estimated"] / result["measured"] < 1.2, result


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("dropout", [0.0, 0.05])
def test_the_estimate_is_within_a_fifth_of_the_peak_of_a_real_model(real_base, dropout):
    result = measured(str(real_base), real_base.parent, dropout)
    assert 0.8 < result["estimated"] / result["measured"] < 1.2, result


@pytest.fixture
def real_base():
    """The folder that `make real-base` makes in the project's data folder."""
    from bioinstruct_dagster.models.real_base import REAL_BASE
    from bioinstruct_dagster.settings import PROJECT_ROOT

    folder = PROJECT_ROOT / "data" / "models" / REAL_BASE
    if not folder.is_dir():
        pytest.skip("`make real-base` has not fetched SmolLM2-135M")
    return Path(folder)
