"""Checks that every weight of a base model is a finite number.

A single NaN may pass a forward pass: torch's attention on a CPU gives 0 for a query that is NaN.
The gradient is NaN all the same, and blames the recipe. So every weight is read once. That takes
0.1 s for 135 million weights on one core, and is bound by memory on a GPU.

Belongs here: the values of weights. Does not: what the model computes with them
(models.base_checks.behaviour).
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from bioinstruct_dagster.models.base_checks.findings import Findings, some
from bioinstruct_dagster.models.base_checks.weight_files import weight_names

if TYPE_CHECKING:
    import torch


def check_values(weights: "Iterable[tuple[str, torch.Tensor]]", findings: Findings) -> None:
    """Add the weights that hold NaN or infinity to the findings, by name."""
    import torch

    names: list[str] = []
    extremes: list[torch.Tensor] = []
    for name, weight in weights:
        if weight.is_floating_point() and weight.numel():
            # aminmax hands on NaN and needs no memory, unlike isfinite of a whole weight.
            names.append(name)
            extremes.append(torch.stack(torch.aminmax(weight.detach())).float())
    if not extremes:
        return
    finite = torch.isfinite(torch.stack(extremes)).all(dim=1).tolist()  # waits for a GPU once
    faulty = [name for name, one in zip(names, finite, strict=True) if not one]
    if faulty:
        findings.fault(
            f"{len(faulty)} of {len(names)} weights hold NaN or infinity: {some(faulty)}. Copy or "
            "download the weights again. With `dtype: float16`, set float32 or bfloat16 instead: "
            "float16 ends at 65,504."
        )


def stored_weights(folder: Path, device: str) -> "Iterator[tuple[str, torch.Tensor]]":
    """The weights as the files hold them, one after the other: for a model in 4 bits.

    Four bits have no NaN, so a weight that is none turns into some number.
    """
    from safetensors import safe_open

    for file_name in weight_names(folder):
        with safe_open(folder / file_name, "pt", device=device) as file:
            for name in file.keys():  # noqa: SIM118  # it is no mapping
                yield name, file.get_tensor(name)
