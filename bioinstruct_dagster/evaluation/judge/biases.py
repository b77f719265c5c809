"""Biases of a judge: position, length and own family; and whether it agrees with itself.

Belongs here: one figure for each, with an interval over sources. Does not: agreement with people
(agreement), or asking the judge (measuring).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bioinstruct_dagster.evaluation.judge.agreement import (
    cluster_indices,
    figure_over,
    length_of,
    partial_correlation,
    spearman,
)
from bioinstruct_dagster.evaluation.judge.choice import family_of
from bioinstruct_dagster.evaluation.judge.grades import SHARES, Grade
from bioinstruct_dagster.evaluation.judge.human_scores import HumanScore
from bioinstruct_dagster.evaluation.judge.pairwise import PairOutcome

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class BiasFigure:
    """One figure, with its 95 % interval over sources.

    Attributes:
        name: of the figure in `judge_measures`.
        value: of the sample.
        low: lower end of the interval; None if it has none.
        high: upper end of the interval.
        n: number of answers or pairs.
        clusters: number of sources.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    n: int
    clusters: int


@dataclass(frozen=True)
class MeasuredPair:
    """Two answers to one source that people scored, and the judge's outcome.

    Attributes:
        first: the answer that got the outcome's points.
        second: the other answer.
        outcome: of both orders.
    """

    first: HumanScore
    second: HumanScore
    outcome: PairOutcome


def grade_biases(
    scores: Sequence[HumanScore],
    grades: Sequence[Grade | None],
    judge_model: str,
    *,
    seed: int,
    resamples: int,
) -> list[BiasFigure]:
    """The biases of grades.

    - `length_bias`: the rank correlation of grade and length of the answer, once the people's score
      is taken out. Above 0, the judge favours long answers.
    - `family_gap`: how much more the judge gives than people do to answers of its own family, less
      the same of other answers. It is left out if the scores name no writer of either kind.
    """
    kept = [(s, g) for s, g in zip(scores, grades, strict=True) if g is not None]
    people = np.array([score.share("factual_f1") for score, _ in kept], dtype=np.float64)
    ours = np.array([grade.share("factual_f1") for _, grade in kept], dtype=np.float64)
    words = np.array([length_of(score.text.answer) for score, _ in kept], dtype=np.float64)
    sources = [score.text.source for score, _ in kept]

    def length_bias(rows: Indices) -> float:
        return partial_correlation(ours[rows], words[rows], people[rows][:, None])

    figures = [_figure("length_bias", length_bias, sources, seed=seed, resamples=resamples)]
    family = family_of(judge_model)
    writers = [family_of(score.writer) if score.writer else None for score, _ in kept]
    own = np.array([writer == family for writer in writers])
    other = np.array([writer is not None and writer != family for writer in writers])
    if family and own.any() and other.any():
        gaps = ours - people

        def family_gap(rows: Indices) -> float:
            mine, theirs = gaps[rows][own[rows]], gaps[rows][other[rows]]
            return float(mine.mean() - theirs.mean()) if len(mine) and len(theirs) else 0.0

        figures.append(_figure("family_gap", family_gap, sources, seed=seed, resamples=resamples))
    return figures


def pair_biases(pairs: Sequence[MeasuredPair], *, seed: int, resamples: int) -> list[BiasFigure]:
    """The biases of choices between two answers, and how often people agree with them.

    - `first_preferred`: the share of choices for the answer in the first place. Without a bias, it
      is 0.5, because each pair is asked about in both orders.
    - `order_consistent`: the share of pairs that get the same outcome in both orders.
    - `pair_agreement`: the share of pairs, of those that people do not find equal, in which the
      better one wins. A tie counts half.
    - `longer_preferred`: how much more often the longer answer wins than it is the better one by
      people. Ties count half.
    """
    if not pairs:
        return []
    sources = [pair.first.text.source for pair in pairs]
    firsts = np.array([pair.outcome.first_places for pair in pairs], dtype=np.float64)
    choices = np.array([pair.outcome.choices for pair in pairs], dtype=np.float64)
    consistent = np.array([pair.outcome.consistent for pair in pairs], dtype=np.float64)
    people = np.array([_points(*_f1_of(pair)) for pair in pairs])
    points = np.array([pair.outcome.points for pair in pairs])
    longer = np.array([_points(*_words_of(pair)) for pair in pairs])

    def share_of_firsts(rows: Indices) -> float:
        total = choices[rows].sum()
        return float(firsts[rows].sum() / total) if total else 0.5

    def agreement(rows: Indices) -> float:
        told = rows[people[rows] != 0.5]  # noqa: PLR2004 - people find both equal
        agreed = np.where(people[told] == 1, points[told], 1 - points[told])
        return float(agreed.mean()) if len(told) else 0.5

    def longer_preferred(rows: Indices) -> float:
        told = rows[longer[rows] != 0.5]  # noqa: PLR2004 - both are equally long
        sign = np.where(longer[told] == 1, 1.0, -1.0)
        return float((sign * (points[told] - people[told])).mean()) if len(told) else 0.0

    named: Mapping[str, Callable[[Indices], float]] = {
        "first_preferred": share_of_firsts,
        "order_consistent": lambda rows: float(consistent[rows].mean()),
        "pair_agreement": agreement,
        "longer_preferred": longer_preferred,
    }
    return [
        _figure(name, statistic, sources, seed=seed, resamples=resamples)
        for name, statistic in named.items()
    ]


def repeat_figures(
    scores: Sequence[HumanScore],
    first: Sequence[Grade | None],
    second: Sequence[Grade | None],
    *,
    seed: int,
    resamples: int,
) -> list[BiasFigure]:
    """How far two grades of the same answers agree.

    - `repeat_equal`: the share of answers whose shares are all equal in both.
    - `repeat_difference`: the mean absolute difference of the factual F1.
    - `repeat_spearman`: the rank correlation of the factual F1.
    """
    both = [
        (score, one, other)
        for score, one, other in zip(scores, first, second, strict=True)
        if one is not None and other is not None
    ]
    if not both:
        return []
    sources = [score.text.source for score, _, _ in both]
    equal = np.array(
        [all(a.share(name) == b.share(name) for name in SHARES) for _, a, b in both], dtype=float
    )
    x = np.array([a.share("factual_f1") for _, a, _ in both], dtype=np.float64)
    y = np.array([b.share("factual_f1") for _, _, b in both], dtype=np.float64)
    named: Mapping[str, Callable[[Indices], float]] = {
        "repeat_equal": lambda rows: float(equal[rows].mean()),
        "repeat_difference": lambda rows: float(np.abs(x[rows] - y[rows]).mean()),
        "repeat_spearman": lambda rows: spearman(x[rows], y[rows]),
    }
    return [
        _figure(name, statistic, sources, seed=seed, resamples=resamples)
        for name, statistic in named.items()
    ]


def _figure(
    name: str,
    statistic: Callable[[Indices], float],
    sources: Sequence[str],
    *,
    seed: int,
    resamples: int,
) -> BiasFigure:
    groups = cluster_indices(sources)
    found = figure_over(statistic, groups, seed=seed, resamples=resamples)
    return BiasFigure(name, found.value, found.low, found.high, len(sources), len(groups))


def _points(ours: float, theirs: float) -> float:
    return 0.5 if ours == theirs else float(ours > theirs)


def _f1_of(pair: MeasuredPair) -> tuple[float, float]:
    return pair.first.share("factual_f1") or 0.0, pair.second.share("factual_f1") or 0.0


def _words_of(pair: MeasuredPair) -> tuple[float, float]:
    return length_of(pair.first.text.answer), length_of(pair.second.text.answer)
