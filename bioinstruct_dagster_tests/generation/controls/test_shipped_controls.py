"""The controls file in git: its dimensions, shares and signs."""

import pytest

from bioinstruct_dagster.generation.controls.file import read_controls
from bioinstruct_dagster.settings import INPUTS


def test_the_shipped_file_has_every_dimension():
    controls = read_controls(INPUTS / "controls.yaml")
    sizes = {one.id: len(one.values) for one in controls.dimensions}
    assert sizes == {
        "task_family": 19,
        "topic": 32,
        "audience": 6,
        "difficulty": 3,
        "input_length": 4,
        "form": 4,
    }
    assert len(controls.pairs) > 20


def test_the_shipped_files_shares_and_signs_are_complete():
    for one in read_controls(INPUTS / "controls.yaml").dimensions:
        assert sum(one.shares.values()) == pytest.approx(1)
        assert max(one.shares.values()) < 0.5
        assert all(one.is_measurable(value) for value in one.shares) == (one.measure != "asked")
