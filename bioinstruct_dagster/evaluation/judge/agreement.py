"""How well scores of summaries agree with human scores: four figures, each with an interval.

Most of the agreement between any score and the human scores of a set of dialogues comes from the
dialogues: a long note is harder to summarise than a short one. So a plain rank correlation flatters
a score that only counts words. Three more figures take that apart.

  spearman  the rank correlation over all summaries
  partial   the same after both lengths, of summary and reference, are taken out
  within    the mean rank correlation among the summaries of one dialogue
  auroc     how well a score tells summaries with a factual error from those without

Belongs here: these computations, for a judge and for the scores that need no judge. Does not: the
scores (evaluation.metrics.composite, the judge), or reading files of human scores.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bioinstruct_dagster.evaluation.statistics.closed_forms import COVERAGE

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

RESAMPLES = 2_000  # of the bootstrap over dialogues


@dataclass(frozen=True)
class AgreementFigure:
    """One figure of agreement with its 95 % interval.

    Attributes:
        value: of the sample.
        low: lower end of the interval.
        high: upper end of the interval.
    """

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        """Such as `0.75 [0.65, 0.82]`."""
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


@dataclass(frozen=True)
class HumanAgreement:
    """The four figures of one score. The head of this module explains them.

    Attributes:
        n: number of summaries.
        clusters: number of dialogues.
    """

    spearman: AgreementFigure
    partial: AgreementFigure
    within: AgreementFigure
    auroc: AgreementFigure
    n: int
    clusters: int


def agreement_of(
    scores: Sequence[float],
    errors: Sequence[float],
    *,
    human: Sequence[float],
    has_error: Sequence[bool],
    lengths: ArrayLike,
    clusters: Sequence[Hashable],
    seed: int,
    resamples: int = RESAMPLES,
) -> HumanAgreement:
    """The four figures of agreement, with intervals from a bootstrap over dialogues.

    Args:
        scores: of the summaries; higher is better. Correlated with `human`.
        errors: of the summaries; higher means that an error is more likely. For a score that says
            nothing else about errors, pass the score with its sign changed.
        human: the human scores; higher is better.
        has_error: whether people found a factual error.
        lengths: of shape (n, 2): words of the summary and of the reference (`length_of`).
        clusters: the dialogue of each summary. Whole dialogues are drawn.
        seed: of the bootstrap.
        resamples: how many samples the bootstrap draws.

    Raises:
        ValueError: the arguments do not have the same length, or are empty.
    """
    given = np.asarray(lengths, dtype=np.float64)
    x, e, y = (np.asarray(values, dtype=np.float64) for values in (scores, errors, human))
    positive = np.asarray(has_error, dtype=np.bool_)
    groups = cluster_indices(clusters)
    if not len(x) or len({len(x), len(e), len(y), len(positive), len(given), len(clusters)}) > 1:
        raise ValueError(
            "Agreement needs at least one summary, and as many scores, errors, human scores, "
            "error labels, lengths and clusters as summaries."
        )

    def figure(statistic: Callable[[Indices], float]) -> AgreementFigure:
        return figure_over(statistic, groups, seed=seed, resamples=resamples)

    return HumanAgreement(
        spearman=figure(lambda rows: spearman(x[rows], y[rows])),
        partial=figure(lambda rows: partial_correlation(x[rows], y[rows], given[rows])),
        within=_within_figure(x, y, groups, seed=seed, resamples=resamples),
        auroc=figure(lambda rows: auroc(e[rows], positive[rows])),
        n=len(x),
        clusters=len(groups),
    )


def length_of(text: str) -> int:
    """The number of words of a text, separated by blanks."""
    return len(text.split())


def spearman(x: ArrayLike, y: ArrayLike) -> float:
    """Spearman's rank correlation; ties share the mean rank. 0 where either side is constant."""
    return _pearson(_ranks(x), _ranks(y))


def partial_correlation(x: ArrayLike, y: ArrayLike, given: ArrayLike) -> float:
    """Spearman's rank correlation of x and y after what `given` explains is taken out.

    All values become ranks. The ranks of x and of y are each fitted by least squares to the ranks
    of the columns of `given`, and what the fits leave over is correlated.

    Args:
        x: n values.
        y: n values.
        given: of shape (n, k).
    """
    columns = np.asarray(given, dtype=np.float64)
    design = np.column_stack([np.ones(len(columns)), *(_ranks(c) for c in columns.T)])
    ranks = np.column_stack([_ranks(x), _ranks(y)])
    fitted, *_ = np.linalg.lstsq(design, ranks, rcond=None)
    left = ranks - design @ fitted
    return _pearson(left[:, 0], left[:, 1])


