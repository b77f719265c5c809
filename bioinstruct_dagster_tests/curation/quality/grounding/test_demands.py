"""Tasks that point at a material which is nowhere, and tasks that need none."""

import pytest

from bioinstruct_dagster_tests.curation.quality.shipped_rules import seen


@pytest.mark.parametrize(
    "instruction",
    [
        "Propose a diet for the patient described above.",
        "Write a title for the abstract supplied.",
        "Does the second sentence follow from the first?",
        "Explain these blood gas values.",
        "Rewrite the abstract in the active voice.",
        "Replace the underlined word.",
        "List the drugs in the note.",
        "Can this patient go home?",
    ],
)
def test_a_task_whose_material_is_nowhere_is_not_grounded(instruction):
    assert seen(instruction, "") == "missing"


@pytest.mark.parametrize(
    "instruction",
    [
        "List the parts that an attached release form should include.",
        "Using the values provided (Na 138, Cl 101, HCO3 25), work out the anion gap.",
        "Explain the following term: sepsis.",
        "Name three signs of hypokalemia in the ECG.",
        "Describe the findings of pleural effusion on the chest radiograph.",
        "Which sections does a discharge summary have?",
        "Describe how to document a wound.",
        "Draw up a plan, given this clinical picture.",
    ],
)
def test_a_task_that_needs_no_material_is_grounded(instruction):
    assert seen(instruction, "") is None


def test_a_claim_alone_is_no_evidence():
    task = "Decide whether the claim is supported by the abstract."
    assert seen(task, "Claim: Honey eases cough.", "It is supported.") == "one of two"
    assert seen(task, "We gave honey to 40 children; cough fell.", "It is supported.") is None


def test_a_question_without_its_options_is_incomplete():
    task = "Select the best answer."
    assert seen(task, "A question about the kidney", "B") == "question"
    assert seen(task, "Which is a vitamin? A) zinc B) thiamine", "B") is None
