"""Out of memory, in words: the estimate, and three things to change.

Belongs here: messages of failed runs. Does not: the estimate (training.memory.estimate).
"""

from typing import Protocol

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.training.memory.estimate import size


class NotEnoughMemoryError(StatedError):
    """A run needs more memory than there is. The message has the estimate and what to change."""


class _Planned(Protocol):
    """What a message needs to know of an execution plan."""

    @property
    def tokens_per_pass(self) -> int: ...
    @property
    def activation_checkpointing(self) -> bool: ...
    @property
    def estimated_bytes(self) -> int: ...


# Parts of the messages of torch's CPU allocator, which raises a plain RuntimeError, and of CUDA.
_SIGNS = (
    "not enough memory",
    "can't allocate memory",
    "cannot allocate memory",
    "out of memory",
    "bad_alloc",
    "cublas_status_alloc_failed",
)


def memory_fault(error: BaseException, plan: _Planned | None = None) -> StatedError | None:
    """The error as a message for the user, if memory ran out; None if it is another error.

    Args:
        error: what the training raised.
        plan: the execution plan of the run, if it was made.
    """
    import torch

    known = isinstance(error, MemoryError | torch.OutOfMemoryError)
    text = str(error)
    told = isinstance(error, RuntimeError | OSError) and any(
        sign in text.lower() for sign in _SIGNS
    )
    if not (known or told):
        return None
    device = "cuda" if torch.cuda.is_available() else "cpu"
    reason = text.strip().splitlines()[0] if text.strip() else type(error).__name__
    return NotEnoughMemoryError(
        f"Memory ran out during training ({reason}). {_estimated(plan)}"
        f"{things_to_change(plan.tokens_per_pass if plan else None, device)}"
    )


def killed_message(plan: _Planned | None = None, device: str = "cpu") -> str:
    """What to say of a model process that the kernel ended by SIGKILL (exit status -9 or 137)."""
    return (
        "The model process was ended by SIGKILL. If nobody killed it, the kernel did, because "
        f"memory ran out (`dmesg` says so). {_estimated(plan)}"
        f"{things_to_change(plan.tokens_per_pass if plan else None, device)}"
    )


def things_to_change(longest: int | None, device: str) -> str:
    """Three things that lower the need for memory, by the names of the experiment file."""
    rows = f"max_length (a pass has {longest:,} tokens)" if longest else "max_length"
    weights = (
        "set `quantization: nf4`, which loads the base model in 4 bits"
        if device == "cuda"
        else "set `dtype: bfloat16` for the base model, which halves its weights"
    )
    return (
        "Change one of three things in the experiment file (BIOINSTRUCT_EXPERIMENTS): "
        f"(1) lower {rows}; (2) {weights}; (3) lower lora_rank and lora_dropout, or name a smaller "
        "base model. Or free memory that other processes hold."
    )


def _estimated(plan: _Planned | None) -> str:
    if plan is None:
        return ""
    how = "with" if plan.activation_checkpointing else "without"
    return (
        f"The estimate was {size(plan.estimated_bytes)}, with passes of {plan.tokens_per_pass:,} "
        f"tokens {how} activation checkpointing. "
    )
