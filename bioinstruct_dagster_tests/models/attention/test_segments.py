"""Packed rows: each token's loss and each gradient equal those of the row alone."""

import pytest

from bioinstruct_dagster.models.attention import segments
from bioinstruct_dagster.models.attention.exchange import AttentionUnsupportedError
from bioinstruct_dagster.models.attention.passes import Pass, token_losses
from bioinstruct_dagster.models.attention.segments import packed_attention, segments_attention
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster_tests.training.loop.tiny_training import (
    RECIPE,
    rows,
    tiny_model,
    with_adapter,
)

ROWS = rows(6, "packed")


def losses_and_gradients(model, passes, *, packed):
    """The loss of each predicted token, and the gradient of their sum by name."""
    import torch

    model.zero_grad()
    losses = [token_losses(model, one, packed=packed) for one in passes]
    torch.cat(losses).sum().backward()
    gradients = {n: w.grad.clone() for n, w in model.named_parameters() if w.grad is not None}
    return torch.cat(losses).detach(), gradients


def greatest_difference(model):
    """Of losses and gradients between one pass and a pass for each row, relative."""
    alone = losses_and_gradients(model, [Pass.of([one], "cpu") for one in ROWS], packed=False)
    with packed_attention(model):
        packed = losses_and_gradients(model, [Pass.of(ROWS, "cpu")], packed=True)
    assert packed[1].keys() == alone[1].keys()
    pairs = [(packed[0], alone[0]), *((packed[1][name], alone[1][name]) for name in alone[1])]
    # The gradient of a key's bias is 0 but for rounding, so it has no relative difference.
    least = 1e-6 * max(float(other.norm()) for _, other in pairs)
    return max(
        float((one - other).norm()) / max(float(other.norm()), least) for one, other in pairs
    )


def models():
    from transformers import (
        Gemma3TextConfig,
        GPT2Config,
        GPTNeoXConfig,
        MistralConfig,
        OPTConfig,
        Qwen3Config,
    )

    shape = {
        "vocab_size": 100, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
        "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
    }  # fmt: skip
    grouped = shape | {"intermediate_size": 64, "num_key_value_heads": 2, "head_dim": 8}
    return {
        "grouped heads with norms": Qwen3Config(**grouped),
        "a sliding window": MistralConfig(**grouped, sliding_window=6),
        "windows in some layers": Gemma3TextConfig(**grouped, sliding_window=6),
        "learned positions": GPT2Config(
            vocab_size=100, n_embd=32, n_layer=2, n_head=4, attn_pdrop=0, bos_token_id=1,
            eos_token_id=2,
        ),
        "positions after an offset": OPTConfig(
            **shape, ffn_dim=64, word_embed_proj_dim=32, attention_dropout=0
        ),
        "parallel layers": GPTNeoXConfig(**shape, intermediate_size=64),
    }  # fmt: skip


@pytest.mark.parametrize("adapted", [False, True])
def test_packed_and_unpacked_agree_for_a_llama(adapted):
    model = tiny_model()
    if adapted:
        recipe = Recipe(**RECIPE)
        model = with_adapter(model, recipe)
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.data.normal_()
    assert greatest_difference(model.eval()) < 1e-9


@pytest.mark.parametrize("name", models())
def test_packed_and_unpacked_agree_for_other_models(name):
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(models()[name]).double().eval()
    assert greatest_difference(model) < 1e-6  # some compute their norms in 32 bits


def test_attention_over_all_rows_does_not_pass_this_comparison(monkeypatch):
    import torch

    monkeypatch.setattr(
        segments,
        "_row_by_row",
        lambda heads, starts, scaling, window: torch.nn.functional.scaled_dot_product_attention(
            *heads, is_causal=True, scale=scaling, enable_gqa=True
        ).transpose(1, 2),
    )
    assert greatest_difference(tiny_model().eval()) > 1e-3


def test_a_window_that_is_off_by_one_does_not_pass_it_either(monkeypatch):
    import torch
    from transformers import AutoModelForCausalLM

    band = segments._band
    monkeypatch.setattr(segments, "_band", lambda length, window, on: band(length, window + 1, on))
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(models()["a sliding window"]).double().eval()
    assert greatest_difference(model) > 1e-4


def test_a_model_has_its_own_attention_again_afterwards():
    model = tiny_model()
    with packed_attention(model):
        assert model.config._attn_implementation == "segments"
    assert model.config._attn_implementation == "sdpa"
    with pytest.raises(ZeroDivisionError), packed_attention(model):
        _ = 1 / 0
    assert model.config._attn_implementation == "sdpa"


def test_padded_batches_and_generation_are_those_of_sdpa():
    import torch

    model = tiny_model().eval()
    ids = torch.tensor([[5, 6, 7, 8], [0, 0, 9, 4]])
    mask = torch.tensor([[1, 1, 1, 1], [0, 0, 1, 1]])

    def both():
        logits = model(input_ids=ids, attention_mask=mask).logits
        answer = model.generate(
            input_ids=ids, attention_mask=mask, max_new_tokens=4, do_sample=False, pad_token_id=0
        )
        return logits[mask.bool()], answer

    logits, answer = both()
    with packed_attention(model):  # transformers knows it from now on
        pass
    model.set_attn_implementation("segments")
    others = both()
    assert logits.equal(others[0])
    assert answer.equal(others[1])


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"softcap": 30.0}, "softcap"),
        ({"s_aux": 1}, "s_aux"),
        ({"dropout": 0.1}, "dropout"),
        ({"attention_mask": 1}, "attention_mask"),
        ({"is_causal": False}, "not causal"),
    ],
)
def test_an_attention_that_it_does_not_compute_is_refused(asked, reason):
    import torch

    heads = torch.zeros(1, 2, 5, 8)
    starts = torch.tensor([0, 2, 5], dtype=torch.int32)
    arguments = {"attention_mask": None, "cu_seq_lens_q": starts, "max_length_q": 3} | asked
    with pytest.raises(AttentionUnsupportedError, match=reason):
        segments_attention(torch.nn.Module(), heads, heads, heads, **arguments)


def test_the_kernel_of_a_gpu_agrees_with_sdpa_of_each_row():
    import torch

    if not torch.cuda.is_available():
        pytest.skip("torch's variable-length kernel needs a CUDA device")
    torch.manual_seed(0)
    starts = torch.tensor([0, 70, 72, 300], dtype=torch.int32, device="cuda")
    for window in (None, 16):
        heads = [
            torch.randn(1, n, 300, 64, device="cuda", dtype=torch.bfloat16, requires_grad=True)
            for n in (8, 2, 2)
        ]
        found, expected = (
            segments._varlen(tuple(heads), starts, 228, None, window),
            segments._row_by_row(tuple(heads), starts, None, window),
        )
        assert (found - expected).abs().max() < 2e-2
        weights = torch.randn_like(found)
        for one, other in zip(
            torch.autograd.grad((found * weights).sum(), heads),
            torch.autograd.grad((expected * weights).sum(), heads),
            strict=True,
        ):
            assert (one - other).norm() / other.norm() < 2e-2
