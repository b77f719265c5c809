"""Reading the experiment file; every fault is named by line and field.

Belongs here: what the file may hold, and the faults that no single value shows. Does not: the rule
of names (models.experiments.expansion), or reading YAML (yaml_files).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.input_files import fault_of_file, shown
from bioinstruct_dagster.models.experiments.base_model_spec import (
    PROMPTS,
    REHEARSAL,
    BaseModelSpec,
)
from bioinstruct_dagster.models.experiments.expansion import NAMED_FIELDS, expand
from bioinstruct_dagster.models.experiments.hyperparameters import HyperparameterSet
from bioinstruct_dagster.models.experiments.lookalikes import lookalike_faults
from bioinstruct_dagster.models.experiments.matrix import ExperimentMatrix, layers
from bioinstruct_dagster.models.experiments.names import ExperimentId
from bioinstruct_dagster.models.experiments.recipe import Recipe
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster.yaml_faults import faults_of, suggestion
from bioinstruct_dagster.yaml_files import StrictModel, read_yaml
from bioinstruct_dagster.yaml_lines import Fault, Place

# A recipe's name tells these, or its name is chosen by them.
_OF_RECIPES = ("categories", *NAMED_FIELDS)
_REPLACED = ("batch_size", "accumulation")  # rows_per_update is their product


class ExperimentFileError(StatedError):
    """The experiment file is malformed. The message lists all faults with line and field."""


class ExperimentFile(StrictModel):
    """The content of the experiment file."""

    base_models: dict[ExperimentId, BaseModelSpec] = Field(min_length=1)
    recipes: dict[ExperimentId, dict[str, Any]] = Field(min_length=1)
    hyperparameters: dict[ExperimentId, HyperparameterSet] = Field(default_factory=dict)
    defaults: dict[str, Any] = Field(default_factory=dict)


def read_experiments(path: Path) -> ExperimentMatrix:
    """Read the experiment file, expand its recipes, and check the values of every recipe.

    No base model is opened or downloaded.

    Raises:
        ExperimentFileError: lists all faults with file, line, field and correction.
    """
    file = read_yaml(
        path,
        ExperimentFile,
        ExperimentFileError,
        setting="BIOINSTRUCT_EXPERIMENTS",
        more_faults=_faults_of_recipes,
    )
    return ExperimentMatrix(
        base_models=file.base_models,
        recipes=expand(file.recipes, file.defaults, file.hyperparameters).recipes,
        hyperparameters=file.hyperparameters,
        defaults=file.defaults,
        file=path,
    )


def _faults_of_recipes(content: Mapping[str, Any]) -> Iterator[Fault]:
    """The faults of all values of recipes, each with its place in the file.

    Every group of values is checked by itself, so that a group that overrides a wrong value does
    not hide it.
    """
    defaults = _mapping(content.get("defaults"))
    recipes = _mappings(content.get("recipes"))
    bases = _mappings(content.get("base_models"))
    sets = {
        name: _mapping(one.get("values"))
        for name, one in _mappings(content.get("hyperparameters")).items()
    }
    expanded = expand(recipes, defaults, sets)
    yield from expanded.faults
    yield from lookalike_faults(expanded.recipes, recipes, sets)
    yield from _faults_of_values(defaults, ("defaults",), elsewhere=NAMED_FIELDS)
    for name, values in recipes.items():
        yield from _faults_of_values(values, ("recipes", name), elsewhere=NAMED_FIELDS)
    for name, values in sets.items():
        place = ("hyperparameters", name, "values")
        yield from _faults_of_values(values, place, refused=_OF_RECIPES)
    for name, base in bases.items():
        of_base: Place = ("base_models", name)
        values = _mapping(base.get("training"))
        yield from _faults_of_values(values, (*of_base, "training"), refused=_OF_RECIPES)
        for of_set, values in _mappings(base.get("hyperparameters")).items():
            inside = (*of_base, "hyperparameters", of_set)
            if of_set not in sets:
                known = f"use one of: {', '.join(sets)}" if sets else "add it"
                yield Fault(inside, f"there is no set {of_set!r} of hyper-parameters; {known}")
            yield from _faults_of_values(values, inside, refused=_OF_RECIPES)
    yield from _twins(bases)
    yield from _faults_of_prompts(bases)
    yield from _values_without_use(bases)
    yield from _missing_values(defaults, recipes, bases, sets)


def _faults_of_values(
    values: Mapping[str, Any],
    place: Place,
    *,
    elsewhere: tuple[str, ...] = (),
    refused: tuple[str, ...] = (),
) -> Iterator[Fault]:
    """The faults of values of a recipe.

    Args:
        values: some fields of a recipe; the others may stand elsewhere.
        place: where the values stand.
        elsewhere: fields that are checked elsewhere.
        refused: fields that may not stand here.
    """
    for field in refused:
        if field in values:
            message = "belongs to a recipe, because the recipe's name tells it; move it there"
            yield Fault((*place, field), message)
    for field in _REPLACED:
        if field in values:
            yield Fault((*place, field), _replacement(values))
    try:
        Recipe.model_validate(
            {
                field: value
                for field, value in values.items()
                if field not in {*elsewhere, *refused, *_REPLACED}
            }
        )
    except ValidationError as error:
        for fault in faults_of(error, Recipe):
            if fault.place[0] in values:
                yield fault._replace(place=(*place, *fault.place))


def _replacement(values: Mapping[str, Any]) -> str:
    """What to write instead of the keys of earlier versions."""
    factors = [values.get(field, 1) for field in _REPLACED]
    whole = all(isinstance(one, int) and not isinstance(one, bool) for one in factors)
    if whole and all(field in values for field in _REPLACED):
        advice = f"write rows_per_update: {factors[0] * factors[1]}"
    else:
        advice = "write rows_per_update"
    return f"is a key of earlier versions; {advice}, the product of batch_size and accumulation"


def _missing_values(
    defaults: Mapping[str, Any],
    recipes: Mapping[str, Mapping[str, Any]],
    bases: Mapping[str, Mapping[str, Any]],
    sets: Mapping[str, Mapping[str, Any]],
) -> Iterator[Fault]:
    required = [name for name, about in Recipe.model_fields.items() if about.is_required()]
    expanded = expand(recipes, defaults, sets).recipes.values()
    pairs = dict.fromkeys((one.written_as, one.hyperparameters) for one in expanded)
    for name, of_set in pairs:
        lacking: dict[str, list[str]] = {field: [] for field in required}
        for base_model, base in bases.items():
            of_base = {
                "training": _mapping(base.get("training")),
                "hyperparameters": _mappings(base.get("hyperparameters")),
            }
            known: set[str] = set()
            for layer in layers(
                of_set, defaults=defaults, sets=sets, own=recipes[name], of_base=of_base
            ):
                known |= layer.keys()
            if known & set(_REPLACED):
                known.add("rows_per_update")
            for field in required:
                if field not in known:
                    lacking[field].append(base_model)
        for field, base_models in lacking.items():
            if base_models:
                missing = f"missing for {', '.join(base_models)}"
                missing += f" with the hyper-parameters {of_set}" if of_set else ""
                yield Fault(
                    ("recipes", name, field),
                    f"{missing}; add it here, or to defaults for all recipes",
                )


def _twins(names: Mapping[str, Any]) -> Iterator[Fault]:
    """The base models whose names differ only in case."""
    first: dict[str, str] = {}
    for name in names:
        twin = first.setdefault(name.casefold(), name)
        if twin != name:
            message = f"differs from {twin} only in case, so macOS and Windows take both for one"
            yield Fault(("base_models", name), f"{message} folder; rename one of them")


def _faults_of_prompts(bases: Mapping[str, Mapping[str, Any]]) -> Iterator[Fault]:
    """The prompts that are neither known nor a file."""
    for name, base in bases.items():
        prompt = base.get("prompt")
        if not isinstance(prompt, str) or not prompt.strip() or prompt in PROMPTS:
            continue
        try:
            path = PROJECT_ROOT / Path(prompt).expanduser()
        except RuntimeError:  # ~name of a user that is not there
            path = PROJECT_ROOT / prompt
        if fault := fault_of_file(path):
            near = suggestion(prompt, PROMPTS)
            hint = near if near.startswith("did") else f"write {' or '.join(PROMPTS)}, or a file"
            message = f"is neither {' nor '.join(PROMPTS)}, and {shown(path)} {fault}; {hint}"
            yield Fault(("base_models", name, "prompt"), message)


def _values_without_use(bases: Mapping[str, Mapping[str, Any]]) -> Iterator[Fault]:
    """The values of base models that nothing reads, because the source is of another kind."""
    for name, base in bases.items():
        source = base.get("source")
        if not isinstance(source, str):
            continue
        embedded = source == REHEARSAL
        if not embedded and "pretraining_steps" in base:
            message = f"is of the embedded base model (source: {REHEARSAL}) only; remove it"
            yield Fault(("base_models", name, "pretraining_steps"), message)
        for field in ("local", "revision"):
            if embedded and base.get(field) is not None:
                message = "has no effect, because the embedded base model is built; remove it"
                yield Fault(("base_models", name, field), message)


def _mapping(value: Any) -> dict[str, Any]:
    """The value if it is a mapping, else an empty one. ExperimentFile reports other values."""
    return value if isinstance(value, dict) else {}


def _mappings(value: Any) -> dict[str, dict[str, Any]]:
    return {name: _mapping(one) for name, one in _mapping(value).items()}
