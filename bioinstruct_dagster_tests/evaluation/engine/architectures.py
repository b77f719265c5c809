"""Small models of several architectures, of which some compute in another form than others."""

from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

_SMALL = {
    "vocab_size": 90,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 512,
}
WINDOW = 8
ARCHITECTURES: list[tuple[str, dict[str, Any]]] = [
    ("llama", {}),
    ("qwen2", {}),
    ("qwen3", {"head_dim": 8}),
    ("mistral", {"sliding_window": WINDOW}),
    ("gemma3_text", {"head_dim": 8, "sliding_window": WINDOW}),
    ("phi3", {"sliding_window": WINDOW, "pad_token_id": 0}),
    ("gpt_neox", {}),
    ("gpt2", {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 512}),
    ("opt", {"ffn_dim": 48, "word_embed_proj_dim": 32}),
]
GEMMA2 = ("gemma2", {"head_dim": 8, "sliding_window": WINDOW})
MAMBA = ("mamba", {"state_size": 4})
BLOOM = ("bloom", {"n_layer": 2, "n_head": 4})  # its positions are in its attention mask
FALCON_H1 = (
    "falcon_h1",
    {"mamba_d_ssm": 32, "mamba_n_heads": 4, "mamba_d_head": 8, "head_dim": 8},
)


def small_model(name: str, **changes: Any) -> Any:
    """A small model of an architecture, with random weights."""
    torch.manual_seed(0)
    config = AutoConfig.for_model(name, **_SMALL | changes)
    return AutoModelForCausalLM.from_config(config).eval()
