"""A judge's mean score, corrected by human scores of some items (prediction-powered inference).

Belongs here: the corrected mean with its interval. Does not: the judge (evaluation.judge).
"""

import math
from collections.abc import Sequence

import numpy as np

from bioinstruct_dagster.evaluation.metrics.measured import (
    SHARE,
    UNBOUNDED,
    Floats,
    Measured,
    MeasuredError,
)
from bioinstruct_dagster.evaluation.statistics.closed_forms import COVERAGE, t_quantile, wilson
from bioinstruct_dagster.evaluation.statistics.estimates import ScoreEstimate, estimate

PREDICTION_POWERED = "prediction-powered (PPI++)"
CLUSTERED_PREDICTION_POWERED = "prediction-powered (PPI++) with clusters"


def ppi_mean(
    judged: Sequence[float],
    human: Sequence[float],
    judged_of_labelled: Sequence[float],
    clusters: Sequence[str] | None = None,
    seed: int = 0,
    *,
    judged_clusters: Sequence[str] | None = None,
    bounds: tuple[float, float] | None = None,
) -> ScoreEstimate:
    """The mean of the scores that people would give, from few human scores and many of a judge.

    The judge's mean over all items is corrected by the judge's mean error on the labelled ones. How
    far the judge is trusted, between 0 and 1, is fitted to the data, so that a useless judge does
    no harm (Angelopoulos, Duchi and Zrnic 2023, "PPI++", arXiv 2311.01453, section 6).

    Args:
        judged: the judge's scores of the items without a human score.
        human: the human scores of the labelled items.
        judged_of_labelled: the judge's scores of the labelled items, in the order of `human`.
        clusters: the cluster of each labelled item; empty: its own.
        seed: of the bootstrap that stands in where there is nothing to correct with.
        judged_clusters: the cluster of each item of `judged`. The same name as in `clusters` is the
            same cluster.
        bounds: the least and the greatest score that is possible. Default: 0 and 1 if each human
            score is 0 or 1, else none.

    Returns:
        The estimate. `n` is the number of human scores.

    Raises:
        MeasuredError: the lengths differ, or a score is NaN or infinite.
    """
    unlabelled, labels, predicted = (
        np.asarray(each, dtype=np.float64) for each in (judged, human, judged_of_labelled)
    )
    _check(unlabelled, labels, predicted, clusters, judged_clusters)
    right_or_wrong = bool(len(labels)) and bool(np.isin(labels, SHARE).all())
    if bounds is None:
        bounds = SHARE if right_or_wrong else UNBOUNDED
    names = _names(clusters, len(labels), "labelled")
    count = len(set(names))
    trust = _trust(labels, predicted, len(unlabelled))
    if trust == 0 or count <= 2:  # noqa: PLR2004 (the fit of the trust takes one degree of freedom)
        ids = tuple(f"{row:09}" for row in range(len(labels)))
        proportion = right_or_wrong and bounds == SHARE
        measured = Measured("human", ids, labels, proportion=proportion, bounds=bounds)
        return estimate(measured, dict(zip(ids, names, strict=True)), seed)
    rest = labels - trust * predicted
    mean = float(rest.mean() + trust * unlabelled.mean())
    moved = _moves(rest, names)
    others = _names(judged_clusters, len(unlabelled), "judged")
    for name, value in _moves(trust * unlabelled, others).items():
        moved[name] = moved.get(name, 0.0) + value
    # The correction for few clusters belongs to the labelled ones, which are few.
    error = math.sqrt(sum(value**2 for value in moved.values()) * count / (count - 2))
    low, high = _interval(mean, error, count - 2, bounds)
    method = CLUSTERED_PREDICTION_POWERED if count < len(labels) else PREDICTION_POWERED
    return ScoreEstimate(mean, low, high, len(labels), count, method)


def _interval(
    mean: float, error: float, df: int, bounds: tuple[float, float]
) -> tuple[float, float]:
    """The interval of a mean with this standard error, by the quantile of t.

    A mean between 0 and 1 gets Wilson's interval for as many items as would give the error. Near 0
    and 1 the plain interval covered 93 % only in our simulation.
    """
    quantile = float(t_quantile((1 + COVERAGE) / 2, df))
    if bounds == SHARE and 0 < mean < 1 and error > 0:
        low, high = wilson(mean, mean * (1 - mean) / error**2, quantile)
        return float(low), float(high)
    half = quantile * error
    return max(mean - half, bounds[0]), min(mean + half, bounds[1])


def _check(
    judged: Floats,
    human: Floats,
    judged_of_labelled: Floats,
    clusters: Sequence[str] | None,
    judged_clusters: Sequence[str] | None,
) -> None:
    if len(human) != len(judged_of_labelled):
        raise MeasuredError(
            f"There are {len(human)} human scores and {len(judged_of_labelled)} scores of the "
            "judge for the same items. Each item needs one of each."
        )
    for values, names in ((human, clusters), (judged, judged_clusters)):
        if names is not None and len(names) != len(values):
            raise MeasuredError(f"There are {len(values)} scores and {len(names)} clusters.")
    if not all(np.isfinite(values).all() for values in (judged, human, judged_of_labelled)):
        raise MeasuredError("A human score or a score of the judge is NaN or infinite.")


def _names(clusters: Sequence[str] | None, count: int, kind: str) -> list[str]:
    """The clusters, with a name of its own for each item without one."""
    given = clusters if clusters is not None else [""] * count
    return [name or f"\0{kind} {row}" for row, name in enumerate(given)]


def _trust(human: Floats, judged: Floats, others: int) -> float:
    """The power tuning lambda of PPI++ for a mean, clipped to 0 to 1 (its equation 8)."""
    if not others or len(human) < 2 or np.ptp(judged) == 0:  # noqa: PLR2004
        return 0.0
    covariance = np.cov(human, judged, ddof=1)
    best = covariance[0, 1] / (covariance[1, 1] * (1 + len(human) / others))
    return float(np.clip(best, 0.0, 1.0))


def _moves(values: Floats, names: Sequence[str]) -> dict[str, float]:
    """How much each cluster moves the mean of the values."""
    moves: dict[str, float] = {}
    for name, value in zip(names, (values - values.mean()) / len(values), strict=True):
        moves[name] = moves.get(name, 0.0) + float(value)
    return moves
