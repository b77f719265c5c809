"""Models of several architectures compute with slots what they compute without a cache."""

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from bioinstruct_dagster.evaluation.engine.slots import Slots, carries

SMALL = {
    "vocab_size": 90,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 128,
}
PROMPT = list(range(5, 25))


def made(name, **changes):
    torch.manual_seed(0)
    config = AutoConfig.for_model(name, **SMALL | changes)
    return AutoModelForCausalLM.from_config(config).eval()


GPT2 = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 128}
WINDOW = 8


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("llama", {}),
        ("qwen2", {}),
        ("qwen3", {"head_dim": 8}),
        ("mistral", {"sliding_window": WINDOW}),
        ("gemma2", {"head_dim": 8, "sliding_window": WINDOW}),
        ("gemma3_text", {"head_dim": 8, "sliding_window": WINDOW}),
        ("phi3", {"sliding_window": WINDOW, "pad_token_id": 0}),
        ("gpt_neox", {}),
        ("gpt2", GPT2),
        ("opt", {"ffn_dim": 48, "word_embed_proj_dim": 32}),
    ],
)
def test_rows_of_different_lengths_are_computed_as_without_a_cache(name, changes):
    model = made(name, **changes)
    rows = [[(7 * at + 3 * row) % 80 + 5 for at in range(30 - 9 * row)] for row in range(3)]
    slots = Slots(5, 40, "cpu")
    places = [1, 0, 2]
    by_place = [rows[places.index(place)] for place in range(3)]
    with torch.inference_mode():
        slots.fill(model, [0, 1, 2, 3, 4], [[9] * 38] * 5)  # what was there before
        first = slots.fill(model, places, [row[:-3] for row in rows])
        for row, logits in zip(rows, first, strict=True):
            plain = model(input_ids=torch.tensor([row[:-3]]), use_cache=False).logits[0, -1]
            assert torch.allclose(logits, plain, atol=1e-5)
        for back in (3, 2, 1):
            if back == 1:  # two rows go on, in another order
                by_place = [by_place[2], by_place[0]]
                slots.keep([2, 0], 30)
            found = slots.step(
                model, [row[-back] for row in by_place], [len(row) - back for row in by_place]
            )
            for row, logits in zip(by_place, found, strict=True):
                seen = row[: len(row) - back + 1]
                plain = model(input_ids=torch.tensor([seen]), use_cache=False).logits[0, -1]
                assert torch.allclose(logits, plain, atol=1e-5)
    assert carries(model, PROMPT, "cpu")


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("mamba", {"state_size": 4}),
        ("bloom", {"n_layer": 2, "n_head": 4}),  # its positions are in its attention mask
        ("falcon_h1", {"mamba_d_ssm": 32, "mamba_n_heads": 4, "mamba_d_head": 8, "head_dim": 8}),
    ],
)
def test_a_model_that_can_t_compute_with_slots_is_found(name, changes):
    assert not carries(made(name, **changes), PROMPT, "cpu")


def test_slots_are_compared_in_16_bits_too():
    assert carries(made("llama").to(torch.bfloat16), PROMPT, "cpu")


def test_a_wrong_mask_is_found(monkeypatch):
    """The comparison would fail if a row saw its neighbours' padding or too few of its tokens."""
    monkeypatch.setattr(
        Slots, "_masks", lambda self, _: torch.ones(2, 1, 1, self._reach, dtype=torch.bool)
    )
    assert not carries(made("llama"), PROMPT, "cpu")
