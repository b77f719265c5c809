"""Experiments by what they were trained on: sets of categories, sizes, and seeds.

Belongs here: which experiments of the experiment file belong to an ablation of categories or to a
curve over sizes. Does not: which of them are scored (coverage), or their scores (ablation,
scaling).
"""

from dataclasses import dataclass

from bioinstruct_dagster.models.experiments import Experiment, ExperimentMatrix
from bioinstruct_dagster.store.fingerprints import sha256_of

MOST_CATEGORIES = 2  # singles and pairs, as in the paper's Figure 2


@dataclass(frozen=True)
class Family:
    """Experiments that differ in nothing but their seed.

    Attributes:
        base_model: its name in the experiment file.
        variant: a hash of the values of training, without categories, rows and seed.
        hyperparameters: the name of the set of hyper-parameters; empty for none.
        categories: of the rows that they learn from.
        rows: how many rows they ask for; None for all.
        recipes: the names of their recipes.
    """

    base_model: str
    variant: str
    hyperparameters: str
    categories: tuple[str, ...]
    rows: int | None
    recipes: tuple[str, ...]

    @property
    def trained_on(self) -> str:
        """The categories in one text, such as `generation+other`."""
        return "+".join(self.categories)

    @property
    def experiments(self) -> list[Experiment]:
        """The base model with each recipe."""
        return [(self.base_model, recipe) for recipe in self.recipes]


def families(matrix: ExperimentMatrix) -> list[Family]:
    """The families of all experiments, in the order of the experiment file."""
    found: dict[tuple[str, str, tuple[str, ...], int | None], list[str]] = {}
    names: dict[str, str] = {}
    for base_model, recipe in matrix.experiments():
        values = matrix.recipe(base_model, recipe).model_dump(mode="json")
        rest = {
            name: value
            for name, value in values.items()
            if name not in {"categories", "rows", "seed"}
        }
        variant = sha256_of(rest)[:12]
        names.setdefault(f"{base_model} {variant}", matrix.recipes[recipe].hyperparameters or "")
        key = (base_model, variant, tuple(sorted(values["categories"])), values["rows"])
        found.setdefault(key, []).append(recipe)
    return [
        Family(key[0], key[1], names[f"{key[0]} {key[1]}"], key[2], key[3], tuple(recipes))
        for key, recipes in found.items()
    ]


def ablation_families(matrix: ExperimentMatrix) -> list[Family]:
    """The families of each ablation: singles and pairs of categories, and all categories.

    All of them ask for the same number of rows, or for all rows: more rows would look like a better
    category. If there are several such numbers, the one with the most families is taken.
    """
    groups: dict[tuple[str, str], dict[int | None, list[Family]]] = {}
    for one in families(matrix):
        of_size = groups.setdefault((one.base_model, one.variant), {})
        of_size.setdefault(one.rows, []).append(one)
    found: list[Family] = []
    for by_size in groups.values():
        members = max(by_size.values(), key=len)
        every = len({category for one in members for category in one.categories})
        kept = [
            one
            for one in members
            if len(one.categories) <= MOST_CATEGORIES or len(one.categories) == every
        ]
        if any(len(one.categories) < every for one in kept):
            found += sorted(kept, key=lambda one: len(one.categories))
    return found


def scaling_families(matrix: ExperimentMatrix) -> list[Family]:
    """The families of each curve: equal but for their number of rows; two sizes at least."""
    curves: dict[tuple[str, str, tuple[str, ...]], list[Family]] = {}
    for one in families(matrix):
        curves.setdefault((one.base_model, one.variant, one.categories), []).append(one)
    return [
        one
        for members in curves.values()
        if len(members) > 1
        for one in sorted(members, key=lambda one: (one.rows is None, one.rows or 0))
    ]
