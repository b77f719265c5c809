"""One forward pass over a tree of requests, and the log-likelihood of each option.

Belongs here: the tensors of a pass, and calling the model with them. Does not: filling passes
(evaluation.engine.prefix_tree), or their order (evaluation.engine.log_likelihoods).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.evaluation.engine.prefix_tree import TreePass
from bioinstruct_dagster.evaluation.engine.tree_attention import TreeMasks, tree_attention
from bioinstruct_dagster.models.attention.passes import in_full_precision, kept_logits

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


def log_likelihoods_of(model: Any, tensors: TreeTensors) -> Sums:
    """The log-likelihoods of a pass's options: an entry a request.

    Args:
        model: transformers' model.
        tensors: of the pass.

    Raises:
        AttentionUnsupportedError: the model can't compute trees.
    """
    import torch

    with torch.inference_mode(), tree_attention(model, tensors.masks):
        kept = kept_logits(
            model,
            tensors.predicting,
            input_ids=tensors.input_ids,
            position_ids=tensors.position_ids,
            use_cache=False,
        )
        logits = in_full_precision(kept[0])  # (P, vocabulary)
        # As a plain forward pass and lm-evaluation-harness compute it. On a CPU, torch's sum over a
        # large vocabulary is rounded mostly to one side, by some 5e-6 nats a token. With another
        # formula, long options would differ from both by more than 1e-4.
        scores = logits.log_softmax(1)[tensors.rows, tensors.targets]
        return summed(scores, tensors.owners, tensors.options)


def summed(scores: "torch.Tensor", owners: "torch.Tensor", options: Sequence[int]) -> Sums:
    """The sum of each option's scores, an entry a request.

    Args:
        scores: (N,) the log-probability of each token of all options.
        owners: (N,) the number of its option.
        options: how many options each request has.
    """
    import torch

    total = torch.zeros(sum(options), dtype=torch.float64, device=scores.device)
    values = total.index_add_(0, owners, scores.double()).tolist()
    found, at = [], 0
    for size in options:
        found.append(tuple(values[at : at + size]))
        at += size
    return found
