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


@pytest.mark.parametrize(
    "instruction",
    [
        "Answer the questions about the passage on diabetes.",
        "Summarize what the passage says on sleep.",
        "Tag every word of the sentence with its part of speech.",
        "Translate the provided instructions for use into Italian.",
        "Given two case reports, decide which patient should have surgery first.",
    ],
)
def test_a_passage_that_is_nowhere_is_missing(instruction):
    assert seen(instruction, "") == "missing"


@pytest.mark.parametrize(
    "instruction",
    [
        "Describe how the passage of stool is regulated.",
        "Explain the change of blood gases during the passage through the lung.",
        "A peak flow of 60 % predicted is noted in the chart. What does it suggest?",
        "Mean pressure is reported after catheterization. What does it tell?",
    ],
)
def test_a_statement_in_the_instruction_is_material(instruction):
    assert seen(instruction, "") is None


def test_facts_that_stand_in_a_record_are_not_known_from_a_person():
    person, output = "A man with heart failure", "Furosemide 40 mg and bisoprolol 5 mg"
    assert seen("Give the doses stated in the chart.", person, output) == "name"
    timeline = "2015: lumpectomy; 2018: recurrence"
    assert seen("Draw up a timeline of the record.", "A woman with cancer", timeline) == "name"


@pytest.mark.parametrize(
    ("instruction", "text"),
    [
        ("Given an operation, list its complications.", "Appendectomy"),
        ("Given a screening test, state its benefits and harms.", "Mammography"),
        ("What are the drawbacks of the named imaging method?", "PET scan"),
        ("Given the name of a trial, state what it showed.", "SPRINT trial"),
        ("Given the name of a medical form, describe its purpose.", "DNR order"),
    ],
)
def test_the_name_is_enough_for_what_is_known_of_a_thing(instruction, text):
    assert seen(instruction, text) is None


@pytest.mark.parametrize(
    ("instruction", "text"),
    [
        ("Translate the title into plain language.", "Title: Efficacy of Statins after Stroke"),
        ("Shorten the title of the paper.", "Title: Early Walking after Hip Replacement"),
        ("State the DOI of the link.", "https://doi.org/10.1000/182"),
    ],
)
def test_a_title_or_a_link_is_enough_if_the_task_is_about_it(instruction, text):
    assert seen(instruction, text) is None


@pytest.mark.parametrize(
    ("instruction", "text"),
    [
        ("Answer with a suitable study design.", "Is vaping linked to asthma in teenagers?"),
        (
            "Name the confounders that should be measured in the described study.",
            "A cohort study of coffee and heart disease",
        ),
        (
            "Plan the sample collection for the study described.",
            "A study of gut bacteria in infants",
        ),
        ("State the outcome measures that would suit the trial.", "A trial of a new inhaler"),
        ("Suggest an outcome for the planned study.", "Study of mindfulness in medical students"),
        ("Estimate how many centers such a trial needs.", "A trial of two rare cancer drugs"),
        ("Suggest how to illustrate the data described.", "Weekly counts of flu cases by region"),
        ("Suggest a fitting diagram for the data.", "Blood groups of 200 donors"),
        ("Write interview questions for the talk.", "Conversation with teenagers about vaping"),
    ],
)
def test_a_study_that_is_planned_has_no_results_yet(instruction, text):
    assert seen(instruction, text) is None


@pytest.mark.parametrize(
    ("instruction", "text"),
    [
        ("Summarize the findings of the article behind the link.", "https://doi.org/10.1000/182"),
        ("Summarize the article.", "Title: Efficacy of Statins after Stroke"),
        ("State the results of the study.", "A cohort study of coffee and heart disease"),
        ("Given an ECG, describe its abnormalities.", "ECG of a man with chest pain"),
        ("Given a report, list its findings.", "A radiology report of a woman with cough"),
    ],
)
def test_what_a_name_does_not_tell_is_needed(instruction, text):
    assert seen(instruction, text) is not None
