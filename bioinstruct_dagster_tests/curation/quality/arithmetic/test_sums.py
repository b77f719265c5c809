"""Wrong sums are found; right sums and other texts pass."""

import pytest

from bioinstruct_dagster_tests.curation.quality.arithmetic.row_figures import (
    doubted_where_wrong,
    figures,
)


@pytest.mark.parametrize(
    ("task_input", "output", "right", "wrong"),
    [
        ("", "Each dose: 12 mg/kg × 20 kg = {} mg", "240", "260"),
        ("", "(140 − 60) x 70 / (72 x 1.0) = {} mL/min", "77.8", "87.8"),
        ("", "3 x 25 + 2 x 50 = {} mg per week", "175", "185"),
        ("", "1.80² x 25 = about {}", "81", "45"),
        ("", "24/400 = {}% and so on", "6", "16"),
    ],
)
def test_a_sum_is_doubted_where_it_is_wrong(task_input, output, right, wrong):
    doubted_where_wrong(task_input, output, right, wrong, "sum")


@pytest.mark.parametrize(
    ("instruction", "task_input", "output"),
    [
        ("Describe the result.", "", "The p-value was 0.03 (95% CI 1.2 to 3.4), n = 48."),
        ("Describe the schedule.", "", "Days 1 - 5 = 500 mg daily, then 250 mg."),
        ("Give the odds.", "", "Odds 0.25/0.75 = 1:3"),
        ("Compute it.", "", "0.02 × 1,000 = 20 per 1,000; 5% × 980 = 49; 1 − 0.5⁴ = 93.75%."),
        ("Compute it.", "", "480 mcg/h ÷ 16 mcg/mL = 30 mL/h and 0.1 x 80 = 8 mcg/min = 480 mcg/h"),
    ],
)
def test_what_is_no_certain_sum_is_passed_over(instruction, task_input, output):
    assert figures(instruction, task_input, output) is None
