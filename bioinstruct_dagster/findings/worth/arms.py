"""The two arms of the comparison: equally many tokens, with and without rows of the refresh.

Both arms share most of their rows. In the arm `with`, rows of the refresh stand in the place of
others, at most half of the text. So the arms differ in nothing but the rows in question.

Belongs here: which rows each arm learns from. Does not: which rows a refresh added
(findings.worth.refresh), or training (findings.worth.trial).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.store.fingerprints import sha256_of

# Fewer rows of the refresh, or before it, say nothing: a seed's draw would decide.
FEWEST_ROWS = 16
_MOST_SHARE = 0.5  # of the text of an arm that comes from the refresh
_TEXTS = ("instruction", "input", "output")

Row = Mapping[str, Any]


class TooFewRowsError(StatedError):
    """The refresh, or the data set before it, has too few rows to learn from."""


@dataclass(frozen=True)
class Arms:
    """The rows of both arms, for one seed.

    Attributes:
        without: the names of rows that were there before the refresh.
        with_added: the same, but for some in whose place rows of the refresh stand.
        added: how many rows of the refresh the second arm has.
    """

    without: tuple[str, ...]
    with_added: tuple[str, ...]
    added: int


def arms_of(
    rows: Sequence[Row],
    before: Collection[str],
    added: Collection[str],
    recipe: Recipe,
    run_seed: int,
) -> Arms:
    """The rows of both arms, drawn by hash of run seed, recipe seed and row.

    Args:
        rows: of the train split, with their texts.
        before: the names of the rows that were there before the refresh.
        added: the names of the rows that the refresh added.
        recipe: its categories, rows and seed count.
        run_seed: of the run.

    Raises:
        TooFewRowsError: the refresh, or the data set before it, has too few rows.
    """
    found = [row for row in rows if row["category"] in recipe.categories]
    old = [row for row in found if row["row_id"] in before]
    new = [row for row in found if row["row_id"] in added]
    for what, some in (("The refresh has", new), ("Before the refresh, there were", old)):
        if len(some) < FEWEST_ROWS:
            raise TooFewRowsError(
                f"{what} {len(some)} training rows of the categories "
                f"{', '.join(recipe.categories)}, and a comparison needs at least {FEWEST_ROWS}. "
                "Choose a larger refresh by `since`, or generate more rows."
            )
    size = min(recipe.rows or len(found), len(old))

    def rank(row: Row) -> str:
        return sha256_of(["data worth", run_seed, recipe.seed, row["row_id"]])

    without = sorted(old, key=rank)[:size]
    budget = _MOST_SHARE * sum(map(_length, without))
    taken: list[Row] = []
    text = 0
    for row in sorted(new, key=rank):
        if text + _length(row) <= budget:
            taken.append(row)
            text += _length(row)
    replaced: set[str] = set()
    freed = 0
    for row in reversed(without):
        # The last row is replaced only if that brings the two texts closer to each other.
        if abs(freed + _length(row) - text) < abs(freed - text):
            replaced.add(row["row_id"])
            freed += _length(row)
    kept = [row["row_id"] for row in without if row["row_id"] not in replaced]
    return Arms(
        tuple(row["row_id"] for row in without),
        (*kept, *(row["row_id"] for row in taken)),
        len(taken),
    )


def _length(row: Row) -> int:
    """The characters of a row. Tokens are in proportion to them, and need a tokenizer."""
    return sum(len(row[name]) for name in _TEXTS)
