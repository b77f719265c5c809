"""The experiment matrix: each base model with each recipe, read from `data/experiments.yaml`.

Belongs here: reading and checking the experiment file. Does not: running an experiment
(training.train), or experiments as partitions (models.partitions).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.seeds.tasks import CATEGORIES, Category
from bioinstruct_dagster.yaml_faults import FieldFaultsError, faults_of
from bioinstruct_dagster.yaml_files import ExactName, StrictModel, read_yaml, text_of_form
from bioinstruct_dagster.yaml_lines import Fault

# A name that becomes a part of a partition key and of a folder's name. The folder's name holds two
# of them, and file systems allow 255 bytes.
ExperimentId = Annotated[
    str,
    text_of_form(
        "[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?",
        "must be at most 100 letters, digits and any of . _ -, no space or |; it must begin with a "
        "letter or digit, and not end with a dot",
    ),
]
REHEARSAL = "rehearsal"


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    FieldFaultsError.refuse(
        ((at,), f"{name} is there twice; remove one of them")
        for at, name in enumerate(names)
        if name in names[:at]
    )
    return names


class Recipe(StrictModel):
    """All values with which an adapter is trained."""

    categories: Annotated[tuple[Category, ...], AfterValidator(_distinct)] = Field(
        CATEGORIES, min_length=1
    )
    rows: int | None = Field(None, ge=1, description="rows of the train split; None for all")
    seed: int = Field(1, ge=1, description="of the subset, the first weights and the order of rows")
    lora_rank: int = Field(ge=1)
    lora_alpha: int = Field(ge=1)
    lora_dropout: float = Field(ge=0, lt=1)
    target_modules: (
        ExactName | Annotated[tuple[ExactName, ...], Field(min_length=1), AfterValidator(_distinct)]
    )
    rslora: bool = Field(default=False, description="scale by alpha / sqrt(rank), not alpha / rank")
    lora_plus_ratio: float | None = Field(
        None, gt=0, description="learning rate of B over that of A (LoRA+); None for equal rates"
    )
    quantization: Literal["none", "nf4"] = Field("none", description="of the base; nf4: QLoRA")
    learning_rate: float = Field(gt=0)
    schedule: Literal["cosine", "linear", "constant"] = Field("cosine", description="after warm-up")
    epochs: float = Field(gt=0)
    rows_per_update: int = Field(ge=1, description="the effective batch, however it is computed")
    warmup: float = Field(ge=0, lt=1, description="share of all updates")
    weight_decay: float = Field(0.0, ge=0)
    max_grad_norm: float = Field(1.0, gt=0, description="gradients are clipped to this norm")
    max_length: int = Field(ge=16, description="tokens per row, prompt and response")
    too_long: Literal["leave_out", "shorten_input"] = Field(
        "leave_out", description="what is done with a row of more tokens"
    )
    validations_per_epoch: int = Field(1, ge=0, description="0 for none")
    patience: int | None = Field(
        None, ge=1, description="validations without a lower loss that end training; None for never"
    )


class BaseModelSpec(StrictModel):
    """A base model: its source, and the recipe values that it overrides."""

    source: ExactName = Field(description="`rehearsal`, a local folder, or a hub id")
    revision: ExactName | None = None
    prompt: ExactName = Field("alpaca", description="`alpaca`, `chat`, or a template's file")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="of the weights; auto: bfloat16 on a GPU, float32 on a CPU"
    )
    context: int | None = Field(None, ge=16, description="tokens; None for the model's own")
    licence: ExactName | None = Field(None, description="of the weights, for the adapter's card")
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
    """Read the experiment file and check the values of every recipe.

    Raises:
        ExperimentFileError: lists all faults with file, line, field and correction.
    """
    return read_yaml(
        path,
        ExperimentMatrix,
        ExperimentFileError,
        setting="BIOINSTRUCT_EXPERIMENTS",
        more_faults=_faults_of_recipes,
    )


def _faults_of_recipes(content: Mapping[str, Any]) -> Iterator[Fault]:
    """The faults of all values of recipes, each with its place in the file.

    Every group of values is checked by itself, so that a group that overrides a wrong value does
    not hide it.
    """
    defaults = _mapping(content.get("defaults"))
    recipes = {name: _mapping(one) for name, one in _mapping(content.get("recipes")).items()}
    overrides = {
        name: _mapping(_mapping(one).get("training"))
        for name, one in _mapping(content.get("base_models")).items()
    }
    yield from _faults_of_values(defaults, "defaults")
    for name, values in recipes.items():
        yield from _faults_of_values(values, "recipes", name)
    for name, values in overrides.items():
        yield from _faults_of_values(values, "base_models", name, "training")
    for name, values in recipes.items():
        for field, about in Recipe.model_fields.items():
            lacking = [
                base_model
                for base_model, own in overrides.items()
                if field not in {*defaults, *values, *own}
            ]
            if lacking and about.is_required():
                message = f"missing for {', '.join(lacking)}; add it here, or to defaults for all"
                yield Fault(("recipes", name, field), f"{message} recipes")


def _faults_of_values(values: Mapping[str, Any], *place: str) -> Iterator[Fault]:
    try:
        Recipe.model_validate(values)
    except ValidationError as error:
        for fault in faults_of(error, Recipe):
            if fault.place[0] in values:  # other values may stand elsewhere
                yield fault._replace(place=(*place, *fault.place))


def _mapping(value: Any) -> dict[str, Any]:
    """The value if it is a mapping, else an empty one. ExperimentMatrix reports other values."""
    return value if isinstance(value, dict) else {}
