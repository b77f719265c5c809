"""A model in the state in which it is trained, and as it was before once training ends.

Belongs here: what is switched on and off around training. Does not: the training itself
(training.loop.training_run).
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.models.attention.segments import packed_attention
from bioinstruct_dagster.training.loop.lean_lora import lean_lora

if TYPE_CHECKING:
    import torch

_BYTES_OF_HALF = 2


def half_of(model: Any) -> "torch.dtype | None":
    """The 16-bit type that the base of an adapter computes in; None if it computes in more bits."""
    dtype: torch.dtype = model.get_base_model().dtype
    return dtype if dtype.itemsize == _BYTES_OF_HALF else None


@contextmanager
def ready_to_train(model: Any, *, packed: bool, recompute: bool) -> Iterator[None]:
    """Inside the block, the model trains. Afterwards it is as before, in evaluation mode.

    Args:
        model: peft's wrapper around a base model, with one adapter.
        packed: whether a pass holds several rows.
        recompute: whether activations are computed twice to save memory.
    """
    from peft.helpers import disable_input_dtype_casting

    inner = model.get_base_model()
    with ExitStack() as stack:
        stack.callback(model.eval)
        if packed:
            stack.enter_context(packed_attention(model))
        # Autocast computes an adapter in the 16 bits of its base. Else peft would keep a 32-bit
        # copy of each layer's input for the gradient, a fifth of all memory.
        stack.enter_context(disable_input_dtype_casting(model, active=half_of(model) is not None))
        stack.enter_context(lean_lora(model))
        if inner.device.type == "cuda":
            stack.enter_context(repeatable_kernels())
        if recompute:
            inner.activation_checkpointing_enable({"use_reentrant": False})
            stack.callback(inner.activation_checkpointing_disable)
        model.train()
        yield


@contextmanager
def repeatable_kernels() -> Iterator[None]:
    """Ask torch for kernels that give the same bits each time.

    On a GPU, the gradient of attention otherwise adds in the order in which threads end. With rows
    of some hundred tokens, attention is a small part of the work, so this costs little. Where there
    is no such kernel, torch warns and takes the usual one.
    """
    import torch
    from torch.utils import deterministic

    enabled = torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    fills = deterministic.fill_uninitialized_memory
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    deterministic.fill_uninitialized_memory = False  # nothing here reads such memory
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(enabled, warn_only=warns)
        deterministic.fill_uninitialized_memory = fills
