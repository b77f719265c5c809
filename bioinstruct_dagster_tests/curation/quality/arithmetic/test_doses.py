"""Wrong totals and wrong doses by weight are found; right and uncertain doses pass."""

import pytest

from bioinstruct_dagster_tests.curation.quality.arithmetic.row_figures import (
    doubted_where_wrong,
    figures,
)


@pytest.mark.parametrize(
    ("task_input", "output", "right", "wrong", "check"),
    [
        ("Naproxen 250 mg twice daily", "{} mg per day", "500", "400", "total dose in mg"),
        (
            "Naproxen 250 mg, twice a day",
            "{} mg of naproxen per week",
            "3,500",
            "1,750",
            "total dose in mg",
        ),
        ("Take 25 mg of captopril every 8 hours.", "{} mg/day", "75", "50", "total dose in mg"),
        (
            "Levodopa 100 mg three times daily",
            "The total is {} mg a day.",
            "300",
            "400",
            "total dose in mg",
        ),
        (
            "Captopril 25 mg twice daily; naproxen 250 mg 2 times a day.",
            "50 mg of captopril and {} mg of naproxen per day",
            "500",
            "250",
            "total dose in mg",
        ),
        (
            "Insulin glargine 10 units twice daily",
            "{} units per day",
            "20",
            "10",
            "total dose in mg",
        ),
        ("Naproxen 250 mg one times daily", "{} mg per day", "250", "500", "total dose in mg"),
        # A dose by weight
        ("Weight 20 kg. Dose: 15 mg/kg.", "{} mg", "300", "450", "dose by weight in mg"),
        (
            "The child weighs 44 lb and needs 10 mg/kg.",
            "About {} mg.",
            "200",
            "440",
            "dose by weight in mg",
        ),
    ],
)
def test_a_dose_is_doubted_where_it_is_wrong(task_input, output, right, wrong, check):
    doubted_where_wrong(task_input, output, right, wrong, check)


@pytest.mark.parametrize(
    ("instruction", "task_input", "output"),
    [
        ("Calculate the daily dose.", "Naproxen 250 mg twice daily as needed", "250 mg per day"),
        ("Calculate the daily dose.", "Naproxen 250-500 mg twice daily", "750 mg per day"),
        ("Calculate the dose.", "20 kg; 30 mg/kg/day divided into three doses", "200 mg each"),
        ("Calculate the dose.", "20 kg; 30 mg/kg, maximum 400 mg", "400 mg"),
        # A changed prescription is no wrong total.
        ("Suggest a change.", "Naproxen 250 mg twice daily", "Reduce to 250 mg per day."),
    ],
)
def test_an_uncertain_regimen_is_passed_over(instruction, task_input, output):
    assert figures(instruction, task_input, output) is None
