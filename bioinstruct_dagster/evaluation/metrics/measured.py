"""The values of one metric over a task's items: the border between metrics and statistics.

Belongs here: their form. Does not: computing them from answers (evaluation.metrics' other modules),
or intervals (evaluation.statistics).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Combination = Literal["mean", "ratio", "micro_f1", "macro_f1"]


@dataclass(frozen=True)
class Measured:
    """One metric of one subject over items, before any statistics.

    The score of a sample of items is computed from the sums of its rows. So every resample of a
    bootstrap is a sum.

    Attributes:
        metric: its name in the store, such as `accuracy_letters`.
        item_ids: of the items, in the order of the rows.
        values: for `mean` of shape (n,). For `ratio` of shape (n, 2), numerator and denominator.
            For the F1 scores of shape (n, classes, 3): true positives, false positives, false
            negatives.
        combine: how sums become the score.
        proportion: each value of a `mean` is 0 or 1.
        classes: the names of the classes of an F1 score.
    """

    metric: str
    item_ids: tuple[str, ...]
    values: Floats
    combine: Combination = "mean"
    proportion: bool = False
    classes: tuple[str, ...] = ()
