"""The rows of a recipe, and the seed of an experiment.

Belongs here: which rows of the train split a recipe learns from, and the seed that its training
uses. Does not: the order of rows in training (training.loop), or rows that are too long
(models.encoding).
"""

import hashlib
import heapq
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.store.fingerprints import sha256_of

Row = TypeVar("Row", bound=Mapping[str, Any])


class SizeNotReachedError(StatedError):
    """The train split has fewer rows of the recipe's categories than the recipe asks for."""

    def __init__(self, message: str, *, asked: int, found: int) -> None:
        super().__init__(message)
        self.asked = asked
        self.found = found


def training_seed(run_seed: int, recipe: Recipe) -> int:
    """The seed of an experiment's first weights, dropout and order of rows.

    It depends on the run seed (`BIOINSTRUCT_SEED`) and the recipe's seed, and on nothing else. Two
    recipes of one seed therefore begin with the same adapter weights, if they have the same rank
    and modules: what differs between their scores does not come from the draw.

    Returns:
        A whole number from 0 to 2**32 - 1, which every library takes as a seed.
    """
    return int(sha256_of(["training seed", run_seed, recipe.seed])[:8], 16)


def subset(rows: Sequence[Row], recipe: Recipe, seed: int) -> list[Row]:
    """The rows that a recipe learns from, in their given order.

    The recipe takes the rows of its categories. If it asks for n rows, it takes the n rows with the
    smallest hash of run seed, recipe seed and `row_id`. So:

    - Subsets are nested: with one seed, the rows of 1k are among the rows of 2k.
    - Subsets hold still: when rows are added to the set, a member leaves only for a new row with a
      smaller hash. A set that grows from N to M rows keeps on average N / M of the members.
      When rows are removed, all members that remain stay.
    - A subset is a uniform random sample. It is not balanced by category, because its mixture would
      then differ from that of the whole set, and an effect of size could not be told from an effect
      of the mixture.

    Args:
        rows: the train split; each has `row_id` and `category`.
        recipe: its categories, rows and seed count.
        seed: the run seed.

    Raises:
        SizeNotReachedError: there are fewer rows than the recipe asks for.
    """
    found = [row for row in rows if row["category"] in recipe.categories]
    if recipe.rows is None:
        return found
    if len(found) < recipe.rows:
        raise SizeNotReachedError(
            f"The recipe asks for {recipe.rows:,} rows of the categories "
            f"{', '.join(recipe.categories)}, and the train split has {len(found):,}. "
            "Generate more rows, or choose a smaller size.",
            asked=recipe.rows,
            found=len(found),
        )
    smallest = heapq.nsmallest(
        recipe.rows, ((_rank(row["row_id"], recipe, seed), at) for at, row in enumerate(found))
    )
    return [found[at] for at in sorted(at for _, at in smallest)]


def _rank(row_id: str, recipe: Recipe, seed: int) -> bytes:
    text = f"subset\x1f{seed}\x1f{recipe.seed}\x1f{row_id}"
    return hashlib.sha256(text.encode()).digest()
