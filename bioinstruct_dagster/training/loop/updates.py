"""Which rows each update learns from: a new order in each epoch, drawn by hash.

Belongs here: the plan of a whole training run, from the recipe and the rows. Does not: how the rows
of an update are computed (training.loop.packing).
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from bioinstruct_dagster.models.experiments import Recipe


@dataclass(frozen=True)
class UpdatePlan:
    """The updates of a run. An update is counted from 1.

    Attributes:
        row_ids: the rows to train on.
        seed: of the order.
        rows_per_update: the rows of each update but the last one of an epoch, which takes the rest.
        updates: the number of all updates.
        validations: the updates after which the validation loss is computed, in ascending order.
    """

    row_ids: Sequence[str]
    seed: int
    rows_per_update: int
    updates: int
    validations: tuple[int, ...]

    @classmethod
    def of(cls, row_ids: Sequence[str], recipe: Recipe, seed: int) -> "UpdatePlan":
        """The plan for these rows. A part of an epoch is rounded up to a whole update."""
        per_epoch = math.ceil(len(row_ids) / recipe.rows_per_update)
        # 0.1 * 30 is 3.0000000000000004: what is a whole number but for rounding is not rounded up.
        updates = max(1, math.ceil(round(recipe.epochs * per_epoch, 6)))
        return cls(
            row_ids,
            seed,
            recipe.rows_per_update,
            updates,
            _validations(per_epoch, updates, recipe.validations_per_epoch),
        )

    @property
    def per_epoch(self) -> int:
        """The number of updates of an epoch."""
        return math.ceil(len(self.row_ids) / self.rows_per_update)

    def rows(self, update: int) -> list[int]:
        """The places in `row_ids` of the rows that this update learns from."""
        epoch, within = divmod(update - 1, self.per_epoch)
        start = within * self.rows_per_update
        return self._order(epoch)[start : start + self.rows_per_update]

    def ends_epoch(self, update: int) -> bool:
        """Whether an epoch ends with this update."""
        return update % self.per_epoch == 0

    def _order(self, epoch: int) -> list[int]:
        """The rows in the order of their hashes, which no other row and no library changes."""
        if epoch not in self._orders:
            self._orders.clear()
            keys = [
                hashlib.sha256(f"{self.seed}:{epoch}:{row_id}".encode()).digest()
                for row_id in self.row_ids
            ]
            self._orders[epoch] = sorted(range(len(keys)), key=keys.__getitem__)
        return self._orders[epoch]

    def __post_init__(self) -> None:
        object.__setattr__(self, "_orders", {})

    _orders: dict[int, list[int]] = None  # type: ignore[assignment]


def _validations(per_epoch: int, updates: int, count: int) -> tuple[int, ...]:
    """`count` updates in each epoch, evenly spread, and the last one of the run."""
    if not count:
        return ()
    places = {
        epoch * per_epoch + math.ceil(part * per_epoch / count)
        for epoch in range(math.ceil(updates / per_epoch))
        for part in range(1, count + 1)
    }
    return tuple(sorted({place for place in places if place <= updates} | {updates}))
