"""A wrong body-mass index is found; a right or uncertain one passes."""

import pytest

from bioinstruct_dagster_tests.curation.quality.arithmetic.row_figures import (
    doubted_where_wrong,
    figures,
)


@pytest.mark.parametrize(
    ("task_input", "output", "right", "wrong"),
    [
        ("Weight: 90 kg, height: 1.80 m", "BMI: {}", "27.8", "25.0"),
        ("Weight: 90 kg, height: 180 cm", "{}", "27.78", "31.25"),
        (
            "Height 5'10\", weight 200 lbs",
            "Her BMI is approximately {}.",
            "28.7",
            "24.1",
        ),
        (
            "Height: 5 feet 4 inches; weight: 140 pounds",
            "BMI = {}, normal",
            "24.0",
            "26.5",
        ),
        (
            "Weight 220 pounds (100 kg), height 6 ft (183 cm)",
            "A body mass index of {}",
            "29.9",
            "33",
        ),
    ],
)
def test_a_bmi_is_doubted_where_it_is_wrong(task_input, output, right, wrong):
    doubted_where_wrong(task_input, output, right, wrong, "body-mass index")


@pytest.mark.parametrize(
    ("instruction", "task_input", "output"),
    [
        ("Calculate the BMI.", "Weight was 90 kg, now 70 kg; height 1.75 m", "BMI: 29.4"),
    ],
)
def test_two_weights_are_passed_over(instruction, task_input, output):
    assert figures(instruction, task_input, output) is None
