"""The optimizer of an adapter and its learning rate in each update.

Belongs here: parameter groups, AdamW, and the schedule. Does not: computing gradients
(training.loop.training_run).
"""

import math
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.models.experiments import Recipe

if TYPE_CHECKING:
    import torch

_BETAS, _EPSILON = (0.9, 0.999), 1e-8  # torch's and transformers' defaults
OPTIMIZER = f"AdamW (betas {_BETAS[0]}, {_BETAS[1]}; epsilon {_EPSILON:g})"
# The weights B of LoRA, by their names in peft: of linear layers and of embeddings.
_B_WEIGHTS = ("lora_B", "lora_embedding_B")


def rate_factor(update: int, updates: int, recipe: Recipe) -> float:
    """The share of the recipe's learning rate in an update, which is counted from 1.

    It rises linearly during the warm-up and reaches 1 with its last update. Then it falls to nearly
    0 by a half cosine or linearly, or stays. The last update still learns.
    """
    # 0.1 * 30 is 3.0000000000000004, which is not meant as 4 updates.
    warmup = math.ceil(round(recipe.warmup * updates, 6))
    if update <= warmup:
        return update / warmup
    share = (update - 1 - warmup) / (updates - warmup)  # of the time after the warm-up, below 1
    if recipe.schedule == "cosine":
        return (1 + math.cos(math.pi * share)) / 2
    return 1 - share if recipe.schedule == "linear" else 1.0


def adapter_optimizer(model: Any, recipe: Recipe) -> "torch.optim.AdamW":
    """AdamW over the trainable weights, in one group or, for LoRA+, in two.

    LoRA+ (arXiv 2402.12354) trains the weights B at `lora_plus_ratio` times the rate of A. Each
    group's `initial_lr` is its rate at a factor of 1. `set_rate` applies a factor.
    """
    import torch

    trainable = [(name, one) for name, one in model.named_parameters() if one.requires_grad]
    ratio = recipe.lora_plus_ratio or 1.0
    groups = [
        {"params": [one for name, one in trainable if _is_b(name) is is_b], "initial_lr": rate}
        for is_b, rate in ((False, recipe.learning_rate), (True, recipe.learning_rate * ratio))
    ]
    groups = [group | {"lr": group["initial_lr"]} for group in groups if group["params"]]
    # One call of a fused kernel in place of ten for each of several hundred small weights.
    return torch.optim.AdamW(
        groups, betas=_BETAS, eps=_EPSILON, weight_decay=recipe.weight_decay, fused=True
    )


def set_rate(optimizer: "torch.optim.Optimizer", factor: float) -> None:
    """Set the learning rate of each group to this share of its own."""
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"] * factor


def _is_b(name: str) -> bool:
    return any(f".{part}." in name or name.endswith(f".{part}") for part in _B_WEIGHTS)
