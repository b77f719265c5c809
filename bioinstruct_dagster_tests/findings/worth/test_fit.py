"""The fit of outputs: near 1 for sound rows, near 0.5 for shuffled ones, in any order."""

import random

import pytest

from bioinstruct_dagster.findings.worth import fit as module
from bioinstruct_dagster.findings.worth.fit import compared_fits


@pytest.fixture
def halves(dataset_rows):
    """60 recorded rows in two halves."""
    return dataset_rows[::2], dataset_rows[1::2]


def shuffled(rows):
    outputs = [row["output"] for row in rows]
    random.Random(3).shuffle(outputs)
    return [{**row, "output": output} for row, output in zip(rows, outputs, strict=True)]


def test_outputs_of_other_rows_are_noticed(halves):
    before, added = halves
    found = compared_fits(before, shuffled(added), 42)
    assert found.is_worse
    assert found.before > 0.85
    assert found.added == pytest.approx(0.5, abs=0.15)
    assert found.ci_low < found.difference < found.ci_high < -0.1


def test_sound_rows_are_as_good_as_those_before(halves):
    before, added = halves
    found = compared_fits(before, added, 42)
    assert not found.is_worse
    assert found.ci_low < 0.1
    assert found.rows == len(added)


def test_the_order_of_rows_does_not_count(halves):
    before, added = halves
    found = compared_fits(before[::-1], added[::-1], 42)
    assert found == compared_fits(before, added, 42)


def test_equal_outputs_fit_by_chance(halves):
    before, added = halves
    same = [{**row, "output": "zzz"} for row in added]
    assert compared_fits(before, same, 42).added == pytest.approx(0.5)


def test_large_groups_are_drawn(halves, monkeypatch):
    monkeypatch.setattr(module, "MOST_ROWS", 10)
    assert compared_fits(*halves, 42).rows == 10
