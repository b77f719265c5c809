"""One forward pass over a tree of requests, and the log-likelihood of each option.

Belongs here: the tensors of a pass, and calling the model with them. Does not: filling passes
(evaluation.engine.prefix_tree), or their order (evaluation.engine.log_likelihoods).
"""

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.evaluation.engine.prefix_tree import TreePass
from bioinstruct_dagster.evaluation.engine.tree_attention import TreeMasks, masked

if TYPE_CHECKING:
    import torch

Sums = list[tuple[float, ...]]  # for each request, the log-likelihoods of its options in nats


@dataclass(frozen=True)
class TreeTensors:
    """The tensors of a pass on a device. All subjects use them.

    Attributes:
        input_ids: (1, T).
        position_ids: (1, T).
        masks: what each token sees.
        predicting: (P,) the tokens whose logits are needed.
        rows: (N,) for each token of all options, its place in `predicting`.
        targets: (N,) that token.
        owners: (N,) the number of its option in the pass.
        options: how many options each request has.
    """

    input_ids: "torch.Tensor"
    position_ids: "torch.Tensor"
    masks: TreeMasks
    predicting: "torch.Tensor"
    rows: "torch.Tensor"
    targets: "torch.Tensor"
    owners: "torch.Tensor"
    options: tuple[int, ...]

    @classmethod
    def of(cls, one: TreePass, device: str, dtype: "torch.dtype") -> "TreeTensors":
        """The tensors of a pass.

        Args:
            one: the pass.
            device: of the model.
            dtype: in which the model computes attention.
        """
        import torch

        positions = torch.tensor(one.positions, device=device)
        pairs = torch.tensor(one.targets, device=device)
        return cls(
            torch.tensor([one.ids], device=device),
            positions[None],
            TreeMasks.of(one.branches, positions, dtype),
            torch.tensor(one.predicting, device=device),
            pairs[:, 0],
            pairs[:, 1],
            owners_of(one.option_tokens, device),
            tuple(len(request.option_ids) for request in one.requests),
        )


def owners_of(option_tokens: Sequence[int], device: str) -> "torch.Tensor":
    """For each token of all options, the number of its option: (N,)."""
    import torch

    counts = torch.tensor(option_tokens, device=device)
    return torch.arange(len(option_tokens), device=device).repeat_interleave(counts)


def log_likelihoods_of(model: Any, tensors: TreeTensors, *, copies: int = 1) -> list[Sums]:
    """The log-likelihoods of a pass's options: a list for each copy, with an entry a request.

    Args:
        model: transformers' model, inside `tree_attention`.
        tensors: of the pass.
        copies: how many rows the model computes: one, or one for each subject of a mixed batch.
    """
    import torch

    with torch.inference_mode(), masked(tensors.masks):
        logits = kept_logits(
            model,
            tensors.predicting,
            input_ids=tensors.input_ids.expand(copies, -1),
            position_ids=tensors.position_ids.expand(copies, -1),
        )  # (copies, P, vocabulary)
        return [
            list(split(sums, tensors.options))
            for sums in option_sums(
                logits, tensors.rows, tensors.targets, tensors.owners, sum(tensors.options)
            )
        ]


def kept_logits(model: Any, kept: "torch.Tensor", **inputs: Any) -> "torch.Tensor":
    """The logits of some tokens of each row: (rows, P, vocabulary), float32 or float64.

    Args:
        model: transformers' model, or peft's wrapper around one.
        kept: (P,) the tokens.
        inputs: of the model.
    """
    import torch

    base = model.get_base_model() if hasattr(model, "get_base_model") else model
    selects = "logits_to_keep" in inspect.signature(type(base).forward).parameters
    if selects:
        inputs["logits_to_keep"] = kept
    logits: torch.Tensor = model(use_cache=False, **inputs).logits
    if not selects:
        logits = logits[:, kept]
    return logits if logits.dtype == torch.float64 else logits.float()


def option_sums(
    logits: "torch.Tensor",
    rows: "torch.Tensor",
    targets: "torch.Tensor",
    owners: "torch.Tensor",
    options: int,
) -> list[list[float]]:
    """The log-likelihood of each option, for each row of a batch.

    Args:
        logits: (batch, P, vocabulary).
        rows: (N,) for each token of all options, which of the P logits predict it.
        targets: (N,) that token.
        owners: (N,) the number of its option.
        options: how many there are.
    """
    import torch

    sums = []
    for one in logits:
        # One value for each row and not for each value of the vocabulary: no second tensor of
        # the size of the logits.
        scores = one[rows, targets] - one.logsumexp(1)[rows]
        total = torch.zeros(options, dtype=torch.float64, device=one.device)
        sums.append(total.index_add_(0, owners, scores.double()).tolist())
    return sums


def split(values: Sequence[float], sizes: Sequence[int]) -> Iterator[tuple[float, ...]]:
    """The values in groups of these sizes."""
    at = 0
    for size in sizes:
        yield tuple(values[at : at + size])
        at += size
