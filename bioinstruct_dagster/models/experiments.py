"""The experiment matrix: base models times recipes, read from `data/experiments.yaml`.

Belongs here: what an experiment is. Does not: running one (train), or Dagster's view of them
(partitions).
"""

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.seeds.tasks import CATEGORIES, Category

ExperimentId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
REHEARSAL = "rehearsal"


class _StrictModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Recipe(_StrictModel):
    """How an adapter is trained, complete."""

    categories: tuple[Category, ...] = Field(CATEGORIES, min_length=1)
    lora_rank: int = Field(ge=1)
    lora_alpha: int = Field(ge=1)
    lora_dropout: float = Field(ge=0, lt=1)
    target_modules: str | tuple[str, ...]
    learning_rate: float = Field(gt=0)
    epochs: float = Field(gt=0)
    batch_size: int = Field(ge=1, description="rows per device and step")
    accumulation: int = Field(ge=1, description="steps per update")
    warmup: float = Field(ge=0, lt=1, description="share of all updates")
    max_length: int = Field(ge=16, description="tokens per row, prompt and response")


class BaseModelSpec(_StrictModel):
    """A base model: where it comes from, and what its training overrides."""

    source: str = Field(min_length=1, description="`rehearsal`, a local folder, or a hub id")
    revision: str | None = None
    pretraining_steps: int = Field(200, ge=1, description="of the embedded model only")
    training: dict[str, Any] = Field(default_factory=dict)

    @property
    def rehearsal(self) -> bool:
        """Whether this is the embedded base model."""
        return self.source == REHEARSAL


class ExperimentMatrix(_StrictModel):
    """Every base model with every recipe."""

    base_models: dict[ExperimentId, BaseModelSpec] = Field(min_length=1)
    recipes: dict[ExperimentId, dict[str, Any]] = Field(min_length=1)
    defaults: dict[str, Any] = Field(default_factory=dict)

    def recipe(self, base_model: str, name: str) -> Recipe:
        """The recipe as this base model is trained with it.

        Defaults come first, then the recipe, then the model's overrides.
        """
        return Recipe(
            **{**self.defaults, **self.recipes[name], **self.base_models[base_model].training}
        )


class ExperimentFileError(StatedError):
    """The experiment file is malformed; the message names file and field."""


def read_experiments(path: Path) -> ExperimentMatrix:
    """Read and check the whole matrix, every combination included.

    Raises:
        ExperimentFileError: names the file and every bad field.
    """
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ExperimentFileError(f"{path}: no such file. Set BIOINSTRUCT_EXPERIMENTS.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ExperimentFileError(f"{path}: not YAML: {error}") from None
    try:
        matrix = ExperimentMatrix.model_validate(content)
    except ValidationError as error:
        raise _malformed(path, _faults("", error)) from None
    faults: list[str] = []
    for base_model in matrix.base_models:
        for name in matrix.recipes:
            try:
                matrix.recipe(base_model, name)
            except ValidationError as error:
                faults += _faults(f"{base_model} with {name}: ", error)
    if faults:
        raise _malformed(path, faults)
    return matrix


def _faults(where: str, error: ValidationError) -> list[str]:
    return [
        f"{where}{'.'.join(str(part) for part in fault['loc']) or 'file'}: {fault['msg']}"
        for fault in error.errors()
    ]


def _malformed(path: Path, faults: list[str]) -> ExperimentFileError:
    return ExperimentFileError(f"{path}:\n  " + "\n  ".join(faults))
