"""Models that mix packed rows are found out before they are trained."""

import pytest

from bioinstruct_dagster.models.attention import segments
from bioinstruct_dagster.models.attention.self_test import BaseLossError, packing_fault
from bioinstruct_dagster_tests.training.loop.tiny_training import row, rows, tiny_model

ROWS = rows(9, "tested")
DTYPES = ["float64", "float32", "bfloat16"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_llama_can_be_packed(dtype):
    model = tiny_model(dtype)
    assert packing_fault(model, ROWS, "cpu") is None
    assert model.config._attn_implementation == "sdpa"


@pytest.mark.parametrize("training", [False, True])
def test_the_model_is_left_as_it_was(training):
    model = tiny_model("float32").train(training)
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    packing_fault(model, ROWS, "cpu")
    assert model.training is training
    assert all(weight.equal(before[name]) for name, weight in model.named_parameters())


@pytest.mark.parametrize("count", [1, 2])
def test_few_rows_are_enough(count):
    assert packing_fault(tiny_model(), ROWS[:count], "cpu") is None


def unpackable():
    from transformers import (
        BloomConfig,
        FalconH1Config,
        Gemma2Config,
        GPT2Config,
        GptOssConfig,
        MambaConfig,
    )

    special = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    grouped = special | {
        "vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": 64, "num_key_value_heads": 2,
    }  # fmt: skip
    return {
        "a recurrence": (
            MambaConfig(vocab_size=100, hidden_size=32, num_hidden_layers=2, **special),
            "a row changes the loss of the row behind it",
        ),
        "a recurrence beside attention": (
            FalconH1Config(
                **grouped, mamba_d_ssm=32, mamba_n_heads=4, mamba_d_head=8, mamba_d_state=16
            ),
            "a row changes the loss of the row behind it",
        ),
        "capped scores": (Gemma2Config(**grouped, head_dim=8), "caps the scores"),
        "distances": (
            BloomConfig(vocab_size=100, hidden_size=32, n_layer=2, n_head=4, **special),
            "can't be exchanged",
        ),
        "dropout": (
            GPT2Config(vocab_size=100, n_embd=32, n_layer=2, n_head=4, **special),
            "attention has dropout",
        ),
        "sinks": (GptOssConfig(**grouped, head_dim=8, num_local_experts=4), "s_aux"),
    }


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", unpackable())
def test_a_model_that_would_mix_rows_is_named_with_the_reason(name, dtype):
    import torch
    from transformers import AutoModelForCausalLM

    config, reason = unpackable()[name]
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config).to(getattr(torch, dtype))
    assert reason in packing_fault(model, ROWS, "cpu")


@pytest.mark.parametrize("dtype", DTYPES)
def test_an_attention_over_all_rows_is_found_out(dtype, monkeypatch):
    import torch

    monkeypatch.setattr(
        segments,
        "_row_by_row",
        lambda heads, starts, scaling, window: torch.nn.functional.scaled_dot_product_attention(
            *heads, is_causal=True, scale=scaling, enable_gqa=True
        ).transpose(1, 2),
    )
    assert "row behind it" in packing_fault(tiny_model(dtype), ROWS, "cpu")


def test_positions_that_run_on_are_found_out(monkeypatch):
    import torch

    from bioinstruct_dagster.models.attention import self_test

    class RunningOn(self_test.Pass):
        """A pass whose second row does not begin at position 0."""

        @classmethod
        def of(cls, packed, device):
            one = super().of(packed, device)
            one.position_ids.copy_(torch.arange(one.tokens) * 7)
            return one

    monkeypatch.setattr(self_test, "Pass", RunningOn)
    assert "differs from that of each row alone" in packing_fault(tiny_model(), ROWS, "cpu")


@pytest.mark.parametrize(("longest", "fault"), [(16, False), (17, True)])
def test_positions_that_change_with_the_longest_row_are_found_out(longest, fault):
    rope = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}
    model = tiny_model(max_position_embeddings=16, rope_parameters=rope)
    found = packing_fault(model, [row("a", list(range(longest)), 2), row("b", [1, 2], 1)], "cpu")
    assert bool(found) is fault
    if fault:
        assert "dynamic" in found


def test_a_loss_that_is_no_number_is_a_fault_and_no_reason_to_train_row_by_row():
    import torch

    model = tiny_model("float32")
    with torch.no_grad():
        model.get_input_embeddings().weight.fill_(float("nan"))
    with pytest.raises(BaseLossError, match="the recipe is not the reason"):
        packing_fault(model, ROWS, "cpu")
