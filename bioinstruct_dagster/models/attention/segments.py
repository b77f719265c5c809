"""The attention `segments`: rows that lie end to end in one sequence do not see each other.

A CUDA device with 16-bit weights runs torch's variable-length kernel. Everything else runs torch's
SDPA once for each row. Outside `packed_attention` the registered attention equals that of
transformers for SDPA, so that padded batches and generation stay correct.

Belongs here: the attention function and its mask function. Does not: giving them to a model
(models.attention.exchange), the tensors of a pass (models.attention.passes), or choosing its rows
(training.loop.packing).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.models.attention.exchange import (
    AttentionUnsupportedError,
    exchanged_attention,
    refuse_more_than_causal,
)

if TYPE_CHECKING:
    import torch

NAME = "segments"
LARGEST_VARLEN_HEAD = 256  # of torch's variable-length kernel, in values

_packing = False  # read by the mask function, which transformers calls without a hint


@contextmanager
def packed_attention(model: Any) -> Iterator[None]:
    """Run the model with the attention `segments` inside the block, and with its own afterwards.

    Args:
        model: a causal language model of transformers, or peft's wrapper around one.

    Raises:
        AttentionUnsupportedError: the model does not use the attention that it is given, or it
            needs one that `segments` does not compute.
    """
    global _packing  # noqa: PLW0603
    with exchanged_attention(model, NAME, segments_attention, _mask, trained=True):
        _packing = True
        try:
            yield
        finally:
            _packing = False


def _mask(*args: Any, **kwargs: Any) -> Any:
    """No mask for packed rows, because `segments_attention` separates them; else that of sdpa."""
    from transformers.masking_utils import sdpa_mask

    return None if _packing else sdpa_mask(*args, **kwargs)


def segments_attention(
    module: "torch.nn.Module",
    query: "torch.Tensor",
    key: "torch.Tensor",
    value: "torch.Tensor",
    attention_mask: "torch.Tensor | None",
    *,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    is_causal: bool | None = None,
    cu_seq_lens_q: "torch.Tensor | None" = None,
    max_length_q: int | None = None,
    **kwargs: Any,
) -> "tuple[torch.Tensor, None]":
    """Causal attention inside each row, in the form that transformers' models call.

    Args:
        module: the attention layer.
        query: (1, heads, T, width) of the T tokens of all rows.
        key: (1, key heads, T, width); each key head serves heads / key heads query heads.
        value: like `key`.
        attention_mask: None for packed rows.
        scaling: the factor of the scores; None for 1 / sqrt(width).
        dropout: of the attention weights; packed rows are computed without.
        sliding_window: the number of tokens that a token sees, itself included; None for all.
        is_causal: None for that of `module`.
        cu_seq_lens_q: (rows + 1,) int32: where each row begins, and T. None if nothing is packed.
        max_length_q: the tokens of the longest row.
        kwargs: whatever else the model hands to its attention.

    Returns:
        (1, T, heads, width), and None in place of the attention weights.

    Raises:
        AttentionUnsupportedError: the model asks for more than this function computes.
    """
    if cu_seq_lens_q is None:
        if _packing:
            raise AttentionUnsupportedError("it does not tell its attention where rows begin")
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        return sdpa_attention_forward(  # type: ignore[no-any-return]
            module,
            query,
            key,
            value,
            attention_mask,
            dropout=dropout,
            scaling=scaling,
            is_causal=is_causal,
            **kwargs,
        )
    refuse_more_than_causal(module, attention_mask, kwargs, dropout=dropout, is_causal=is_causal)
    if query.shape[0] != 1:
        raise AttentionUnsupportedError("packed rows must lie in one sequence")
    heads = (query, key, value)
    if _has_varlen_kernel(query):
        longest = max_length_q or int(cu_seq_lens_q.diff().max())
        return _varlen(heads, cu_seq_lens_q, longest, scaling, sliding_window), None
    return _row_by_row(heads, cu_seq_lens_q, scaling, sliding_window), None


def _has_varlen_kernel(query: "torch.Tensor") -> bool:
    import torch

    width = query.shape[-1]
    return (
        query.is_cuda
        and query.dtype in {torch.bfloat16, torch.float16}
        and width <= LARGEST_VARLEN_HEAD
        and width % 8 == 0
    )


def _varlen(
    heads: "tuple[torch.Tensor, torch.Tensor, torch.Tensor]",
    starts: "torch.Tensor",
    longest: int,
    scaling: float | None,
    window: int | None,
) -> "torch.Tensor":
    from torch.nn.attention.varlen import varlen_attn

    query, key, value = (each[0].transpose(0, 1) for each in heads)  # (T, heads, width)
    output: torch.Tensor = varlen_attn(
        query,
        key,
        value,
        starts,
        starts,
        longest,
        longest,
        scale=scaling,
        # The kernel counts the tokens to the left of a token, transformers the token itself too.
        window_size=(-1 if window is None else window - 1, 0),
        enable_gqa=query.shape[1] != key.shape[1],
    )
    return output.unsqueeze(0)


def _row_by_row(
    heads: "tuple[torch.Tensor, torch.Tensor, torch.Tensor]",
    starts: "torch.Tensor",
    scaling: float | None,
    window: int | None,
) -> "torch.Tensor":
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    lengths: list[int] = starts.diff().tolist()
    query, key, value = heads
    grouped = query.shape[1] != key.shape[1]
    outputs = []
    # `split` and not slices: the gradient of a slice is a tensor of the whole sequence.
    for q, k, v in zip(
        query.split(lengths, 2), key.split(lengths, 2), value.split(lengths, 2), strict=True
    ):
        band = None
        if window is not None and q.shape[2] > window:
            band = _band(q.shape[2], window, q.device)
        output = scaled_dot_product_attention(
            q, k, v, attn_mask=band, is_causal=band is None, scale=scaling, enable_gqa=grouped
        )
        outputs.append(output.transpose(1, 2))
    return torch.cat(outputs, 1)


def _band(length: int, window: int, device: "torch.device") -> "torch.Tensor":
    """(length, length): whether a token (row) sees another one (column)."""
    import torch

    at = torch.arange(length, device=device)
    distance = at[:, None] - at[None, :]
    return (distance >= 0) & (distance < window)
