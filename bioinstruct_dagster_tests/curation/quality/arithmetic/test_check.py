"""The arithmetic rule: percentages in brackets, and texts that are meant to be slow."""

import pytest

from bioinstruct_dagster_tests.curation.quality.arithmetic.row_figures import (
    doubted_where_wrong,
    figures,
)


@pytest.mark.parametrize(
    ("task_input", "output", "right", "wrong"),
    [
        ("", "Relapse in 12 of 48 patients ({}%).", "25", "30"),
        ("", "It recurred in 9 out of 60 ({} percent).", "15.0", "12.5"),
    ],
)
def test_a_share_is_doubted_where_it_is_wrong(task_input, output, right, wrong):
    doubted_where_wrong(task_input, output, right, wrong, "percentage")


@pytest.mark.parametrize(
    "output",
    [
        "1" * 20_000,
        "1," * 10_000,
        "1 x " * 5_000 + "= 3",
        "(" * 5_000 + "1 + 1" + ")" * 5_000 + " = 3",
        "9 of " * 4_000,
        "1 / 0 = 3",
        "= " * 5_000,
        "5 mg (" * 3_000,
        "0 kg (0 lb)",
        "5'" * 5_000,
    ],
)
def test_hostile_outputs_are_checked_as_well(output):
    # A pattern with exponential backtracking would run into the time limit of the suite.
    given = "Weight 0 kg, height 0 m, 0 mg twice daily, 0 mg/kg"
    found = figures("Calculate the BMI and total.", given, output)
    assert found is None or found[1] != found[2]