def auroc(scores: ArrayLike, positive: ArrayLike) -> float:
    """The probability that a positive item scores higher than a negative one; ties count half.

    0.5 where all items are positive, or none is.
    """
    labels = np.asarray(positive, dtype=np.bool_)
    positives, negatives = int(labels.sum()), int((~labels).sum())
    if not positives or not negatives:
        return 0.5
    above = _ranks(scores)[labels].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def fitted_out_of_fold(
    features: ArrayLike, human: ArrayLike, clusters: Sequence[Hashable]
) -> Floats:
    """Least-squares predictions of the human scores; each dialogue by a fit to all the others.

    Args:
        features: of shape (n, k). A constant is added.
        human: n values.
        clusters: the dialogue of each row.
    """
    columns = np.asarray(features, dtype=np.float64)
    y = np.asarray(human, dtype=np.float64)
    design = np.column_stack([np.ones(len(y)), columns])
    predicted = np.empty(len(y))
    for rows in cluster_indices(clusters):
        others = np.ones(len(y), dtype=np.bool_)
        others[rows] = False
        fitted, *_ = np.linalg.lstsq(design[others], y[others], rcond=None)
        predicted[rows] = design[rows] @ fitted
    return predicted


def cluster_indices(clusters: Sequence[Hashable]) -> list[Indices]:
    """The rows of each cluster, in the order in which the clusters appear."""
    rows: dict[Hashable, list[int]] = {}
    for row, cluster in enumerate(clusters):
        rows.setdefault(cluster, []).append(row)
    return [np.array(found, dtype=np.intp) for found in rows.values()]


def figure_over(
    statistic: Callable[[Indices], float],
    groups: Sequence[Indices],
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> AgreementFigure:
    """A statistic of all rows, with the interval of `over_clusters`, whose arguments these are."""
    rows = np.arange(sum(map(len, groups)))
    drawn = over_clusters(statistic, groups, seed=seed, resamples=resamples)
    return AgreementFigure(statistic(rows), *drawn)


def over_clusters(
    statistic: Callable[[Indices], float],
    groups: Sequence[Indices],
    *,
    seed: int,
    resamples: int = RESAMPLES,
) -> tuple[float, float]:
    """The 95 % percentile interval of a statistic when whole clusters are drawn with replacement.

    Efron and Tibshirani (1993), chapter 13. With the same seed, two scores see the same draws.

    Args:
        statistic: takes the rows of a sample.
        groups: the rows of each cluster.
        seed: of the draws.
        resamples: how many samples are drawn.
    """
    rng = np.random.default_rng(seed)
    found = [
        statistic(np.concatenate([groups[i] for i in rng.integers(0, len(groups), len(groups))]))
        for _ in range(resamples)
    ]
    return _interval(np.array(found))


def _within_figure(
    x: Floats, y: Floats, groups: Sequence[Indices], *, seed: int, resamples: int
) -> AgreementFigure:
    """The mean over clusters of Spearman's rank correlation inside the cluster.

    A cluster whose y are all equal has no order to find and does not count. A cluster whose y
    differ and whose x are all equal counts as 0. The clusters' own figures are drawn, so each is
    computed once.
    """
    found = np.array([spearman(x[g], y[g]) for g in groups if len(np.unique(y[g])) > 1])
    if not len(found):
        return AgreementFigure(0.0, 0.0, 0.0)
    drawn = np.random.default_rng(seed).integers(0, len(found), (resamples, len(found)))
    return AgreementFigure(float(found.mean()), *_interval(found[drawn].mean(axis=1)))


def _interval(values: Floats) -> tuple[float, float]:
    tail = (1 - COVERAGE) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)


def _ranks(values: ArrayLike) -> Floats:
    from scipy import stats

    ranks: Floats = stats.rankdata(np.asarray(values, dtype=np.float64))
    return ranks


def _pearson(x: Floats, y: Floats) -> float:
    x, y = x - x.mean(), y - y.mean()
    # What a fit leaves over of a constant is rounding noise, not variance.
    scale = np.sqrt((x * x).sum() * (y * y).sum())
    return float((x * y).sum() / scale) if scale > 1e-9 * len(x) else 0.0
