"""What an adapter has to be: the values of its recipe, and the weights that they mean on its base.

Belongs here: the expectation that files and the loaded model are compared with. Does not: the
comparison (config_file, weights_file, weights).
"""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from bioinstruct_dagster.models.adapter_proof.faults import AdapterFaultError, some
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.models.linear_layers import ALL_LINEAR, LinearSize, base_of, targeted


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
    """Check that a recipe's `target_modules` name linear layers of a base model, and only those.

    peft would end training with an error of its own, after the model was loaded and rows encoded.

    Raises:
        AdapterFaultError: they name no layer, or layers of another kind, or are no pattern.
    """
    found = _linear(recipe.target_modules, model)
    pattern = recipe.target_modules
    if not isinstance(pattern, str) or pattern.lower() == ALL_LINEAR:
        return
    names = (name for name, _ in base_of(model).named_modules())
    if other := [name for name in names if re.fullmatch(pattern, name) and name not in found]:
        raise _fault(pattern, f"also names {some(other)}, which is no linear layer")


def _linear(target_modules: str | tuple[str, ...], model: Any) -> dict[str, LinearSize]:
    try:
        found = targeted(model, target_modules)
    except re.error as error:
        raise _fault(target_modules, f"is no pattern ({error})") from None
    if not found:
        raise _fault(target_modules, "names no linear layer of this base model")
    return found


def _fault(target_modules: Any, what: str) -> AdapterFaultError:
    return AdapterFaultError(
        "no target",
        "target_modules",
        f"{target_modules!r} {what}.",
        "Correct `target_modules` in the experiment file (BIOINSTRUCT_EXPERIMENTS).",
    )
