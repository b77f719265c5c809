"""The sums of a metric's values over the clusters of its items, and the score of such sums.

Belongs here: grouping, scores, and how much one cluster moves a score (the jackknife). Does not:
drawing samples of clusters (evaluation.statistics.resamples), or intervals (estimates).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bioinstruct_dagster.evaluation.metrics.measured import (
    SHARE,
    Combination,
    Floats,
    Measured,
    MeasuredError,
)

Clusters = Mapping[str, str]  # the cluster of each item by its id; empty or missing: its own


@dataclass(frozen=True)
class ClusterSums:
    """A metric's values, added up within each cluster.

    Attributes:
        table: of shape (clusters, columns). The columns are those of the values in a row; the last
            one is the number of items.
        combine: how sums become the score.
        bounds: the least and the greatest score.
        farthest_apart: the greatest difference of two subjects' scores; None for the width of the
            bounds.
    """

    table: Floats
    combine: Combination
    bounds: tuple[float, float]
    farthest_apart: float | None = None

    @property
    def clusters(self) -> int:
        """The number of clusters; an item without a cluster is one by itself."""
        return len(self.table)

    @property
    def items(self) -> int:
        """The number of items."""
        return int(self.table[:, -1].sum())

    @property
    def shared(self) -> bool:
        """Whether some items share a cluster."""
        return self.clusters < self.items

    @property
    def score(self) -> float:
        """The score of all items."""
        return float(self.of(self.table.sum(axis=0)))

    def of(self, sums: Floats) -> Floats:
        """The scores of samples, from sums of shape (..., columns)."""
        return score_of(sums, self.combine)

    def left_out(self) -> Floats:
        """The score without each cluster, of shape (clusters,)."""
        return self.of(self.table.sum(axis=0) - self.table)


class DifferenceSums(ClusterSums):
    """The sums of two subjects side by side. The score is the second's minus the first's."""

    def of(self, sums: Floats) -> Floats:
        """The differences of samples, from sums of shape (..., columns)."""
        middle = sums.shape[-1] // 2  # both halves end with the number of items
        first, second = sums[..., :middle], sums[..., middle:]
        return score_of(second, self.combine) - score_of(first, self.combine)


def difference_of(first: ClusterSums, second: ClusterSums) -> DifferenceSums:
    """The second minus the first, for sums over the same clusters."""
    low, high = first.bounds
    apart = high - low if first.farthest_apart is None else first.farthest_apart
    table = np.concatenate([first.table, second.table], axis=1)
    return DifferenceSums(table, first.combine, (-apart, apart))


def cluster_sums(measured: Measured, clusters: Clusters) -> ClusterSums:
    """Add up the values within clusters. The order of the items does not change the result."""
    order = np.argsort(np.array(measured.item_ids, dtype=np.str_), kind="stable")
    ids = [measured.item_ids[row] for row in order]
    names = [(1, found) if (found := clusters.get(each, "")) else (0, each) for each in ids]
    place = {name: row for row, name in enumerate(sorted(set(names)))}
    values = measured.values[order].reshape(len(ids), math.prod(measured.values.shape[1:]))
    rows = np.column_stack([values, np.ones(len(ids))])
    table = np.zeros((len(place), rows.shape[1]))
    np.add.at(table, [place[name] for name in names], rows)
    bounds = SHARE if measured.combine.endswith("f1") else measured.bounds
    return ClusterSums(table, measured.combine, bounds, measured.farthest_apart)


def paired_sums(measured: Sequence[Measured], clusters: Clusters) -> tuple[ClusterSums, ...]:
    """The sums of several subjects over the same clusters, in the same order of clusters.

    Raises:
        MeasuredError: they do not measure the same thing of the same items.
    """
    first = measured[0]
    for other in measured[1:]:
        if set(other.item_ids) != set(first.item_ids):
            raise MeasuredError(
                f"The metric {first.metric} was measured on different items for two subjects, so "
                "they cannot be compared item by item."
            )
        alike = (first.metric, first.combine, first.classes)
        if (other.metric, other.combine, other.classes) != alike:
            raise MeasuredError(f"{first.metric} and {other.metric} are different metrics.")
    return tuple(cluster_sums(each, clusters) for each in measured)


def score_of(sums: Floats, combine: Combination) -> Floats:
    """The scores of samples.

    Args:
        sums: of shape (..., columns), of the items in each sample.
        combine: how sums become the score.

    Returns:
        Of shape (...). An F1 score without any count is 0. The macro average leaves such classes
        out, as scikit-learn does for a class that is neither in the data nor predicted.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        if combine in {"mean", "ratio"}:
            found: Floats = sums[..., 0] / sums[..., 1]
            return found
        counts = sums[..., :-1].reshape(*sums.shape[:-1], -1, 3)
        if combine == "micro_f1":
            micro = _f1(counts.sum(axis=-2))
            return np.where(np.isnan(micro), 0.0, micro)
        by_class = _f1(counts)
        known = ~np.isnan(by_class)
        total = np.where(known, by_class, 0.0).sum(axis=-1)
        return np.where(known.any(axis=-1), total / known.sum(axis=-1), 0.0)


def _f1(counts: Floats) -> Floats:
    """F1 of true positives, false positives and false negatives on the last axis; NaN of none."""
    twice = 2 * counts[..., 0]
    # A resample is a difference of sums: what is left of equal sums is rounding noise.
    below = twice + counts[..., 1] + counts[..., 2]
    found: Floats = np.where(below > 1e-9, twice / below, np.nan)  # noqa: PLR2004
    return found


def jackknife_error(moves: Floats) -> float:
    """The standard error of a score from the scores without each cluster, of shape (clusters,)."""
    count = len(moves)
    return float(np.sqrt((count - 1) / count * ((moves - moves.mean()) ** 2).sum()))
