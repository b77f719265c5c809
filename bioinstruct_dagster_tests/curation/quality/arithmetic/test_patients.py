"""Figures recomputed from the row: wrong ones are shown with both numbers, right ones pass."""

import pytest

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.gate import shipped_gate

RULE = "wrong_arithmetic"


def figures(instruction, task_input, output):
    """(check, stated, computed), or None."""
    (result,) = shipped_gate().check([RowTexts(instruction, task_input, output)])
    found = [finding for finding in result.findings if finding.rule == RULE]
    if not found:
        return None
    evidence = found[0].evidence
    assert found[0].verdict == "flag"
    assert evidence["saw"]
    return evidence["check"], evidence["stated"], evidence["computed"]


RIGHT_AND_WRONG = [
    # Doses a day and a week
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
    ("Insulin glargine 10 units twice daily", "{} units per day", "20", "10", "total dose in mg"),
    # A dose by weight
    ("Weight 20 kg. Dose: 15 mg/kg.", "{} mg", "300", "450", "dose by weight in mg"),
    (
        "The child weighs 44 lb and needs 10 mg/kg.",
        "About {} mg.",
        "200",
        "440",
        "dose by weight in mg",
    ),
    # Body-mass index
    ("Weight: 90 kg, height: 1.80 m", "BMI: {}", "27.8", "25.0", "body-mass index"),
    ("Weight: 90 kg, height: 180 cm", "{}", "27.78", "31.25", "body-mass index"),
    (
        "Height 5'10\", weight 200 lbs",
        "Her BMI is approximately {}.",
        "28.7",
        "24.1",
        "body-mass index",
    ),
    (
        "Height: 5 feet 4 inches; weight: 140 pounds",
        "BMI = {}, normal",
        "24.0",
        "26.5",
        "body-mass index",
    ),
    (
        "Weight 220 pounds (100 kg), height 6 ft (183 cm)",
        "A body mass index of {}",
        "29.9",
        "33",
        "body-mass index",
    ),
    # Shares
    ("", "Relapse in 12 of 48 patients ({}%).", "25", "30", "percentage"),
    ("", "It recurred in 9 out of 60 ({} percent).", "15.0", "12.5", "percentage"),
    # Written sums
    ("", "Each dose: 12 mg/kg × 20 kg = {} mg", "240", "260", "sum"),
    ("", "(140 − 60) x 70 / (72 x 1.0) = {} mL/min", "77.8", "87.8", "sum"),
    ("", "3 x 25 + 2 x 50 = {} mg per week", "175", "185", "sum"),
    ("", "1.80² x 25 = about {}", "81", "45", "sum"),
    ("", "24/400 = {}% and so on", "6", "16", "sum"),
    # Conversions
    ("", "126 mg = {} g", "0.126", "1.26", "conversion"),
    ("", "2.5 g is equivalent to {} mg", "2,500", "250", "conversion"),
    ("", "She weighs 70 kg ({} lb).", "154", "145", "conversion"),
    ("", "Store below 25°C ({}°F).", "77", "67", "conversion"),
    ("Fasting glucose", "126 mg/dL = {} mmol/L", "7.0", "5.5", "conversion"),
    ("Total cholesterol 232 mg/dL", "Converted: {} mmol/L", "6.0", "12.9", "conversion"),
    ("Creatinine 2.0 mg/dL", "{} µmol/L", "177", "77", "conversion"),
    ("Dose: 0.5 mg", "{} mcg", "500", "50", "conversion"),
    ("", "PaO2 8 kPa = {} mmHg", "60", "80", "conversion"),
]


@pytest.mark.parametrize(("task_input", "output", "right", "wrong", "check"), RIGHT_AND_WRONG)
def test_a_figure_is_doubted_exactly_where_it_is_wrong(task_input, output, right, wrong, check):
    instruction = "Calculate or convert the figures, such as the body mass index or total dose."
    assert figures(instruction, task_input, output.format(right)) is None
    found = figures(instruction, task_input, output.format(wrong))
    stated, computed = (float(text.replace(",", "")) for text in (wrong, right))
    assert found == (check, stated, pytest.approx(computed, rel=0.02))


@pytest.mark.parametrize(
    ("instruction", "task_input", "output"),
    [
        # Two weights, a range, an open end: not certain.
        ("Calculate the BMI.", "Weight was 90 kg, now 70 kg; height 1.75 m", "BMI: 29.4"),
        ("Calculate the daily dose.", "Naproxen 250 mg twice daily as needed", "250 mg per day"),
        ("Calculate the daily dose.", "Naproxen 250-500 mg twice daily", "750 mg per day"),
        ("Calculate the dose.", "20 kg; 30 mg/kg/day divided into three doses", "200 mg each"),
        ("Calculate the dose.", "20 kg; 30 mg/kg, maximum 400 mg", "400 mg"),
        # A changed prescription is no wrong sum.
        ("Suggest a change.", "Naproxen 250 mg twice daily", "Reduce to 250 mg per day."),
        # No sums at all
        ("Describe the result.", "", "The p-value was 0.03 (95% CI 1.2 to 3.4), n = 48."),
        ("Describe the schedule.", "", "Days 1 - 5 = 500 mg daily, then 250 mg."),
        ("Give the odds.", "", "Odds 0.25/0.75 = 1:3"),
        ("Describe the change.", "", "Temperature rose by 1°C (1.8°F)."),
        ("Describe the dose.", "", "Give 500 mg (10 mL) at once, or 1,000 mg (1 g daily)."),
        ("Convert the pressure.", "120/80 mmHg", "16/10.7 kPa"),
        ("Convert the value.", "Sodium 140 mmol/L", "322 mg/dL"),
        ("Compute it.", "", "0.02 × 1,000 = 20 per 1,000; 5% × 980 = 49; 1 − 0.5⁴ = 93.75%."),
        ("Compute it.", "", "480 mcg/h ÷ 16 mcg/mL = 30 mL/h and 0.1 x 80 = 8 mcg/min = 480 mcg/h"),
    ],
)
def test_what_can_be_read_in_two_ways_is_passed_over(instruction, task_input, output):
    assert figures(instruction, task_input, output) is None


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
    # An expression gone wild would run into the suite's time limit.
    given = "Weight 0 kg, height 0 m, 0 mg twice daily, 0 mg/kg"
    found = figures("Calculate the BMI and total.", given, output)
    assert found is None or found[1] != found[2]
