"""The canary prompts: what is kept of their logits, and what counts as noise or as another base."""

import json

import pytest
import torch

from bioinstruct_dagster.models.adapter_proof.canaries import (
    PROMPTS,
    CanaryLogits,
    greatest_difference,
    logits_of,
    measure,
    read_canaries,
)
from bioinstruct_dagster_tests.models.adapter_proof.conftest import llama, lora


def stored(logits: CanaryLogits):
    return json.loads(json.dumps(logits.to_json()))


def test_there_are_eight_prompts():
    assert len(set(PROMPTS)) == 8


def test_the_same_base_is_recognized_after_storing():
    kept = read_canaries(llama().model, llama())
    assert kept.differs_from(stored(kept)) is None
    assert kept.differs_from(stored(read_canaries(llama().model, llama()))) is None


def test_an_adapter_does_not_change_what_is_kept_of_the_base():
    base = llama()
    kept = read_canaries(base.model, base)
    assert read_canaries(lora(base.model), base) == kept


def test_another_base_is_told_by_its_difference():
    kept = read_canaries(llama().model, llama())
    other = read_canaries(llama(seed=1).model, llama())
    assert kept.differs_from(stored(other)) > 0.01


@pytest.mark.parametrize("changes", [{"version": 0}, {"dtype": "bfloat16"}])
def test_logits_of_other_prompts_or_types_are_not_compared(changes):
    kept = read_canaries(llama().model, llama())
    other = stored(read_canaries(llama(seed=1).model, llama()))
    assert kept.differs_from(other | changes) is None
    assert kept.differs_from({}) is None


@pytest.mark.parametrize("broken", [{"mean": None}, {"mean": [1.0]}, {"greatest": 3}])
def test_a_stored_value_of_another_form_is_a_difference(broken):
    kept = read_canaries(llama().model, llama())
    assert kept.differs_from(stored(kept) | broken) == float("inf")


def test_the_noise_is_at_least_rounding():
    base = llama()
    change = measure(lora(base.model), base)
    greatest = max(map(abs, change.base.greatest))
    assert change.noise >= torch.finfo(torch.float32).eps * greatest
    assert change.noise < 1e-4 < min(change.changes)


def test_a_model_that_is_not_deterministic_is_noisy():
    base = llama()
    head = base.model.lm_head
    head.register_forward_hook(lambda _m, _i, logits: logits + torch.rand(1) * 50)
    assert measure(lora(base.model), base).noise > 0.1


def test_differences_are_the_greatest_over_all_prompts():
    base = llama()
    one = logits_of(base.model, base)
    other = [logits.clone() for logits in one]
    other[3][2, 5] -= 0.5
    assert greatest_difference(one, other) == pytest.approx(0.5)
    assert [tuple(logits.shape)[1] for logits in one] == [90] * 8
