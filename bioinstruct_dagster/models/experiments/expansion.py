"""Recipes as the experiment file writes them, expanded into one recipe for each name.

A written recipe may hold several sizes (`rows`), seeds (`seed`) and named sets of hyper-parameters
(`hyperparameters`). It stands for every combination of them. A recipe's name is the written name,
then the size unless it is all rows, the set unless it is the file's default set, and the seed
unless it is 1: `all`, `all-1k`, `all-alpaca-lora`, `all-1k-s2`.

Belongs here: the rule of names, and reading sizes, seeds and sets. Does not: the other values of a
recipe (models.experiments.recipe), or faults of the whole file (models.experiments.reading).
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

from bioinstruct_dagster.models.experiments.names import MOST_CHARACTERS
from bioinstruct_dagster.yaml_faults import LARGEST_WHOLE_NUMBER
from bioinstruct_dagster.yaml_lines import REFUSED_VALUE, Fault, Place

ALL_ROWS = "all"
DEFAULT_SEED = 1
NAMED_FIELDS = ("rows", "seed", "hyperparameters")  # a recipe's name tells them
MOST_RECIPES = 2_000  # Dagster's UI draws a column for each
_UNNAMED: Mapping[str, list[Any]] = {
    "rows": [None],
    "hyperparameters": [None],
    "seed": [DEFAULT_SEED],
}
_THOUSANDS = re.compile(r"([1-9][0-9]*)k")


@dataclass(frozen=True)
class ExpandedRecipe:
    """One recipe with a name of its own.

    Attributes:
        written_as: its name in the file.
        rows: rows of the train split; None for all.
        seed: of the subset, the first weights and the order of rows.
        hyperparameters: the name of the set; None if the recipe uses none.
        values: the recipe's own values in the file, without size, seed and set.
    """

    written_as: str
    rows: int | None
    seed: int
    hyperparameters: str | None
    values: Mapping[str, Any]

    def name(self, default_set: str | None) -> str:
        """The name, which holds what differs from all rows, the default set and seed 1."""
        parts = [self.written_as]
        if self.rows is not None:
            parts.append(size_name(self.rows))
        if self.hyperparameters and self.hyperparameters != default_set:
            parts.append(self.hyperparameters)
        if self.seed != DEFAULT_SEED:
            parts.append(f"s{self.seed}")
        return "-".join(parts)


class Expansion(NamedTuple):
    """The recipes by name, and the faults of what the file writes about them."""

    recipes: dict[str, ExpandedRecipe]
    faults: list[Fault]


def size_name(rows: int) -> str:
    """A number of rows as names hold it: `1k` for 1,000, `1500` for 1,500."""
    return f"{rows // 1000}k" if rows % 1000 == 0 else str(rows)


def expand(
    recipes: Mapping[str, Mapping[str, Any]], defaults: Mapping[str, Any], sets: Mapping[str, Any]
) -> Expansion:
    """Expand the recipes of a file. Values with faults are left out.

    Args:
        recipes: by written name, the recipe's values.
        defaults: the values of all recipes that do not set their own.
        sets: the named sets of hyper-parameters.
    """
    made: dict[str, ExpandedRecipe] = {}
    folded: dict[str, str] = {}
    faults: list[Fault] = []
    default_set = defaults.get("hyperparameters")
    if isinstance(default_set, list):
        message = "must be one set, because no name holds it; write further sets in recipes"
        faults.append(Fault(("defaults", "hyperparameters"), message))
        defaults = {name: one for name, one in defaults.items() if name != "hyperparameters"}
    shared = _choices(defaults, sets, ("defaults",), faults)
    for written_as, values in recipes.items():
        place = ("recipes", written_as)
        choices = {**_UNNAMED, **shared, **_choices(values, sets, place, faults)}
        combinations = [choices[field] for field in ("rows", "hyperparameters", "seed")]
        if len(made) + math.prod(map(len, combinations)) > MOST_RECIPES:
            message = f"is more than the {MOST_RECIPES} recipes that a grid can show; remove some"
            faults.append(Fault(place, message))
            break
        others = {name: one for name, one in values.items() if name not in NAMED_FIELDS}
        for rows, name_of_set, seed in product(*combinations):
            one = ExpandedRecipe(written_as, rows, seed, name_of_set, others)
            name = one.name(default_set)
            if not any(fault.place == place for fault in faults):  # one is enough
                faults += _faults_of_name(name, one, made, folded, place)
            made.setdefault(name, one)
            folded.setdefault(name.casefold(), name)
    return Expansion(made, faults)


def _choices(
    values: Mapping[str, Any], sets: Mapping[str, Any], place: Place, faults: list[Fault]
) -> dict[str, list[Any]]:
    """What the values say of size, set and seed; their faults are added to `faults`."""
    return {
        field: _read(values, field, sets, place, faults)
        for field in NAMED_FIELDS
        if field in values
    }


def _faults_of_name(
    name: str,
    recipe: ExpandedRecipe,
    made: Mapping[str, ExpandedRecipe],
    folded: Mapping[str, str],
    place: Place,
) -> Iterator[Fault]:
    if len(name) > MOST_CHARACTERS and len(recipe.written_as) <= MOST_CHARACTERS:
        message = f"stands for the name {name}, which has more than {MOST_CHARACTERS} characters"
        yield Fault(place, f"{message}; shorten the recipe's name")
    twin = folded.get(name.casefold())
    if twin is None:
        return
    other = made[twin].written_as
    if other == recipe.written_as:
        yield Fault(place, f"stands for the name {name} twice; rename the set of hyper-parameters")
    elif twin == name:
        yield Fault(place, f"stands for the name {name}, as recipes.{other} does; rename one")
    else:
        message = f"stands for the name {name}, which differs from {twin} (recipes.{other})"
        yield Fault(place, f"{message} only in case; rename one, because their folders may be one")


def _read(
    values: Mapping[str, Any],
    field: str,
    sets: Mapping[str, Any],
    place: Place,
    faults: list[Fault],
) -> list[Any]:
    """The values of a field that takes one value or a list; its faults are added to `faults`."""
    read: Callable[[Any], Any] = {
        "rows": _size,
        "seed": _seed,
        "hyperparameters": lambda value: _set(value, sets),
    }[field]
    content = values[field]
    several = isinstance(content, list)
    found: list[Any] = []
    if several and not content:
        faults.append(Fault((*place, field), "has no entries; add some, or remove the key"))
    for at, value in enumerate(content if several else [content]):
        if value is REFUSED_VALUE:
            continue
        where: Place = (*place, field, at) if several else (*place, field)
        try:
            one = read(value)
        except ValueError as error:
            faults.append(Fault(where, str(error)))
            continue
        if one in found:
            faults.append(Fault(where, f"{value} is there twice; remove one of them"))
        else:
            found.append(one)
    return found


def _size(value: Any) -> int | None:
    if value == ALL_ROWS:
        return None
    thousands = _THOUSANDS.fullmatch(value) if isinstance(value, str) else None
    rows = 1000 * int(thousands[1]) if thousands else value
    if not _is_whole(rows):
        raise ValueError(
            f"must be a number of rows, such as 1500 or 2k, or {ALL_ROWS}, not {_shown(value)}"
        )
    if not 1 <= rows <= LARGEST_WHOLE_NUMBER:
        raise ValueError(f"must be 1 to {LARGEST_WHOLE_NUMBER} rows, not {_shown(value)}")
    return int(rows)


def _seed(value: Any) -> int:
    if not _is_whole(value):
        raise ValueError(f"must be a whole number, not {_shown(value)}")
    if not 1 <= value <= LARGEST_WHOLE_NUMBER:
        raise ValueError(f"must be 1 to {LARGEST_WHOLE_NUMBER}, not {_shown(value)}")
    return int(value)


def _set(value: Any, sets: Mapping[str, Any]) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be the name of a set, not {_shown(value)}")  # noqa: TRY004
    if value not in sets:
        known = f"use one of: {', '.join(sets)}" if sets else "there are none; add it"
        raise ValueError(f"there is no set {value!r} under `hyperparameters`; {known}")
    return value


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    """A value as a message shows it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    if isinstance(value, int) and abs(value) > 10**18:
        return "a number of many digits"
    return repr(value)[:60] if value is not None else "empty"
