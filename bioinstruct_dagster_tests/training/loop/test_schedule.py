"""The learning rate of each update and of each group of weights."""

import pytest

from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.training.loop.schedule import adapter_optimizer, rate_factor, set_rate
from bioinstruct_dagster_tests.training.loop.tiny_training import RECIPE, tiny_model, with_adapter


def factors(updates, **recipe):
    values = Recipe(**RECIPE | recipe)
    return [rate_factor(update, updates, values) for update in range(1, updates + 1)]


def test_the_rate_rises_during_the_warm_up_and_reaches_its_whole():
    assert factors(8, warmup=0.5, schedule="constant") == [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]


def test_a_share_that_is_a_whole_number_of_updates_is_not_rounded_up():
    assert factors(30, warmup=0.1, schedule="constant").count(1.0) == 28  # the third reaches it


@pytest.mark.parametrize("warmup", [0.0, 0.3])
@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
@pytest.mark.parametrize("updates", [1, 2, 7, 100])
def test_no_update_is_wasted_on_a_rate_of_zero(schedule, warmup, updates):
    values = factors(updates, warmup=warmup, schedule=schedule)
    assert min(values) > 0
    assert max(values) == 1


def test_the_rate_falls_as_the_schedule_says():
    assert factors(4, warmup=0, schedule="linear") == [1, 0.75, 0.5, 0.25]
    assert factors(4, warmup=0, schedule="cosine") == pytest.approx(
        [1, 0.853553, 0.5, 0.146447], abs=1e-6
    )


def rates(**recipe):
    """The rate of each trainable weight, by name, and the optimizer."""
    values = Recipe(**RECIPE | recipe)
    model = with_adapter(tiny_model(), values)
    optimizer = adapter_optimizer(model, values)
    names = {id(weight): name for name, weight in model.named_parameters()}
    return (
        {
            names[id(weight)]: group["lr"]
            for group in optimizer.param_groups
            for weight in group["params"]
        },
        optimizer,
        model,
    )


def test_every_weight_has_one_rate_without_lora_plus():
    found, _, model = rates(learning_rate=2e-3)
    assert set(found.values()) == {2e-3}
    assert set(found) == {name for name, weight in model.named_parameters() if weight.requires_grad}


def test_lora_plus_trains_the_weights_b_at_a_multiple_of_the_rate_of_a():
    found, optimizer, _ = rates(learning_rate=2e-3, lora_plus_ratio=16, weight_decay=0.1)
    assert {rate for name, rate in found.items() if "lora_A" in name} == {2e-3}
    assert {rate for name, rate in found.items() if "lora_B" in name} == {32e-3}
    assert all("lora_A" in name or "lora_B" in name for name in found)
    assert {group["weight_decay"] for group in optimizer.param_groups} == {0.1}
    set_rate(optimizer, 0.5)
    assert [group["lr"] for group in optimizer.param_groups] == [1e-3, 16e-3]
    set_rate(optimizer, 0.25)  # of the rate, not of the half
    assert [group["lr"] for group in optimizer.param_groups] == [0.5e-3, 8e-3]
