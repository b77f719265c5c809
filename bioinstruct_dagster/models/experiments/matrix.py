"""The experiment matrix: each base model with each recipe.

Belongs here: the values of an experiment, and finding experiments. Does not: reading the file
(models.experiments.reading), or partitions (models.partitions).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bioinstruct_dagster.models.experiments.base_model_spec import BaseModelSpec
from bioinstruct_dagster.models.experiments.expansion import (
    ALL_ROWS,
    DEFAULT_SEED,
    NAMED_FIELDS,
    ExpandedRecipe,
)
from bioinstruct_dagster.models.experiments.hyperparameters import HyperparameterSet
from bioinstruct_dagster.models.experiments.names import (
    UNNAMED_FILE,
    Experiment,
    UnknownExperimentError,
    experiments_named,
)
from bioinstruct_dagster.models.experiments.recipe import Recipe

_OWN_DEFAULT = "the project's default"


class Origin(NamedTuple):
    """Where a value of an experiment comes from.

    Attributes:
        place: the part of the experiment file, in words, such as `base model tiny`.
        replaced: in words, the other value that the named set has; None if it has no other.
    """

    place: str
    replaced: str | None = None

    def shown(self) -> str:
        """The place, and what it replaces."""
        return f"{self.place}, instead of {self.replaced}" if self.replaced else self.place


@dataclass(frozen=True)
class ExperimentMatrix:
    """The base models and the recipes. Each pair of them is an experiment.

    Attributes:
        base_models: by name.
        recipes: by name, after expansion.
        hyperparameters: the named sets.
        defaults: values of all recipes that do not set their own.
        file: the experiment file, for messages; None if the matrix was read from none.
    """

    base_models: Mapping[str, BaseModelSpec]
    recipes: Mapping[str, ExpandedRecipe]
    hyperparameters: Mapping[str, HyperparameterSet]
    defaults: Mapping[str, Any]
    file: Path | None = None

    def recipe(self, base_model: str, name: str) -> Recipe:
        """The values with which this base model is trained under this recipe.

        Later ones replace earlier ones: the defaults, the named set, the base model's values for
        that set, the recipe's own values, and the base model's values for every recipe.

        Raises:
            UnknownExperimentError: there is no such base model or recipe.
        """
        if base_model not in self.base_models or name not in self.recipes:
            raise UnknownExperimentError(
                f"{self._file_name()} has no experiment {base_model}|{name}; its base models are "
                f"{', '.join(self.base_models)}, and it has {len(self.recipes)} recipes."
            )
        values: dict[str, Any] = {}
        for layer in self._layers(base_model, name):
            values |= layer
        values |= {"rows": self.recipes[name].rows, "seed": self.recipes[name].seed}
        return Recipe(**values)

    def origins(self, base_model: str, name: str) -> dict[str, Origin]:
        """Where each value of `recipe` comes from, by field of the recipe.

        A value that repeats the set's own is the set's.
        """
        of_set = self.recipes[name].hyperparameters
        of_base = f"base model {base_model}"
        places = ["defaults", *([f"set {of_set}", of_base] if of_set else []), "recipe", of_base]
        values, found = self.recipe(base_model, name), dict[str, Origin]()
        for place, layer in zip(places, self._layers(base_model, name), strict=True):
            found |= dict.fromkeys(layer, Origin(place))
        set_values = self.hyperparameters[of_set].values if of_set else {}
        for field, set_value in set_values.items():
            plain = Recipe.model_validate({**values.model_dump(), field: set_value})
            if getattr(plain, field) == getattr(values, field):
                found[field] = Origin(f"set {of_set}")
            else:
                found[field] = Origin(found[field].place, f"{_words(set_value)} of set {of_set}")
        found |= {"rows": Origin("recipe"), "seed": Origin("recipe")}
        return {field: found.get(field, Origin(_OWN_DEFAULT)) for field in Recipe.model_fields}

    def _layers(self, base_model: str, name: str) -> Iterator[Mapping[str, Any]]:
        return layers(
            self.recipes[name].hyperparameters,
            defaults=self.defaults,
            sets={one: found.values for one, found in self.hyperparameters.items()},
            own=self.recipes[name].values,
            of_base=self.base_models[base_model].model_dump(),
        )

    def _file_name(self) -> str:
        return str(self.file) if self.file else UNNAMED_FILE

    def hyperparameters_of(self, recipe: str) -> tuple[str, HyperparameterSet] | None:
        """The name of the set of hyper-parameters that a recipe uses, and the set; None if none."""
        name = self.recipes[recipe].hyperparameters
        return (name, self.hyperparameters[name]) if name else None

    def experiments(self) -> list[Experiment]:
        """All pairs of base model and recipe, one base model after the other."""
        return [(base_model, recipe) for base_model in self.base_models for recipe in self.recipes]

    def names_of(self, patterns: Sequence[str]) -> list[Experiment]:
        """The experiments that names or patterns such as `llama-2-*|all-*` stand for.

        Raises:
            UnknownExperimentError: a pattern stands for no experiment.
        """
        return experiments_named(patterns, self.experiments(), self._unwritten(), self._file_name())

    def _unwritten(self) -> list[str]:
        """What names leave out: all rows, the default set and seed 1."""
        default = self.defaults.get("hyperparameters")
        stated = [ALL_ROWS, f"s{DEFAULT_SEED}"]
        return [*stated, default] if isinstance(default, str) else stated


def layers(
    name_of_set: str | None,
    *,
    defaults: Mapping[str, Any],
    sets: Mapping[str, Mapping[str, Any]],
    own: Mapping[str, Any],
    of_base: Mapping[str, Any],
) -> Iterator[Mapping[str, Any]]:
    """The groups of values of an experiment. A later group replaces values of an earlier one."""
    yield {name: value for name, value in defaults.items() if name not in NAMED_FIELDS}
    if name_of_set is not None:
        yield sets.get(name_of_set, {})
        yield of_base.get("hyperparameters", {}).get(name_of_set, {})
    yield own
    yield of_base.get("training", {})


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
