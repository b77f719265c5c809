"""One loss and one gradient for an update, however many passes compute it."""

import pytest

from bioinstruct_dagster.models.attention.segments import packed_attention
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.training.loop.gradients import Computation
from bioinstruct_dagster.training.loop.ranks import Ranks
from bioinstruct_dagster_tests.training.loop.tiny_training import (
    RECIPE,
    rows,
    tiny_model,
    with_adapter,
)

ROWS = rows(16, "gradients")


def adapted(dtype="float64", **recipe):
    """A model in training mode, whose adapter acts already."""
    import torch

    model = with_adapter(tiny_model(dtype), Recipe(**RECIPE | recipe))
    torch.manual_seed(5)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(std=0.1)
    return model.train()


def computation(model, capacity, ranks=None, **changes):
    values = {
        "model": model,
        "weights": [weight for weight in model.parameters() if weight.requires_grad],
        "device": "cpu",
        "capacity": capacity,
        "packed": True,
        "half": None,
        "ranks": ranks or Ranks(),
        "seed": 1,
    }
    return Computation(**values | changes)


def gradient(model, capacity, update=1, **changes):
    """The loss and the gradient of all weights, in one vector."""
    import torch

    one = computation(model, capacity, **changes)
    model.zero_grad()
    with packed_attention(model):
        loss, computed = one.add_gradients(update, ROWS)
    assert computed == sum(row.length for row in ROWS)  # there is no padding
    return loss, torch.cat([weight.grad.reshape(-1) for weight in one.weights])


def passes(model, capacity):
    return len(computation(model, capacity).passes(ROWS))


def test_one_pass_and_sixteen_passes_agree():
    model = adapted()
    assert (passes(model, 10_000), passes(model, 1)) == (1, 16)
    loss, expected = gradient(model, 10_000)
    for capacity in (1, 40, 100):
        other, found = gradient(model, capacity)
        assert other == pytest.approx(loss, rel=1e-12)
        assert float((found - expected).norm() / expected.norm()) < 1e-12


def test_the_loss_is_the_mean_over_all_tokens_and_not_over_rows_or_passes():
    import torch

    model = adapted()
    loss, found = gradient(model, 60)
    total, count = 0.0, 0
    model.zero_grad()
    for row in ROWS:
        ids = torch.tensor([row.input_ids])
        logits = model(input_ids=ids, use_cache=False).logits[0, row.prompt_tokens - 1 : -1]
        targets = ids[0, row.prompt_tokens :]
        total += torch.nn.functional.cross_entropy(logits, targets, reduction="sum")
        count += len(targets)
    (total / count).backward()
    expected = torch.cat([w.grad.reshape(-1) for w in model.parameters() if w.requires_grad])
    assert loss == pytest.approx(total.item() / count, rel=1e-12)
    # A Llama computes its norms in 32 bits, and there a loss divided before is rounded otherwise.
    assert float((found - expected).norm() / expected.norm()) < 1e-6


def test_a_mean_of_the_means_of_passes_would_be_found_out():
    # The fault of trainers that divide by the number of accumulated passes.
    import torch

    model = adapted()
    loss, _ = gradient(model, 60)
    one = computation(model, 60)
    with packed_attention(model), torch.no_grad():
        means = [float(one._losses(each).mean()) for each in one.passes(ROWS)]
    assert sum(means) / len(means) != pytest.approx(loss, rel=1e-6)


def test_dropout_depends_on_seed_update_and_pass_alone():
    model = adapted(lora_dropout=0.3)
    loss, expected = gradient(model, 60)
    again, found = gradient(model, 60)
    assert again == loss
    assert found.equal(expected)
    for changed in ({"update": 2}, {"seed": 2}):
        assert gradient(model, 60, **changed)[0] != loss


def test_the_base_weights_have_no_gradient():
    model = adapted()
    gradient(model, 60)
    assert all(w.grad is None for n, w in model.named_parameters() if "lora_" not in n)


def test_a_16_bit_base_has_an_adapter_of_32_bits_and_nearly_its_gradient():
    import torch
    from peft.helpers import disable_input_dtype_casting

    _, expected = gradient(adapted("float32"), 60)
    model = adapted("bfloat16")
    with disable_input_dtype_casting(model):
        _, found = gradient(model, 60, half=torch.bfloat16)
    assert found.dtype == torch.float32
    assert float((found - expected).norm() / expected.norm()) < 0.05


def test_the_validation_loss_has_no_dropout_and_leaves_the_model_training():
    model = adapted(lora_dropout=0.3)
    one = computation(model, 60)
    with packed_attention(model):
        loss = one.mean_loss(one.passes(ROWS))
        assert model.training
        total = sum(one.loss_of(row) for row in ROWS)
    tokens = sum(row.length - row.prompt_tokens for row in ROWS)
    assert loss == pytest.approx(total / tokens, rel=1e-12)
    plain, _ = gradient(adapted(), 60)
    assert loss == pytest.approx(plain, rel=1e-12)
