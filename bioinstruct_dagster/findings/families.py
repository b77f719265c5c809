"""Experiments by what they were trained on: sets of categories, sizes, and seeds.

Belongs here: which experiments of the experiment file belong to an ablation of categories or to a
curve over sizes, and which of them are not scored yet. Does not: their scores (ablation, scaling).
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from bioinstruct_dagster.models.experiments import Experiment, ExperimentMatrix
from bioinstruct_dagster.models.experiments.names import partition_key
from bioinstruct_dagster.store.fingerprints import sha256_of

MOST_CATEGORIES = 2  # singles and pairs, as in the paper's Figure 2
_MOST_NAMED = 12  # experiments in a sentence


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

    They are those without a number of rows, of each base model and variant that has a recipe of
    fewer than all categories.
    """
    groups: dict[tuple[str, str], list[Family]] = {}
    for one in families(matrix):
        if one.rows is None:
            groups.setdefault((one.base_model, one.variant), []).append(one)
    found: list[Family] = []
    for members in groups.values():
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


def coverage(
    asset: str,
    planned: Sequence[Family],
    scored: Collection[Experiment],
    empty: str,
    train_rows: Callable[[Sequence[str]], int] | None = None,
) -> list[str]:
    """What of a design is scored, and how to score the rest, a line for each base model.

    A base model none of whose experiments is scored is not named, unless none at all is.

    Args:
        asset: the asset's name.
        planned: the families of the design.
        scored: all experiments with scores.
        empty: what to say if the experiment file has no such experiments.
        train_rows: the number of training rows of some categories. With it, sizes that the data set
            does not reach are not asked for.
    """
    if not planned:
        return [f"{asset}: {empty}"]
    lines = []
    for base_model in dict.fromkeys(one.base_model for one in planned):
        mine = [one for one in planned if one.base_model == base_model]
        whole = [one for one in mine if any(each in scored for each in one.experiments)]
        if not whole:
            continue
        too_large = [
            one
            for one in mine
            if train_rows
            and one.rows
            and one not in whole
            and train_rows(one.categories) < one.rows
        ]
        reached = [each for one in mine if one not in too_large for each in one.experiments]
        missing = [each for each in reached if each not in scored]
        line = f"{asset}: {len(whole)} of {len(mine)} recipes of {base_model} are scored"
        if missing:
            line += (
                f", and {len(reached) - len(missing)} of {len(reached)} experiments with their "
                f"seeds. Score the rest by the job study: experiments: [{_named(missing)}]"
            )
        if too_large:
            line += f". {len(too_large)} need more training rows than the data set has"
        lines.append(line + ".")
    if not lines:
        first = planned[0].experiments[0]
        lines.append(
            f"{asset}: no experiment of it is scored. Train and score some by the job study, such "
            f'as experiments: ["{partition_key(first)}"].'
        )
    return lines


def _named(experiments: Iterable[Experiment]) -> str:
    names = [f'"{partition_key(one)}"' for one in experiments]
    more = f", and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
