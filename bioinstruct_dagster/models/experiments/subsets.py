"""The rows of a recipe, and the seed of an experiment.

Belongs here: which rows a recipe learns from, on which rows it is validated, and the seed that its
training uses. Does not: the order of rows in training (training.loop), or rows that are too long
(models.encoding).
"""

import hashlib
import heapq
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.experiments.recipe import Recipe
from bioinstruct_dagster.store.fingerprints import sha256_of

Row = TypeVar("Row", bound=Mapping[str, Any])
Member = TypeVar("Member")

# Validation costs a third of training for each row. A share of a tenth keeps two validations an
# epoch at 7 % of the training; 64 rows are enough to see a loss turn.
LEAST_VALIDATION_ROWS = 64
VALIDATION_SHARE = 10


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
    return drawn(found, recipe.rows, lambda row: ("subset", seed, recipe.seed, row["row_id"]))


def validation_sample(rows: Sequence[Row], recipe: Recipe, train_rows: int, seed: int) -> list[Row]:
    """The rows of the recipe's categories on which training is validated, in their given order.

    They are at most a tenth as many as the rows to learn from, but not fewer than 64 if there are
    that many. Without that limit, two validations an epoch of a recipe of 1,000 rows would cost
    more than its training, in a data set of 25,000 rows. The sample depends on the run seed and not
    on the recipe's: recipes of one size are validated on the same rows.

    Args:
        rows: the validation split; each has `row_id` and `category`.
        recipe: its categories count.
        train_rows: the number of rows to learn from.
        seed: the run seed.
    """
    found = [row for row in rows if row["category"] in recipe.categories]
    most = max(LEAST_VALIDATION_ROWS, train_rows // VALIDATION_SHARE)
    return drawn(found, most, lambda row: ("validation", seed, row["row_id"]))


def drawn(
    members: Sequence[Member], most: int, name_of: Callable[[Member], Sequence[str | int]]
) -> list[Member]:
    """The members with the smallest hashes, at most so many, in their given order.

    Args:
        members: to draw from.
        most: how many are drawn.
        name_of: what is hashed of a member: the seed, and what names it.
    """
    ranked = ((_hash(name_of(member)), at) for at, member in enumerate(members))
    return [members[at] for at in sorted(at for _, at in heapq.nsmallest(most, ranked))]


def _hash(parts: Sequence[str | int]) -> bytes:
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()
