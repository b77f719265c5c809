"""The values of an adapter's weights: finite, no matrix B zero, and the same in the loaded model.

Belongs here: what the tensors hold. Does not: their names and shapes (weights_file).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bioinstruct_dagster.models.adapter_proof.expected import ExpectedAdapter
from bioinstruct_dagster.models.adapter_proof.faults import AdapterFaultError, some
from bioinstruct_dagster.models.linear_layers import LinearSize, base_of

_OWN = "default"  # peft's name of an adapter that was given none


def read_tensors(path: Path) -> dict[str, Any]:
    """The tensors of the weights file, on the CPU.

    Raises:
        AdapterFaultError: the safetensors library refuses the file, or a value is not finite, or a
            matrix A or B is zero.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors: dict[str, Any] = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise AdapterFaultError("not safetensors", path, f"{error}.") from None
    unsound = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if unsound:
        raise AdapterFaultError(
            "infinite weights",
            path,
            f"{some(unsound)} holds values that are infinite or no number.",
            "Lower the recipe's learning rate, then materialize key:lora_adapter again.",
        )
    zero = [name for name, tensor in tensors.items() if not tensor.any()]
    if zero:
        raise AdapterFaultError(
            "zero weights",
            path,
            f"{some(zero)} is zero, so the adapter does not act on the layer.",
            "If training ended without an error, raise the recipe's learning rate or epochs. Then "
            "materialize key:lora_adapter again.",
        )
    return tensors


def least_b_norm(tensors: Mapping[str, Any]) -> float:
    """The least Frobenius norm of the matrices B."""
    return min(
        float(tensor.float().norm()) for name, tensor in tensors.items() if ".lora_B." in name
    )


def refuse_other_weights(
    model: Any,
    folder: Path,
    tensors: Mapping[str, Any],
    modules: Mapping[str, LinearSize],
    expected: ExpectedAdapter,
) -> None:
    """Check that a model has this adapter alone, active, on the expected layers, bit for bit.

    Args:
        model: a peft model.
        folder: the adapter's folder, for messages.
        tensors: the tensors of its weights file.
        modules: the layers that it should adapt.
        expected: the values of its recipe.

    Raises:
        AdapterFaultError: the model computes with something else than the file's weights.
    """
    from peft.tuners.lora import LoraLayer

    if not hasattr(model, "peft_config") or list(model.peft_config) != [_OWN]:
        raise AdapterFaultError(
            "several adapters", folder, "the model does not have this one adapter alone."
        )
    layers = {
        name: layer
        for name, layer in base_of(model).named_modules()
        if isinstance(layer, LoraLayer)
    }
    if layers.keys() != modules.keys():
        wrong = sorted(layers.keys() ^ modules.keys())
        raise AdapterFaultError(
            "wrong modules",
            folder,
            f"the model has the adapter on {len(layers)} layers, and the recipe means "
            f"{len(modules)}: {some(wrong)}.",
        )
    for name, layer in layers.items():
        if layer.merged or layer.disable_adapters or _OWN not in layer.active_adapters:
            raise AdapterFaultError(
                "inactive adapter", folder, f"the adapter is merged or switched off on {name}."
            )
        if abs(layer.scaling[_OWN] - expected.scaling) > 1e-9 * expected.scaling:
            raise AdapterFaultError(
                "wrong alpha",
                folder,
                f"{name} scales by {layer.scaling[_OWN]}, and the recipe means {expected.scaling}.",
            )
        for side, matrices in (("lora_A", layer.lora_A), ("lora_B", layer.lora_B)):
            weight = matrices[_OWN].weight.detach().cpu()
            saved = tensors[f"base_model.model.{name}.{side}.weight"]
            if not weight.equal(saved.to(weight.dtype)):
                raise AdapterFaultError(
                    "weights not loaded",
                    folder,
                    f"{name}.{side} of the model in memory is not that of the file.",
                )
