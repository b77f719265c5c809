"""One forward pass over rows that lie end to end, and the loss of each response token.

Belongs here: the tensors of a pass, and calling the model with them. Does not: choosing the rows of
a pass (training.loop.packing), or the attention (models.attention.segments).
"""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.models.encoding import Example
from bioinstruct_dagster.models.linear_layers import base_of

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Pass:
    """The tensors of T tokens of one or more rows, of which P tokens are predicted.

    Attributes:
        input_ids: (1, T) token ids.
        position_ids: (1, T) positions, which begin at 0 in each row.
        starts: (rows + 1,) int32: where each row begins, and T.
        longest: the tokens of the longest row.
        predicting: (P,) the positions whose logits predict a response token.
        targets: (P,) the token that follows each of these positions.
    """

    input_ids: "torch.Tensor"
    position_ids: "torch.Tensor"
    starts: "torch.Tensor"
    longest: int
    predicting: "torch.Tensor"
    targets: "torch.Tensor"

    @property
    def tokens(self) -> int:
        """The number of tokens of all rows."""
        return int(self.input_ids.shape[1])

    @classmethod
    def of(cls, rows: Sequence[Example], device: str) -> "Pass":
        """The pass over these rows, in their order."""
        import torch

        lengths = [row.length for row in rows]
        starts = [0, *accumulate(lengths)]
        ids = torch.tensor([list(chain.from_iterable(row.input_ids for row in rows))])
        predicted = torch.tensor(
            [
                at
                for row, start in zip(rows, starts, strict=False)
                for at in range(start + row.length - response_tokens(row), start + row.length)
            ],
            dtype=torch.long,
        )
        positions = torch.tensor([list(chain.from_iterable(map(range, lengths)))])
        return cls(
            ids.to(device),
            positions.to(device),
            torch.tensor(starts, dtype=torch.int32).to(device),
            max(lengths),
            (predicted - 1).to(device),
            ids[0, predicted].to(device),
        )


def response_tokens(row: Example) -> int:
    """The number of tokens of a row that a model learns to predict.

    They follow the prompt. Nothing precedes the first token of a row, so nothing predicts it.
    """
    return row.length - max(1, row.prompt_tokens)


def token_losses(model: Any, one: Pass, *, packed: bool) -> "torch.Tensor":
    """The cross-entropy (nats) of each predicted token: (P,), float32 or float64.

    Args:
        model: the model, or peft's wrapper around it.
        one: the pass; a single row unless `packed`.
        packed: whether the model runs inside `packed_attention`.
    """
    import torch

    extra: dict[str, Any] = {}
    if packed:
        extra = {
            "position_ids": one.position_ids,
            "cu_seq_lens_q": one.starts,
            "cu_seq_lens_k": one.starts,
            "max_length_q": one.longest,
            "max_length_k": one.longest,
        }
    # Most tokens belong to prompts. Their logits are not computed.
    kept = kept_logits(model, one.predicting, input_ids=one.input_ids, use_cache=False, **extra)
    logits = in_full_precision(kept[0])
    return torch.nn.functional.cross_entropy(logits, one.targets, reduction="none")


def kept_logits(model: Any, kept: "torch.Tensor", **inputs: Any) -> "torch.Tensor":
    """The logits of some tokens of each row: (rows, P, vocabulary), in the model's type.

    Args:
        model: transformers' model, or peft's wrapper around one.
        kept: (P,) the tokens.
        inputs: of the model.
    """
    selects = "logits_to_keep" in inspect.signature(type(base_of(model)).forward).parameters
    if selects:
        inputs["logits_to_keep"] = kept
    logits: torch.Tensor = model(**inputs).logits
    return logits if selects else logits[:, kept]


def in_full_precision(logits: "torch.Tensor") -> "torch.Tensor":
    """The same logits, those of fewer bits as float32."""
    import torch

    return logits if logits.dtype == torch.float64 else logits.float()
