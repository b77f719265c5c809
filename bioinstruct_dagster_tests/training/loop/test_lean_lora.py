"""The exchanged forward pass gives peft's results, and its dropout is dropout."""

import pytest

from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.training.loop.lean_lora import _dropped, lean_lora
from bioinstruct_dagster_tests.training.loop.tiny_training import RECIPE, tiny_model, with_adapter

LAYERS = 14  # seven linear layers in each of two blocks


def adapted(**recipe):
    import torch

    model = with_adapter(tiny_model(), Recipe(**RECIPE | recipe))
    torch.manual_seed(5)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(std=0.1)
    return model


def logits_and_gradients(model):
    import torch

    model.zero_grad()
    logits = model(input_ids=torch.tensor([[5, 6, 7, 8], [9, 10, 11, 12]])).logits
    logits.square().sum().backward()
    return logits.detach(), [w.grad.clone() for w in model.parameters() if w.grad is not None]


@pytest.mark.parametrize("rslora", [False, True])
def test_outputs_and_gradients_are_those_of_peft(rslora):
    model = adapted(rslora=rslora)
    expected, gradients = logits_and_gradients(model)
    with lean_lora(model) as exchanged:
        assert exchanged == LAYERS
        found, others = logits_and_gradients(model)
    # Llama rounds to 32 bits inside its norms.
    assert float((found - expected).norm() / expected.norm()) < 1e-6
    for one, other in zip(others, gradients, strict=True):
        assert float((one - other).norm() / other.norm()) < 1e-6
    again, _ = logits_and_gradients(model)
    assert again.equal(expected)


def test_layers_of_another_kind_keep_their_own_forward_pass():
    import peft

    dora = peft.LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear", use_dora=True)
    with lean_lora(peft.get_peft_model(tiny_model(), dora)) as exchanged:
        assert exchanged == 0
    model = adapted()
    model.add_adapter("other", model.peft_config["default"])
    model.base_model.set_adapter(["default", "other"])
    with lean_lora(model) as exchanged:
        assert exchanged == 0
    model = adapted()
    model.merge_adapter()
    with lean_lora(model) as exchanged:
        assert exchanged == 0


def test_dropout_keeps_the_mean_and_drops_its_share():
    import torch

    torch.manual_seed(1)
    x = torch.ones(1001, 333)  # no multiple of four
    dropped = _dropped(x, 0.3)
    kept = dropped != 0
    assert float(kept.float().mean()) == pytest.approx(0.7, abs=0.005)
    assert dropped.unique().tolist() == [0, pytest.approx(1 / 0.7, rel=1e-4)]
    columns, lines = kept.float().mean(0), kept.float().mean(1)
    assert float(columns.std()) < 0.03  # a pattern would repeat along an axis
    assert float(lines.std()) < 0.05


def test_the_seed_of_torch_rules_dropout():
    import torch

    x = torch.ones(64, 64)
    torch.manual_seed(3)
    one, other = _dropped(x, 0.5), _dropped(x, 0.5)
    assert not one.equal(other)
    torch.manual_seed(3)
    assert _dropped(x, 0.5).equal(one)


def test_there_is_no_dropout_in_evaluation():
    model = adapted(lora_dropout=0.5).eval()
    expected, _ = logits_and_gradients(model)
    with lean_lora(model):
        found, _ = logits_and_gradients(model)
        assert float((found - expected).norm() / expected.norm()) < 1e-6
        model.train()
        assert not logits_and_gradients(model)[0].equal(found)
