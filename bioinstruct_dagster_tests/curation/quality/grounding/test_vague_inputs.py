"""Inputs whose every word is general, and inputs with one specific word."""

import pytest

from bioinstruct_dagster_tests.curation.quality.shipped_rules import seen


@pytest.mark.parametrize(
    ("instruction", "task_input"),
    [
        ("Check for interactions between the medications.", "The patient takes many medications."),
        ("Suggest possible diagnoses from the symptoms.", "The patient has several symptoms."),
        ("Assess the risk of a stroke.", "Patient's age, blood pressure, and medical history"),
        ("Recommend a treatment for the given condition.", "A patient with a medical condition."),
        ("Identify concerns in these lab results.", "Recent lab results"),
        ("Give the meaning of the code.", "ICD-10 code"),
        ("Simplify the given sentence.", "Medical sentence"),
    ],
)
def test_an_input_of_general_words_gives_no_data(instruction, task_input):
    assert seen(instruction, task_input) in {"name", "placeholder"}


@pytest.mark.parametrize(
    ("instruction", "task_input"),
    [
        ("Check for interactions between the medications.", "The patient takes warfarin."),
        ("Suggest possible diagnoses from the symptoms.", "The patient has chest pain."),
        ("Recommend a treatment for the given condition.", "A patient with gout."),
        ("Explain the importance of vital signs.", "Vital signs"),
        ("List the normal values.", "Vital signs"),
        ("Define the term.", "Medical history"),
        ("Give the meaning of the code.", "ICD-10 code I10"),
        ("Describe the steps of the procedure for a patient's relatives.", "Biopsy"),
    ],
)
def test_a_specific_word_or_a_topic_is_an_input(instruction, task_input):
    assert seen(instruction, task_input) is None
