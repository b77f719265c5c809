"""The precision of a base model's weights: its dtype, and four bits for QLoRA.

Belongs here: choosing and preparing the precision. Does not: loading (models.base_models).
"""

import importlib.metadata
import importlib.util
from typing import Any, Literal

Quantization = Literal["none", "nf4"]


def dtype_of(wanted: str, device: str) -> tuple[str, str | None]:
    """The name of torch's dtype for the weights, and a line for the log if it was not obvious.

    Args:
        wanted: `auto`, or the name of a dtype.
        device: `cuda` or `cpu`.
    """
    import torch

    if wanted != "auto":
        slow = wanted == "float16" and device == "cpu"
        return wanted, "float16 is slow on a CPU, and its numbers overflow early" if slow else None
    if device == "cpu":
        return "float32", None
    if torch.cuda.is_bf16_supported(including_emulation=False):
        return "bfloat16", None
    return "float32", (
        "this GPU has no bfloat16, so the weights are float32; `dtype: float16` needs half the "
        "memory, and its numbers overflow early"
    )


def four_bit_fault(device: str) -> str | None:
    """The reason for which a model can't be loaded in four bits here; None if it can."""
    needs = []
    if importlib.util.find_spec("bitsandbytes") is None:
        needs.append("bitsandbytes is not installed: `pip install 'bioinstruct-dagster[qlora]'`")
    if device != "cuda":
        needs.append("there is no GPU that torch can use")
    if not needs:
        return None
    return (
        "`quantization: nf4` (QLoRA) needs the package bitsandbytes and a CUDA GPU, and "
        f"{' and '.join(needs)}. Provide both, or set `quantization: none` in the recipe."
    )


def four_bit_arguments(dtype: str) -> dict[str, Any]:
    """Arguments of `from_pretrained` for QLoRA: NF4 with doubly quantised constants.

    The choices are those of QLoRA (Dettmers et al. 2023, section 3).
    """
    import torch
    from transformers import BitsAndBytesConfig

    return {
        "quantization_config": BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=getattr(torch, dtype),
        )
    }


def prepared_for_training(model: Any) -> Any:
    """The four-bit model with norms and head in float32, as QLoRA trains it.

    Activation checkpointing is left to the plan of the run (training.memory).
    """
    import peft

    return peft.prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
