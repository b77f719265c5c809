"""The values of one metric over a task's items: the border between metrics and statistics.

Belongs here: their form. Does not: computing them from answers (evaluation.metrics' other modules),
or intervals (evaluation.statistics).
"""

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Combination = Literal["mean", "ratio", "micro_f1", "macro_f1"]
UNBOUNDED = (float("-inf"), float("inf"))
SHARE = (0.0, 1.0)


class MeasuredError(ValueError):
    """Values that no score can be computed from: a fault of the code that made them."""


@dataclass(frozen=True)
class Measured:
    """One metric of one subject over items, before any statistics.

    The score of a sample of items is computed from the sums of its rows. So every resample of a
    bootstrap is a sum.

    Attributes:
        metric: its name in the store, such as `accuracy`.
        item_ids: of the items, in the order of the rows.
        values: for `mean` of shape (n,). For `ratio` of shape (n, 2), numerator and denominator.
            For the F1 scores of shape (n, classes, 3): true positives, false positives, false
            negatives.
        combine: how sums become the score.
        proportion: each value of a `mean` is 0 or 1.
        classes: the names of the classes of an F1 score.
        bounds: the least and the greatest score that is possible. An F1 score has (0, 1).
        higher_is_better: false for a loss or a rate of faults; None if there is no better side.
        farthest_apart: the greatest difference of two subjects on the same items; None for the
            width of the bounds.
    """

    metric: str
    item_ids: tuple[str, ...]
    values: Floats
    combine: Combination = "mean"
    proportion: bool = False
    classes: tuple[str, ...] = ()
    bounds: tuple[float, float] = UNBOUNDED
    higher_is_better: bool | None = True
    farthest_apart: float | None = None

    def __post_init__(self) -> None:
        """Refuse values of a wrong shape, NaN and infinity, and items that occur twice."""
        n = len(self.item_ids)
        shapes: dict[Combination, tuple[int, ...]] = {"mean": (n,), "ratio": (n, 2)}
        shape = shapes.get(self.combine, (n, len(self.classes), 3))
        fault = ""
        if self.values.shape != shape:
            fault = f"have the shape {self.values.shape}, not {shape}"
        elif not np.isfinite(self.values).all():
            fault = "hold NaN or infinity"
        elif len(set(self.item_ids)) != n:
            fault = "name an item twice"
        elif self.proportion and not np.isin(self.values, (0.0, 1.0)).all():
            fault = "are called a proportion and are not all 0 or 1"
        if fault:
            raise MeasuredError(f"The values of the metric {self.metric} {fault}.")

    def for_items(self, item_ids: Container[str]) -> "Measured":
        """The same metric over those of its items that `item_ids` names, in the order of here."""
        kept = [row for row, item_id in enumerate(self.item_ids) if item_id in item_ids]
        return replace(
            self, item_ids=tuple(self.item_ids[row] for row in kept), values=self.values[kept]
        )

    def item_values(self) -> dict[str, float]:
        """The metric of each item by itself. An item without any count of an F1 score is left out.

        The mean of these values is the score of a `mean` only. The score of a `ratio` or an F1
        comes from sums.
        """
        if self.combine == "mean":
            return dict(zip(self.item_ids, self.values.tolist(), strict=True))
        if self.combine == "ratio":
            above, below = self.values[:, 0], self.values[:, 1]
        else:
            counts = self.values.sum(axis=1)
            above, below = 2 * counts[:, 0], 2 * counts[:, 0] + counts[:, 1] + counts[:, 2]
        return {
            item_id: float(a / b)
            for item_id, a, b in zip(self.item_ids, above, below, strict=True)
            if b
        }

    def counts_by_class(self) -> dict[str, tuple[float, float, float]]:
        """For each class of an F1 score its true positives, false positives, false negatives."""
        if not self.combine.endswith("f1"):
            return {}
        sums = self.values.sum(axis=0)
        return {
            name: (float(row[0]), float(row[1]), float(row[2]))
            for name, row in zip(self.classes, sums, strict=True)
        }


def measured_mean(
    metric: str,
    values: Mapping[str, float],
    *,
    bounds: tuple[float, float] = SHARE,
    higher_is_better: bool | None = True,
    farthest_apart: float | None = None,
    right_or_wrong: bool = False,
) -> Measured:
    """A metric whose score is the mean of the items' values, from the values by item.

    Args:
        metric: its name.
        values: by item.
        bounds: the least and the greatest score that is possible.
        higher_is_better: see `Measured`.
        farthest_apart: see `Measured`.
        right_or_wrong: the metric counts items of which something is true or false. Then the score
            is a proportion, unless an item's value lies between, as that of an option that ties.
            ROUGE is no proportion, even where all its values happen to be 0.
    """
    column = np.array(list(values.values()), dtype=np.float64)
    proportion = right_or_wrong and bool(np.isin(column, SHARE).all())
    return Measured(
        metric,
        tuple(values),
        column,
        proportion=proportion,
        bounds=bounds,
        higher_is_better=higher_is_better,
        farthest_apart=farthest_apart,
    )
