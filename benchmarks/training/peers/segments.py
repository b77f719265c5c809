"""Attention within each segment of a packed row, registered with transformers.

Several rows lie end to end in one sequence. Each segment attends to itself only, by one call of
torch's kernel per segment. `segments` is the name of the attention. The passes give `cu_seq_lens_q`:
where each segment begins, and the end of the last.
"""

from typing import Any

import torch

NAME = "bench_segments"


def attention(
    module: Any,
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
    bounds = cu_seq_lens_q.tolist()
    parts = [
        kernel(
            query[:, :, start:end],
            key[:, :, start:end],
            value[:, :, start:end],
            is_causal=True,
            scale=scaling,
            enable_gqa=grouped,
        )
        for start, end in zip(bounds, bounds[1:], strict=False)
        if end > start
    ]
    return torch.cat(parts, dim=2).transpose(1, 2).contiguous(), None


def register() -> str:
    """Register the attention, and a mask that is never made. Returns the name."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface

    AttentionInterface.register(NAME, attention)
    AttentionMaskInterface.register(NAME, lambda *_args, **_kwargs: None)
    return NAME
