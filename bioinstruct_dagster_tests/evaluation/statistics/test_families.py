"""Families of tests: scores without contaminated items are corrected as the full ones are."""

import pytest

from bioinstruct_dagster.evaluation.statistics.families import corrected_over_families


def row(task, p_value, items="all", metric="main"):
    return {"task": task, "metric": metric, "items": items, "p_value": p_value}


def corrected(*rows):
    found = corrected_over_families(rows, lambda row: row["metric"])
    return [each["p_holm"] for each in found]


def test_each_family_is_corrected_by_itself():
    rows = [row("medqa", 0.01), row("phee", 0.04), row("medqa", 0.01, metric="other")]
    assert corrected(*rows) == pytest.approx([0.02, 0.04, 0.01])


def test_a_score_without_contaminated_items_is_corrected_over_all_tasks():
    rows = [
        row("medqa", 0.5),
        row("phee", 0.01),
        row("bioasq", 0.04),
        row("phee", 0.02, "without_contaminated"),
    ]
    assert corrected(*rows) == pytest.approx([0.5, 0.03, 0.08, 0.06])


def test_a_score_without_a_p_value_counts_nowhere():
    assert corrected(row("medqa", None), row("phee", 0.2)) == [None, 0.2]
