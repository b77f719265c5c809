"""Calculations without a figure, and amounts that depend on what is not told."""

import pytest

from bioinstruct_dagster_tests.curation.quality.shipped_rules import seen


@pytest.mark.parametrize(
    ("instruction", "task_input", "output"),
    [
        ("Calculate the dose for the child.", "A child needs a drug.", "It is 250 mg."),
        ("How much fluid should he drink?", "A man with gout", "It depends on his weight."),
    ],
)
def test_a_calculation_needs_a_figure(instruction, task_input, output):
    assert seen(instruction, task_input, output) is not None


@pytest.mark.parametrize(
    ("instruction", "task_input", "output"),
    [
        ("Calculate the dose.", "Child of 18 kg, 10 mg/kg", "180 mg"),
        ("Calculate the probability that a child is ill.", "Both parents are carriers", "25%"),
        ("How much water should he drink?", "A healthy man", "About 2 liters each day."),
        ("Explain why these two drugs interact.", "She takes warfarin and aspirin.", "Bleeding"),
    ],
)
def test_a_figure_or_a_name_is_enough(instruction, task_input, output):
    assert seen(instruction, task_input, output) is None


def test_an_age_is_no_figure_for_a_body_surface():
    instruction = "Calculate the body surface area."
    assert seen(instruction, "Height and weight of a 9-year-old girl", "1.07 m2") == "name"
    assert seen(instruction, "A 9-year-old girl of 130 cm and 28 kg", "1.01 m2") is None


def test_patients_who_are_only_counted_cannot_be_put_into_an_order():
    instruction, output = "Prioritize these patients.", "1. Chest pain 2. Stroke 3. Cold"
    assert seen(instruction, "Four patients waiting in the triage area.", output) == "name"
    told = "Three patients: one with chest pain, one with stroke, one with a cold"
    assert seen(instruction, told, output) is None


def test_blood_that_was_checked_is_no_result():
    instruction = "Interpret the thyroid tests."
    output = "TSH is low and T4 is high, so he has hyperthyroidism."
    assert seen(instruction, "A 50-year-old man had TSH and free T4 checked.", output) == "name"
    assert seen(instruction, "A 50-year-old man had TSH checked; it is low.", output) is None


def test_a_disease_that_has_returned_is_no_result_without_a_value():
    instruction = "Given a talk with a patient, describe the approach."
    assert seen(instruction, "Telling a man that his cancer has returned", "Be calm.") is None
