"""Attention within each segment of a packed row, registered with transformers.

Several rows lie end to end in one sequence. Each segment attends to itself only, by one call of
torch's kernel per segment. A pass says by `cu_seq_lens_q` where each segment begins, and where the
last one ends.
"""

from typing import Any

import torch

NAME = "bench_segments"


def attention(
    _module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    _mask: Any = None,
    *,
    scaling: float | None = None,
    cu_seq_lens_q: torch.Tensor | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Shapes: query (1, heads, tokens, size); returns (1, tokens, heads, size)."""
    grouped = key.shape[1] != query.shape[1]
    kernel = torch.nn.functional.scaled_dot_product_attention
    if cu_seq_lens_q is None:
        mixed = kernel(query, key, value, is_causal=True, scale=scaling, enable_gqa=grouped)
        return mixed.transpose(1, 2).contiguous(), None
    # `split`, because the gradient of a slice is a tensor of the whole sequence.
    lengths = cu_seq_lens_q.diff().tolist()
    parts = [
        kernel(q, k, v, is_causal=True, scale=scaling, enable_gqa=grouped).transpose(1, 2)
        for q, k, v in zip(
            query.split(lengths, 2), key.split(lengths, 2), value.split(lengths, 2), strict=True
        )
    ]
    return torch.cat(parts, 1), None


def register() -> str:
    """Register the attention, and a mask that is never made. Returns the name."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, lambda *_args, **_kwargs: None)
    return NAME
