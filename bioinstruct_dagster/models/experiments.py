"""The experiment matrix: base models times recipes, read from `data/experiments.yaml`.

Belongs here: what an experiment is. Does not: running one (train), or Dagster's view of them
(partitions).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.seeds.tasks import CATEGORIES, Category
from bioinstruct_dagster.yaml_faults import faults_of
from bioinstruct_dagster.yaml_files import StrictModel, read_yaml, text_of_form
from bioinstruct_dagster.yaml_lines import Fault

# Part of a partition's name, and of a folder's.
ExperimentId = Annotated[
    str,
    text_of_form(
        "[A-Za-z0-9][A-Za-z0-9._-]*", "must be letters, digits and any of . _ -, no space or |"
    ),
]
REHEARSAL = "rehearsal"


class Recipe(StrictModel):
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


class BaseModelSpec(StrictModel):
    """A base model: where it comes from, and what its training overrides."""

    source: str = Field(min_length=1, description="`rehearsal`, a local folder, or a hub id")
    revision: str | None = None
    pretraining_steps: int = Field(200, ge=1, description="of the embedded model only")
    training: dict[str, Any] = Field(default_factory=dict)

    @property
    def rehearsal(self) -> bool:
        """Whether this is the embedded base model."""
        return self.source == REHEARSAL


class ExperimentMatrix(StrictModel):
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
    """The experiment file is malformed; the message lists every fault with line and field."""


def read_experiments(path: Path) -> ExperimentMatrix:
    """Read and check the whole matrix, every combination included.

    Raises:
        ExperimentFileError: lists every fault with file, line, field and what to do.
    """
    return read_yaml(
        path,
        ExperimentMatrix,
        ExperimentFileError,
        setting="BIOINSTRUCT_EXPERIMENTS",
        more_faults=_faults_of_combinations,
    )


def _faults_of_combinations(content: Mapping[str, Any]) -> Iterator[Fault]:
    """Faults of the values that a base model is trained with, each where it stands in the file."""
    defaults = _mapping(content.get("defaults"))
    lacking: dict[tuple[str, str], list[str]] = defaultdict(list)
    for base_model, spec in _mapping(content.get("base_models")).items():
        training = _mapping(_mapping(spec).get("training"))
        for name, values in _mapping(content.get("recipes")).items():
            recipe = _mapping(values)
            try:
                Recipe.model_validate({**defaults, **recipe, **training})
            except ValidationError as error:
                for fault in faults_of(error, Recipe):
                    field = str(fault.place[0])
                    if field in training:
                        yield _within(fault, "base_models", base_model, "training")
                    elif field in recipe:
                        yield _within(fault, "recipes", name)
                    elif field in defaults:
                        yield _within(fault, "defaults")
                    else:
                        lacking[name, field].append(base_model)
    for (name, field), base_models in lacking.items():
        said = f"missing for {', '.join(base_models)}; add it here, or to defaults for all recipes"
        yield Fault(("recipes", name, field), said)


def _mapping(value: Any) -> dict[str, Any]:
    """The value where it is a mapping; another one is a fault that the models find."""
    return value if isinstance(value, dict) else {}


def _within(fault: Fault, *place: str) -> Fault:
    return fault._replace(place=(*place, *fault.place))
