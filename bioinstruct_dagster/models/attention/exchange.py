"""Exchanging a model's attention for one of this project's own.

Belongs here: the exchange, and what an own attention refuses. Does not: the own attentions
(models.attention.segments, evaluation.engine.tree_attention).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bioinstruct_dagster.models.linear_layers import base_of

# Keywords by which models of transformers ask their attention for more than a causal softmax.
_UNSUPPORTED = ("softcap", "s_aux", "position_bias", "head_mask", "cache", "alibi")
# Fields of a model's configuration that change what a token may attend to, or make it random.
_OBSTACLES = {
    "attention_chunk_size": "its attention works in chunks",
    "attention_dropout": "its attention has dropout",
    "attn_pdrop": "its attention has dropout",
    "attention_probs_dropout_prob": "its attention has dropout",
    "attn_logit_softcapping": "its attention caps the scores",
    "alibi": "its attention is biased by distance (ALiBi)",
}
_DROPOUT = {"attention_dropout", "attn_pdrop", "attention_probs_dropout_prob"}


class AttentionUnsupportedError(Exception):
    """An own attention does not compute what the model needs. The message gives the reason."""


@contextmanager
def exchanged_attention(
    model: Any,
    name: str,
    attention: Callable[..., Any],
    mask: Callable[..., Any],
    *,
    trained: bool,
) -> Iterator[None]:
    """Run the model with an own attention inside the block, and with the model's afterwards.

    Args:
        model: a causal language model of transformers, or peft's wrapper around one.
        name: under which transformers knows the attention.
        attention: in the form that transformers' models call.
        mask: makes the mask that the model hands to its attention.
        trained: whether the model is trained, so that its dropout acts.

    Raises:
        AttentionUnsupportedError: the model does not use the attention that it is given, or it
            needs more than a causal softmax.
    """
    from transformers import AttentionInterface, AttentionMaskInterface

    base = base_of(model)
    if reason := _obstacle_of(base.config, trained=trained):
        raise AttentionUnsupportedError(reason)
    if not type(base)._can_set_attn_implementation():  # noqa: SLF001
        raise AttentionUnsupportedError("its attention can't be exchanged")
    AttentionInterface.register(name, attention)
    AttentionMaskInterface.register(name, mask)
    own = base.config._attn_implementation  # noqa: SLF001
    base.set_attn_implementation(name)
    try:
        yield
    finally:
        base.set_attn_implementation(own)


def refuse_more_than_causal(
    module: Any,
    attention_mask: Any,
    others: Mapping[str, Any],
    *,
    dropout: float,
    is_causal: bool | None,
) -> None:
    """Refuse a call that asks an attention for more than a causal softmax.

    Args:
        module: the attention layer.
        attention_mask: that the model hands over.
        others: whatever else the model hands over, by keyword.
        dropout: of the attention weights.
        is_causal: None for that of `module`.

    Raises:
        AttentionUnsupportedError: the call asks for more.
    """
    asked = [name for name in _UNSUPPORTED if others.get(name) is not None]
    if asked or dropout or attention_mask is not None:
        extra = asked or ["dropout" if dropout else "attention_mask"]
        raise AttentionUnsupportedError(f"its attention needs {', '.join(extra)}")
    if not (getattr(module, "is_causal", True) if is_causal is None else is_causal):
        raise AttentionUnsupportedError("its attention is not causal")


def _obstacle_of(config: Any, *, trained: bool) -> str | None:
    """What of a model's configuration rules out an own attention; None if nothing does."""
    text = config.get_text_config()
    for field, reason in _OBSTACLES.items():
        if getattr(text, field, None) and (trained or field not in _DROPOUT):
            return f"{reason} ({field} = {getattr(text, field)})"
    return None
