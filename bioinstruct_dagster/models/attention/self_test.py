"""Whether a base model computes packed rows exactly as it computes each row alone.

Recurrent layers, convolutions over tokens, and attention of another form mix packed rows, and
nothing in a model's configuration says so reliably. So the model itself is asked.

Belongs here: the comparison on a few rows. Does not: the attention (models.attention.segments).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.attention.exchange import AttentionUnsupportedError
from bioinstruct_dagster.models.attention.passes import Pass, token_losses
from bioinstruct_dagster.models.attention.segments import packed_attention
from bioinstruct_dagster.models.encoding import Example
from bioinstruct_dagster.models.linear_layers import base_of

ROWS = 4
# The greatest mean difference of a token's loss in nats between a row packed and alone, which are
# rounded differently, by the precision of the model. 16-bit logits near 20 are rounded to 1/8.
_ROUNDING = {"float64": 1e-9, "float32": 2e-5}
ROUNDING_16_BIT = 5e-2
# Behind two different rows of equal length, a row is rounded alike. With experts it is not: what
# other tokens an expert serves decides the shape of its products.
_EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")
# These position embeddings depend on the longest row of a pass.
_ROPE_BY_LENGTH = {"dynamic", "longrope"}


class BaseLossError(StatedError):
    """The base model computes a loss that is no number, packed or not, before any training."""


def packing_fault(model: Any, rows: Sequence[Example], device: str) -> str | None:
    """The reason for which this model can't be trained on packed rows; None if it can.

    Args:
        model: a causal language model of transformers, or peft's wrapper around one.
        rows: rows with response tokens, of which a few are compared.
        device: that of the model.

    Raises:
        BaseLossError: the loss of a row alone is no number, so no recipe can train this model.
    """
    import torch

    config = base_of(model).config.get_text_config()
    longest = max(row.length for row in rows)
    if reason := positions_depend_on_other_rows(config, longest):
        return reason
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            return _difference(model, _sample(rows), device)
    except AttentionUnsupportedError as error:
        return str(error)
    except torch.OutOfMemoryError:
        raise
    except (TypeError, ValueError, RuntimeError, NotImplementedError) as error:
        return f"it refuses packed rows: {type(error).__name__}: {error}"
    finally:
        model.train(training)


def _sample(rows: Sequence[Example]) -> list[Example]:
    """The shortest rows, but behind one that is longer: what precedes a row must not matter."""
    ordered = sorted(rows, key=lambda row: row.length)
    middle = ordered[len(ordered) // 2]
    return [middle, *ordered[: ROWS - 1]]


def positions_depend_on_other_rows(config: Any, longest: int) -> str | None:
    """The reason for which a row's positions depend on the rows beside it; None if they don't.

    Args:
        config: of the language model.
        longest: the tokens of the longest row.
    """
    rope = getattr(config, "rope_parameters", None) or {}
    if rope.get("rope_type") not in _ROPE_BY_LENGTH:
        return None
    usual = rope.get("original_max_position_embeddings") or config.max_position_embeddings
    if longest <= usual:
        return None
    return (
        f"its positions ({rope['rope_type']}) change for all rows of a pass that holds a row of "
        f"more than {usual} tokens, and the longest row has {longest}"
    )


def rounding_of(model: Any) -> float:
    """The greatest mean difference of a token's loss (nats) that rounding alone can make."""
    dtype = str(next(model.parameters()).dtype).removeprefix("torch.")
    return _ROUNDING.get(dtype, ROUNDING_16_BIT)


def leak_allowed(model: Any, rounding: float) -> float:
    """How far a token's loss (nats) may change with the other rows: 0, or with experts `rounding`.

    Args:
        model: a causal language model of transformers, or peft's wrapper around one.
        rounding: the greatest difference that rounding alone can make.
    """
    config = base_of(model).config.get_text_config()
    return rounding if any(getattr(config, field, None) for field in _EXPERTS) else 0.0


def _difference(model: Any, rows: Sequence[Example], device: str) -> str | None:
    import torch

    alone = [token_losses(model, Pass.of([row], device), packed=False) for row in rows]
    for row, losses in zip(rows, alone, strict=True):
        if not bool(torch.isfinite(losses).all()):
            raise BaseLossError(
                f"The base model's loss of the row {row.row_id} is no finite number before "
                "training begins, so the recipe is not the reason. Copy or download the base "
                "model's weights again. If its dtype is float16, set float32 or bfloat16 in "
                "the experiment file (BIOINSTRUCT_EXPERIMENTS)."
            )
    altered = replace(rows[0], input_ids=rows[0].input_ids[::-1])
    with packed_attention(model):
        packed = token_losses(model, Pass.of(rows, device), packed=True)
        behind = token_losses(model, Pass.of([altered, *rows[1:]], device), packed=True)
    equal = rounding_of(model)
    difference = float((packed - torch.cat(alone)).abs().mean())
    leak = float((packed - behind)[len(alone[0]) :].abs().mean())
    if not bool(torch.isfinite(packed).all() and torch.isfinite(behind).all()):
        return "the loss of packed rows is no finite number, but that of each row alone is"
    if not leak <= leak_allowed(model, equal):
        return f"a row changes the loss of the row behind it by {leak:.2g} nats"
    if not difference <= equal:
        return (
            f"the loss of packed rows differs from that of each row alone by {difference:.2g} nats"
        )
    return None
