"""Wrong conversions are found; right conversions and other texts pass."""

import pytest

from bioinstruct_dagster_tests.curation.quality.arithmetic.row_figures import (
    doubted_where_wrong,
    figures,
)


@pytest.mark.parametrize(
    ("task_input", "output", "right", "wrong"),
    [
        ("", "126 mg = {} g", "0.126", "1.26"),
        ("", "2.5 g is equivalent to {} mg", "2,500", "250"),
        ("", "She weighs 70 kg ({} lb).", "154", "145"),
        ("", "Store below 25°C ({}°F).", "77", "67"),
        ("Fasting glucose", "126 mg/dL = {} mmol/L", "7.0", "5.5"),
        ("Total cholesterol 232 mg/dL", "Converted: {} mmol/L", "6.0", "12.9"),
        ("Creatinine 2.0 mg/dL", "{} µmol/L", "177", "77"),
        ("Dose: 0.5 mg", "{} mcg", "500", "50"),
        ("", "PaO2 8 kPa = {} mmHg", "60", "80"),
        ("", "It was 37 °Celsius ({} °Fahrenheit).", "98.6", "95"),
    ],
)
def test_a_conversion_is_doubted_where_wrong(task_input, output, right, wrong):
    doubted_where_wrong(task_input, output, right, wrong, "conversion")


@pytest.mark.parametrize(
    ("instruction", "task_input", "output"),
    [
        ("Describe the change.", "", "Temperature rose by 1°C (1.8°F)."),
        ("Describe the dose.", "", "Give 500 mg (10 mL) at once, or 1,000 mg (1 g daily)."),
        ("Convert the pressure.", "120/80 mmHg", "16/10.7 kPa"),
        ("Convert the value.", "Sodium 140 mmol/L", "322 mg/dL"),
    ],
)
def test_what_is_no_conversion_is_passed_over(instruction, task_input, output):
    assert figures(instruction, task_input, output) is None
