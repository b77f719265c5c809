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
