"""The experiment matrix: each base model with each recipe, read from `data/experiments.yaml`.

Belongs here: reading and checking the experiment file. Does not: running an experiment
(training.train), or experiments as partitions (models.partitions).
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

# A name that becomes a part of a partition key and of a folder name.
ExperimentId = Annotated[
    str,
    text_of_form(
        "[A-Za-z0-9][A-Za-z0-9._-]*", "must be letters, digits and any of . _ -, no space or |"
    ),
]
REHEARSAL = "rehearsal"


class Recipe(StrictModel):
    """All values with which an adapter is trained."""

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
    """A base model: its source, and the recipe values that it overrides."""

    source: str = Field(min_length=1, description="`rehearsal`, a local folder, or a hub id")
    revision: str | None = None
    pretraining_steps: int = Field(200, ge=1, description="of the embedded model only")
    training: dict[str, Any] = Field(default_factory=dict)

    @property
    def rehearsal(self) -> bool:
        """Whether this is the embedded base model."""
        return self.source == REHEARSAL


class ExperimentMatrix(StrictModel):
    """The base models and the recipes. Each pair of them is an experiment."""

    base_models: dict[ExperimentId, BaseModelSpec] = Field(min_length=1)
    recipes: dict[ExperimentId, dict[str, Any]] = Field(min_length=1)
    defaults: dict[str, Any] = Field(default_factory=dict)

    def recipe(self, base_model: str, name: str) -> Recipe:
        """The values with which this base model is trained under this recipe.

        The recipe overrides the defaults, and the base model overrides both.
        """
        return Recipe(
            **{**self.defaults, **self.recipes[name], **self.base_models[base_model].training}
        )


class ExperimentFileError(StatedError):
    """The experiment file is malformed. The message lists all faults with line and field."""


def read_experiments(path: Path) -> ExperimentMatrix:
    """Read the experiment file and check every pair of base model and recipe.

    Raises:
        ExperimentFileError: lists all faults with file, line, field and correction.
    """
    return read_yaml(
        path,
        ExperimentMatrix,
        ExperimentFileError,
        setting="BIOINSTRUCT_EXPERIMENTS",
        more_faults=_faults_of_combinations,
    )


def _faults_of_combinations(content: Mapping[str, Any]) -> Iterator[Fault]:
    """The faults of each pair's values, each with its place in the file."""
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
        message = (
            f"missing for {', '.join(base_models)}; add it here, or to defaults for all recipes"
        )
        yield Fault(("recipes", name, field), message)


def _mapping(value: Any) -> dict[str, Any]:
    """The value if it is a mapping, else an empty one. ExperimentMatrix reports other values."""
    return value if isinstance(value, dict) else {}


def _within(fault: Fault, *place: str) -> Fault:
    return fault._replace(place=(*place, *fault.place))
