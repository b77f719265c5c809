"""The specification of an evaluation: base models, adapters, and the folders of both directions.

The model process reads it, so this module does not import store.database. Belongs here: its form,
and the refusal of what it can't name. Does not: the questions themselves (evaluation.questions), or
answering them (evaluation.evaluate).
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.evaluation.tasks.keys import Conditions
from bioinstruct_dagster.models.adapters import missing_file
from bioinstruct_dagster.models.experiments import BaseModelSpec, Recipe
from bioinstruct_dagster.models.precision import Quantization


class EvaluationError(StatedError):
    """An adapter can't be scored, or there is nothing to score. The message gives the reason."""


def refuse_incomplete(folder: Path) -> None:
    """Refuse an adapter's folder that lacks a file which peft needs.

    Raises:
        EvaluationError: names the file.
    """
    if missing := missing_file(folder):
        raise EvaluationError(
            f"There is no adapter at {folder} ({missing} is missing). "
            "Materialize key:lora_adapter for this partition first."
        )


@dataclass(frozen=True)
class AdapterSpec:
    """An adapter to score.

    With `recipe` and `adapter_sha256`, the adapter has to be that of the experiment file and of the
    store. Without them, it has to be what its own result file says.

    Attributes:
        experiment: its name, `rehearsal-llama|all`.
        adapter_path: its folder.
        content: the hash of its weights and config (evaluation.tasks.keys.adapter_content).
        recipe: of the experiment now.
        adapter_sha256: of the weights, by the store.
    """

    experiment: str
    adapter_path: str
    content: str
    recipe: Recipe | None = None
    adapter_sha256: str | None = None


@dataclass(frozen=True)
class BaseSpec:
    """A base model, the adapters that are scored with it, and the folders.

    Attributes:
        base: as the experiment file names it.
        quantization: as for training, so that its logits are those of training.
        conditions: what the keys of the results cover besides items and adapters.
        models_dir: the folder of models.
        questions_path: the folder that evaluation.questions wrote.
        results_dir: the folder for parts of results.
        adapters: at least one.
        tokens_per_pass: the most tokens of a forward pass; None for the machine's default.
        rows: the most answers that are generated at once; None for the machine's default.
    """

    base: BaseModelSpec
    quantization: Quantization
    conditions: Conditions
    models_dir: str
    questions_path: str
    results_dir: str
    adapters: tuple[AdapterSpec, ...]
    tokens_per_pass: int | None = None
    rows: int | None = None


@dataclass(frozen=True)
class EvaluationSpec:
    """All base models of one run."""

    bases: tuple[BaseSpec, ...]

    def to_json(self) -> str:
        """The specification as JSON for the model process. `from_json` reads it."""
        return json.dumps({"bases": [_base_values(one) for one in self.bases]})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The specification that `to_json` wrote."""
        return cls(tuple(_base_of(values) for values in json.loads(text)["bases"]))


def _base_values(one: BaseSpec) -> dict[str, Any]:
    adapters = [
        asdict(adapter)
        | {"recipe": adapter.recipe.model_dump(mode="json") if adapter.recipe else None}
        for adapter in one.adapters
    ]
    return asdict(one) | {"base": one.base.model_dump(mode="json"), "adapters": adapters}


def _base_of(values: dict[str, Any]) -> BaseSpec:
    adapters = tuple(
        AdapterSpec(
            **each | {"recipe": Recipe.model_validate(each["recipe"]) if each["recipe"] else None}
        )
        for each in values["adapters"]
    )
    return BaseSpec(
        **values
        | {
            "base": BaseModelSpec.model_validate(values["base"]),
            "conditions": Conditions(**values["conditions"]),
            "adapters": adapters,
        }
    )
