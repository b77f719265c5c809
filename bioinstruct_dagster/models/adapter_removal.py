"""Taking an adapter off its base model, so that the next adapter finds the base model as it was.

Belongs here: undoing what peft does to a base model. Does not: putting an adapter on it
(training.train, models.adapter_proof).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def adapter_removed_after(model: Any) -> Iterator[None]:
    """Afterwards the base model has no adapter and is in evaluation mode, also after an error.

    peft's own way needs the wrapper around the model, which does not exist if peft fails half-way.

    Args:
        model: transformers' model, without peft's wrapper.
    """
    try:
        yield
    finally:
        _remove_adapters(model)
        model.eval()


def _remove_adapters(model: Any) -> None:
    from peft.tuners.tuners_utils import BaseTunerLayer

    adapted = [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, BaseTunerLayer)
    ]
    for name, module in adapted:
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, module.get_base_layer())
    if hasattr(model, "peft_config"):
        del model.peft_config  # peft warns of a second adapter if it finds it
