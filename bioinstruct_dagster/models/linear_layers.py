"""The linear layers of a base model: the layers that an adapter can change, with their sizes.

Belongs here: finding them, with or without an adapter on the model, which of them a recipe
targets, and its adapter in peft's terms. Does not: the weights of an adapter
(models.adapter_proof).
"""

import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from bioinstruct_dagster.models.experiments import Recipe

if TYPE_CHECKING:
    from peft import LoraConfig

ALL_LINEAR = "all-linear"  # peft's name for each linear layer except the output layer
_LORA = re.compile(r"(?:^|\.)lora_")
_TURNED = "Conv1D"
_BASE_LAYER = ".base_layer"  # where peft keeps the layer that it adapts


class LinearSize(NamedTuple):
    """The numbers of values that a linear layer reads and writes for each token."""

    inputs: int
    outputs: int

    @property
    def weights(self) -> int:
        """The number of weights."""
        return self.inputs * self.outputs


def base_of(model: Any) -> Any:
    """The base model inside a peft model; the model itself if it has no adapter."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def linear_layers(model: Any) -> dict[str, LinearSize]:
    """The sizes of all linear layers of the base model by name, quantized ones included.

    The names are those of the base model without an adapter. The matrices of an adapter are not
    among them.
    """
    return {
        name.removesuffix(_BASE_LAYER): size
        for name, module in base_of(model).named_modules()
        if not _LORA.search(name) and (size := _size(module))
    }


def output_layer(model: Any) -> str | None:
    """The name of the layer that computes the logits; None if the model does not tell it."""
    base = base_of(model)
    output = base.get_output_embeddings()
    names = (name for name, module in base.named_modules() if module is output)
    return next(names, None) if output is not None else None


def lora_config(recipe: Recipe) -> "LoraConfig":
    """The adapter of a recipe, as peft puts it onto a base model."""
    from peft import LoraConfig

    modules = recipe.target_modules
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        target_modules=modules if isinstance(modules, str) else list(modules),
        use_rslora=recipe.rslora,
    )


def targeted(model: Any, target_modules: str | tuple[str, ...]) -> dict[str, LinearSize]:
    """The linear layers that a recipe adapts, as peft reads `target_modules`.

    Args:
        model: the base model, with or without an adapter.
        target_modules: `all-linear`, a pattern that a whole name matches, or the ends of names.
    """
    layers = linear_layers(model)
    if isinstance(target_modules, str):
        if target_modules.lower() == ALL_LINEAR:
            output = output_layer(model)
            return {name: size for name, size in layers.items() if name != output}
        return {name: size for name, size in layers.items() if re.fullmatch(target_modules, name)}
    return {
        name: size
        for name, size in layers.items()
        if any(name == end or name.endswith(f".{end}") for end in target_modules)
    }


def turned(model: Any, layers: Collection[str]) -> set[bool]:
    """Whether the weights of these layers are (inputs, outputs): of GPT-2 True, usually False."""
    return {
        type(module).__name__ == _TURNED
        for name, module in base_of(model).named_modules()
        if not _LORA.search(name) and name.removesuffix(_BASE_LAYER) in layers and _size(module)
    }


def lora_matrices(model: Any) -> Iterator[Any]:
    """The weights of the adapter's matrices A and B in a peft model."""
    for name, parameter in model.named_parameters():
        if _LORA.search(name):
            yield parameter


def _size(module: Any) -> LinearSize | None:
    """The size of a linear layer, also if it is quantized; None for other modules."""
    if next(module.children(), None) is not None:
        return None
    if hasattr(module, "in_features") and hasattr(module, "out_features"):
        return LinearSize(int(module.in_features), int(module.out_features))
    if type(module).__name__ == _TURNED:  # GPT-2's linear layer: its weight is (inputs, outputs)
        return LinearSize(*map(int, module.weight.shape))
    return None
