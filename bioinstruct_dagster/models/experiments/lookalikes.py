"""Names that a person wrote and that read like names that the rule of names makes.

`all-1k` reads as 1,000 rows of `all`, and `all-s2` as the recipe `all` with seed 2. Whoever reads
the grid, a card or a figure believes it, so such a name must be true.

Belongs here: finding such names. Does not: the rule of names (models.experiments.expansion).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bioinstruct_dagster.models.experiments.expansion import (
    DEFAULT_SEED,
    ExpandedRecipe,
    size_name,
)
from bioinstruct_dagster.yaml_lines import Fault

_SEED = re.compile(r"(.+)-s([1-9][0-9]*)", re.IGNORECASE)
_SIZE = re.compile(r"(.+)-([1-9][0-9]*)(k?)", re.IGNORECASE)
_SET_LIKE_SIZE_OR_SEED = re.compile(
    r"[1-9][0-9]*k?|(.+-)?(s[1-9][0-9]*|[1-9][0-9]*k)", re.IGNORECASE
)


class _Told(NamedTuple):
    """What a written name seems to tell; None for what it says nothing of."""

    rows: int | None
    hyperparameters: str | None
    seed: int | None


def lookalike_faults(
    recipes: Mapping[str, ExpandedRecipe], written: Mapping[str, Any], sets: Mapping[str, Any]
) -> Iterator[Fault]:
    """The faults of written names that tell a size, a set or a seed that the recipe has not.

    Args:
        recipes: all recipes, after expansion.
        written: the recipes by written name.
        sets: the named sets of hyper-parameters.
    """
    for name in sets:
        if _SET_LIKE_SIZE_OR_SEED.fullmatch(name):
            message = "reads like a size or a seed in the name of a recipe; rename the set"
            yield Fault(("hyperparameters", name), message)
    by_written: dict[str, list[ExpandedRecipe]] = {}
    for one in recipes.values():
        by_written.setdefault(one.written_as, []).append(one)
    for name, meant in by_written.items():
        told = _told(name, written, sets)
        for wrong in _untrue(told, meant):
            message = f"{wrong}; rename the recipe, or give it that value alone"
            yield Fault(("recipes", name), message)
            break


def _told(name: str, written: Mapping[str, Any], sets: Mapping[str, Any]) -> _Told:
    seed = rows = of_set = None
    if found := _SEED.fullmatch(name):
        name, seed = found[1], int(found[2])
    for one in sorted(sets, key=len, reverse=True):
        if name.casefold().endswith(f"-{one.casefold()}"):
            name, of_set = name[: -len(one) - 1], one
            break
    # A bare number may count anything, as in rank-16, unless the rest is a recipe of its own.
    if (found := _SIZE.fullmatch(name)) and (found[3] or found[1] in written):
        rows = int(found[2]) * (1000 if found[3] else 1)
    return _Told(rows, of_set, seed)


def _untrue(told: _Told, meant: list[ExpandedRecipe]) -> Iterator[str]:
    """What is not true of all recipes that a written name stands for."""
    if told.rows is not None and (other := {one.rows for one in meant} - {told.rows}):
        has = "all rows" if None in other else f"{size_name(min(filter(None, other)))} rows"
        yield f"reads as {size_name(told.rows)} rows, but the recipe has {has}"
    if told.hyperparameters and (
        found := {one.hyperparameters for one in meant} - {told.hyperparameters}
    ):
        other_set = next((one for one in sorted(filter(None, found))), "none")
        yield (
            f"reads as the hyper-parameters {told.hyperparameters}, but the recipe has {other_set}"
        )
    if told.seed is not None and (seeds := {one.seed for one in meant} - {told.seed}):
        usual = ", which is the usual one" if seeds == {DEFAULT_SEED} else ""
        yield f"reads as seed {told.seed}, but the recipe has seed {min(seeds)}{usual}"
