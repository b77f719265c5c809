"""Means corrected by human scores: closed forms, edge cases, and coverage by simulation."""

import numpy as np
import pytest
from scipy import stats

from bioinstruct_dagster.evaluation.metrics.measured import MeasuredError
from bioinstruct_dagster.evaluation.statistics.corrected import (
    CLUSTERED_PREDICTION_POWERED,
    PREDICTION_POWERED,
    ppi_mean,
)
from bioinstruct_dagster.evaluation.statistics.estimates import BOOTSTRAP, NO_ITEMS, WILSON


def scores(rng, n, truth=1.0, noise=0.3, bias=0.4):
    """Human scores and those of a judge that is too kind."""
    human = rng.normal(truth, 1, n)
    return human, human + bias + rng.normal(0, noise, n)


def test_the_corrected_mean_is_that_of_the_formula():
    rng = np.random.default_rng(1)
    human, judge = scores(rng, 50)
    _, others = scores(rng, 400)
    found = ppi_mean(others, human, judge)
    covariance = np.cov(human, judge)
    trust = covariance[0, 1] / (covariance[1, 1] * (1 + 50 / 400))
    assert 0 < trust < 1
    expected = human.mean() + trust * (others.mean() - judge.mean())
    assert found.score == pytest.approx(expected, abs=1e-12)
    variance = np.var(human - trust * judge) / 50 + trust**2 * np.var(others) / 400
    half = stats.t.ppf(0.975, 48) * np.sqrt(variance * 50 / 48)
    assert (found.ci_low, found.ci_high) == pytest.approx((expected - half, expected + half))
    assert (found.method, found.n, found.clusters) == (PREDICTION_POWERED, 50, 50)


def test_a_kind_judge_is_corrected():
    rng = np.random.default_rng(2)
    human, judge = scores(rng, 60)
    _, others = scores(rng, 2_000)
    found = ppi_mean(others, human, judge)
    assert found.ci_low <= 1 <= found.ci_high
    assert not found.ci_low <= others.mean() <= found.ci_high


def test_a_good_judge_narrows_the_interval_and_a_useless_one_does_not_widen_it():
    rng = np.random.default_rng(3)
    human, judge = scores(rng, 60)
    _, others = scores(rng, 2_000)
    alone = ppi_mean([], human, judge)
    assert alone.method == BOOTSTRAP
    width = alone.ci_high - alone.ci_low
    helped = ppi_mean(others, human, judge)
    assert helped.ci_high - helped.ci_low < 0.5 * width
    useless = ppi_mean(rng.random(2_000), human, rng.random(60))
    assert useless.ci_high - useless.ci_low < 1.1 * width


@pytest.mark.parametrize("judge", [[0.5] * 40, [-1.0, 1.0] * 20])
def test_a_judge_that_says_nothing_is_not_trusted(judge):
    human = [1.0, 0.0] * 20  # the second judge is against them
    found = ppi_mean([0.9] * 300, human, judge)
    assert found.score == 0.5
    assert found.method == WILSON


def test_clusters_count_where_they_span_both_kinds_of_items():
    rng = np.random.default_rng(4)
    names = [f"dialogue-{place % 15}" for place in range(300)]
    of_cluster = rng.normal(0, 1, 15)
    human = np.array([of_cluster[place % 15] for place in range(300)]) + rng.normal(0, 0.3, 300)
    judge = human + rng.normal(0, 0.3, 300)
    found = ppi_mean(judge[60:], human[:60], judge[:60], names[:60], judged_clusters=names[60:])
    assert (found.method, found.clusters) == (CLUSTERED_PREDICTION_POWERED, 15)
    single = ppi_mean(judge[60:], human[:60], judge[:60])
    assert found.ci_high - found.ci_low > 2 * (single.ci_high - single.ci_low)


def test_nothing_labelled_has_no_score():
    assert ppi_mean([0.5, 0.7], [], []).method == NO_ITEMS


def test_wrong_lengths_and_values_are_refused():
    with pytest.raises(MeasuredError, match="2 human scores and 1 scores of the judge"):
        ppi_mean([0.5], [1, 0], [1])
    with pytest.raises(MeasuredError, match="2 scores and 1 clusters"):
        ppi_mean([0.5], [1, 0], [1, 0], ["a"])
    with pytest.raises(MeasuredError, match="NaN"):
        ppi_mean([0.5, np.nan], [1, 0], [1, 0])


def coverage(samples, *, labelled, others, agreement, kind):
    """How often the interval holds the mean of the human scores.

    Args:
        samples: how many are drawn.
        labelled: items with a human score.
        others: items without one.
        agreement: of the judge with what people see, from 0 to 1.
        kind: `score`, `right` (0 or 1, 14 % right), or `clustered` (scores, five items a cluster).
    """
    rng = np.random.default_rng(6)
    n = labelled + others
    held = []
    for _ in range(samples):
        names = [str(place // 5) for place in range(n)] if kind == "clustered" else None
        shared = np.repeat(rng.normal(0, 0.6, n // 5), 5) if names else np.zeros(n)
        seen = shared + rng.normal(size=n)
        human = seen + rng.normal(0, 0.5, n)
        truth = 0.0
        if kind == "right":
            human, truth = (human > 1.2).astype(float), stats.norm.sf(1.2 / np.sqrt(1.25))
        judge = 0.4 + agreement * seen + (1 - agreement) * rng.normal(size=n)
        found = ppi_mean(
            judge[labelled:],
            human[:labelled],
            judge[:labelled],
            names and names[:labelled],
            judged_clusters=names and names[labelled:],
        )
        held.append(found.ci_low <= truth <= found.ci_high)
    return np.mean(held)


@pytest.mark.parametrize("kind", ["score", "right", "clustered"])
def test_corrected_means_are_covered(kind):
    found = [
        coverage(250, labelled=labelled, others=400, agreement=agreement, kind=kind)
        for labelled in (50, 100)
        for agreement in (0.2, 0.9)
    ]
    assert np.mean(found) >= 0.94


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["score", "right", "clustered"])
@pytest.mark.parametrize("labelled", [50, 100, 200])
@pytest.mark.parametrize("agreement", [0.0, 0.5, 0.9])
def test_corrected_means_are_covered_in_many_samples(kind, labelled, agreement):
    found = coverage(1_500, labelled=labelled, others=1_000, agreement=agreement, kind=kind)
    assert found >= 0.935
