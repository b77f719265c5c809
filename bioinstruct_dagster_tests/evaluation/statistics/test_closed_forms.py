"""Formulas of intervals and tests, against scipy and published values."""

import math

import numpy as np
import pytest
from scipy import stats

from bioinstruct_dagster.evaluation.statistics.closed_forms import (
    holm,
    mcnemar,
    t_quantile,
    tango,
    wilson,
)


@pytest.mark.parametrize("n", [1, 2, 17, 299])
def test_wilson_is_that_of_scipy(n):
    for hits in {0, 1, n // 3, n - 1, n}:
        expected = stats.binomtest(hits, n).proportion_ci(method="wilson")
        low, high = wilson(hits / n, n)
        assert low == pytest.approx(expected.low, abs=1e-9)
        assert high == pytest.approx(expected.high, abs=1e-9)


def test_wilson_holds_its_share_at_the_ends():
    assert wilson(0.0, 40)[0] == 0
    assert wilson(1.0, 40)[1] == 1
    # Wilson's end for no success: z² / (n + z²).
    z2 = stats.norm.ppf(0.975) ** 2
    assert wilson(0.0, 40)[1] == pytest.approx(z2 / (40 + z2), abs=1e-12)


@pytest.mark.parametrize(("gained", "lost"), [(0, 0), (1, 0), (16, 6), (3, 3), (40, 71)])
def test_mcnemar_is_the_binomial_test_of_the_discordant_pairs(gained, lost):
    expected = stats.binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    assert mcnemar(gained, lost) == pytest.approx(expected, abs=1e-9)


def test_a_published_paired_table():
    # Response before and after consolidation therapy (Cavo et al. 2012), 59, 6, 16 and 80 patients,
    # as Fagerland, Lydersen and Laake (2017), "Statistical analysis of contingency tables",
    # chapter 8, and their R package contingencytables compute them.
    assert mcnemar(6, 16) == pytest.approx(0.052479, abs=5e-7)
    low, high = tango(6, 16, 161)
    assert (round(float(low), 4), round(float(high), 4)) == (-0.1240, -0.0054)


@pytest.mark.parametrize(
    ("gained", "lost", "n"), [(0, 0, 5), (5, 0, 5), (0, 5, 5), (1, 1, 2), (30, 11, 200)]
)
def test_tango_ends_where_its_statistic_reaches_the_quantile(gained, lost, n):
    low, high = (float(end) for end in tango(gained, lost, n))
    assert -1 <= low <= (gained - lost) / n <= high <= 1
    for end in (low, high):
        if abs(end) < 1:
            a, b = 2 * n, -gained - lost + (2 * n - gained + lost) * end
            c = -lost * end * (1 - end)
            likeliest = (math.sqrt(b * b - 4 * a * c) - b) / (2 * a)
            variance = n * (2 * likeliest + end * (1 - end))
            statistic = (gained - lost - n * end) / math.sqrt(variance)
            assert abs(statistic) == pytest.approx(stats.norm.ppf(0.975), abs=1e-6)


def test_tango_swaps_with_its_subjects():
    low, high = tango(12, 5, 80)
    assert tango(5, 12, 80) == pytest.approx((-high, -low), abs=1e-12)


def test_the_quantiles_of_t_are_those_of_scipy():
    found = t_quantile(0.975, [1, 2, 19, 1e6])
    assert found == pytest.approx(stats.t.ppf(0.975, [1, 2, 19, 1e6]), abs=1e-9)
    assert t_quantile(0.975, 0) == np.inf


def test_holm_steps_down():
    # By hand: 5 * 0.01, 4 * 0.02, 3 * 0.03, then never smaller than the one before.
    assert holm([0.04, 0.01, 0.03, 0.05, 0.02]) == pytest.approx([0.09, 0.05, 0.09, 0.09, 0.08])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_leaves_unknown_p_values_out():
    found = holm([0.02, math.nan, 0.04])
    assert found[0] == pytest.approx(0.04)
    assert math.isnan(found[1])
    assert found[2] == pytest.approx(0.04)
