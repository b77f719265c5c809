"""What an adapter has to be: the values of its recipe, and the weights that they mean on its base.

Belongs here: the expectation that files and the loaded model are compared with. Does not: the
comparison (config_file, weights_file, weights).
"""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from bioinstruct_dagster.models.adapter_proof.faults import AdapterFaultError
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.models.linear_layers import (
    ALL_LINEAR,
    LinearSize,
    base_of,
    linear_layers,
    targeted,
)

_MOST_NAMES = 20  # of layers in a message


@dataclass(frozen=True)
class ExpectedAdapter:
    """The values of a recipe that shape an adapter."""

    rank: int
    alpha: int
    rslora: bool
    dropout: float
    target_modules: str | tuple[str, ...]

    @classmethod
    def of(cls, recipe: Recipe) -> Self:
        """The values of a recipe."""
        return cls(
            rank=recipe.lora_rank,
            alpha=recipe.lora_alpha,
            rslora=recipe.rslora,
            dropout=recipe.lora_dropout,
            target_modules=recipe.target_modules,
        )

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The values that `to_json` gave.

        Raises:
            KeyError, TypeError, ValueError: these are other values.
        """
        names = values["target_modules"]
        return cls(
            rank=int(values["rank"]),
            alpha=int(values["alpha"]),
            rslora=bool(values["rslora"]),
            dropout=float(values["dropout"]),
            target_modules=names if isinstance(names, str) else tuple(map(str, names)),
        )

    def to_json(self) -> dict[str, Any]:
        """The values as JSON."""
        values = asdict(self)
        if not isinstance(self.target_modules, str):
            values["target_modules"] = list(self.target_modules)
        return values

    @property
    def scaling(self) -> float:
        """The factor of B times A: alpha / rank, or alpha / sqrt(rank) by rsLoRA."""
        return self.alpha / (math.sqrt(self.rank) if self.rslora else self.rank)

    def modules(self, model: Any) -> dict[str, LinearSize]:
        """The layers of the base model that the adapter adapts, with their sizes.

        Raises:
            AdapterFaultError: the recipe's `target_modules` name no layer of this base model.
        """
        return _linear(self.target_modules, model)

    def tensors(self, modules: Mapping[str, LinearSize]) -> dict[str, tuple[int, ...]]:
        """The name and shape of each tensor of the weights file, as peft saves them."""
        shapes: dict[str, tuple[int, ...]] = {}
        for name, size in modules.items():
            shapes[f"base_model.model.{name}.lora_A.weight"] = (self.rank, size.inputs)
            shapes[f"base_model.model.{name}.lora_B.weight"] = (size.outputs, self.rank)
        return shapes


def check_targets(model: Any, recipe: Recipe) -> None:
    """Check that each of a recipe's `target_modules` names linear layers of a base model.

    peft passes over a name that matches nothing if another one matches, and ends training with an
    error of its own if none does.

    Args:
        model: the base model; it may be on the meta device.
        recipe: names the layers.

    Raises:
        AdapterFaultError: a name has no layer, or one of another kind, or is no pattern.
    """
    targets = recipe.target_modules
    if isinstance(targets, str) and targets.lower() == ALL_LINEAR:
        _linear(targets, model)
        return
    named = {
        one: _linear(one if isinstance(targets, str) else (one,), model)
        for one in ((targets,) if isinstance(targets, str) else targets)
    }
    for name, _ in base_of(model).named_modules():
        for one, found in named.items():
            whole = re.fullmatch(one, name) if isinstance(targets, str) else _ends(name, one)
            if whole and name not in found:
                raise _fault(one, f"also names {name}, which is no linear layer", model)


def _ends(name: str, end: str) -> bool:
    return name == end or name.endswith(f".{end}")


def _linear(target_modules: str | tuple[str, ...], model: Any) -> dict[str, LinearSize]:
    try:
        found = targeted(model, target_modules)
    except re.error as error:
        raise _fault(target_modules, f"is no pattern ({error})", model) from None
    if not found:
        raise _fault(target_modules, "names no linear layer of this base model", model)
    return found


def _fault(targets: str | tuple[str, ...], what: str, model: Any) -> AdapterFaultError:
    ends = sorted({name.rpartition(".")[2] for name in linear_layers(model)})
    shown = targets if isinstance(targets, str) else ", ".join(targets)
    return AdapterFaultError(
        "no target",
        "target_modules",
        f"{shown!r} {what}.",
        f"Its linear layers are: {', '.join(ends[:_MOST_NAMES]) or 'none'}. Correct "
        "`target_modules` in the experiment file (BIOINSTRUCT_EXPERIMENTS).",
    )
