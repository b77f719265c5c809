"""The experiment matrix: each base model with each recipe.

Belongs here: the values of an experiment, and finding experiments. Does not: reading the file
(models.experiments.reading), or partitions (models.partitions).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bioinstruct_dagster.models.experiments.base_model_spec import BaseModelSpec
from bioinstruct_dagster.models.experiments.expansion import (
    ALL_ROWS,
    DEFAULT_SEED,
    NAMED_FIELDS,
    ExpandedRecipe,
)
from bioinstruct_dagster.models.experiments.hyperparameters import HyperparameterSet
from bioinstruct_dagster.models.experiments.names import (
    Experiment,
    UnknownExperimentError,
    experiments_named,
)
from bioinstruct_dagster.models.experiments.recipe import Recipe


@dataclass(frozen=True)
class ExperimentMatrix:
    """The base models and the recipes. Each pair of them is an experiment.

    Attributes:
        base_models: by name.
        recipes: by name, after expansion.
        hyperparameters: the named sets.
        defaults: values of all recipes that do not set their own.
    """

    base_models: Mapping[str, BaseModelSpec]
    recipes: Mapping[str, ExpandedRecipe]
    hyperparameters: Mapping[str, HyperparameterSet]
    defaults: Mapping[str, Any]

    def recipe(self, base_model: str, name: str) -> Recipe:
        """The values with which this base model is trained under this recipe.

        Later ones replace earlier ones: the defaults, the named set, the base model's values for
        that set, the recipe's own values, and the base model's values for every recipe.

        Raises:
            UnknownExperimentError: there is no such base model or recipe.
        """
        if base_model not in self.base_models or name not in self.recipes:
            raise UnknownExperimentError(
                f"data/experiments.yaml has no experiment {base_model}|{name}; its base models are "
                f"{', '.join(self.base_models)}, and it has {len(self.recipes)} recipes."
            )
        values: dict[str, Any] = {}
        for layer in layers(
            self.recipes[name].hyperparameters,
            defaults=self.defaults,
            sets={one: found.values for one, found in self.hyperparameters.items()},
            own=self.recipes[name].values,
            of_base=self.base_models[base_model].model_dump(),
        ):
            values |= layer
        values |= {"rows": self.recipes[name].rows, "seed": self.recipes[name].seed}
        return Recipe(**values)

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
        return experiments_named(patterns, self.experiments(), self._unwritten())

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
