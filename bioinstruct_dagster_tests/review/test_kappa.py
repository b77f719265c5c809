"""Kappa's interval, beside that of statsmodels."""

import pytest

from bioinstruct_dagster.review.kappa import kappa_with_interval

# statsmodels 0.15, stats.inter_rater.cohens_kappa of this table: 0.57926 [0.42654, 0.73198].
TABLE = [[20, 5, 2], [3, 30, 6], [1, 4, 9]]


def test_the_interval_is_that_of_statsmodels():
    pairs = [
        (str(i), str(j)) for i, row in enumerate(TABLE) for j, n in enumerate(row) for _ in range(n)
    ]
    found = kappa_with_interval(pairs)
    assert found.rows == 80
    assert (found.value, found.low, found.high) == pytest.approx(
        (0.5792637114951165, 0.42654345494852497, 0.731983968041708), abs=1e-12
    )


def test_full_agreement_has_no_interval_and_one_label_no_kappa():
    found = kappa_with_interval([("a", "a"), ("b", "b")])
    assert (found.value, found.low, found.high) == (1.0, None, None)
    assert kappa_with_interval([("a", "a"), ("a", "a")]) is None
    assert kappa_with_interval([]) is None
