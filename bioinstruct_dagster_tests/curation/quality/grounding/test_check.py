"""Inputs without the source that the task needs, and inputs that are sufficient."""

import pytest

from bioinstruct_dagster_tests.curation.quality.shipped_rules import seen


@pytest.mark.parametrize(
    ("instruction", "task_input"),
    [
        ("Interpret the results of the blood test.", "The blood test results of patient K."),
        (
            "Given a radiology report, identify the key findings.",
            "A radiology report for a patient with suspected gout.",
        ),
        (
            "Summarize the consultation between nurse and patient.",
            "Conversation between a nurse and a patient about wound care.",
        ),
        (
            "Extract all medications from the clinical note.",
            "A clinical note about a patient with heart block",
        ),
        (
            "Interpret the patient's electrocardiogram and state the rhythm.",
            "Patient's electrocardiogram",
        ),
        (
            "Given a patient's genetic test results, interpret them.",
            "Genetic test results of a patient",
        ),
        (
            "Analyze the survey data and report trends.",
            "Survey responses from midwives about night shifts",
        ),
        ("Summarize the key points of the article.", "Article: The role of zinc in wound healing"),
        (
            "Summarize the study in one sentence.",
            'Study title: "Zinc lozenges for sore throat in adults"',
        ),
        (
            "Summarize the findings of this paper.",
            '"Zinc Lozenges for Sore Throat in Adults: A Trial"',
        ),
        (
            "Summarize the findings of this paper.",
            '"Zinc lozenges for sore throat" (Doe et al., 2016)',
        ),
        (
            "Summarize the findings of the article.",
            'Title: "Zinc and Colds: A Review", Authors: A. B. Doe, C. Roe, published in 2016.',
        ),
        (
            "Summarize the findings of the paper.",
            "A study that examined the effect of zinc on colds.",
        ),
        (
            "Based on the patient's medical records, identify risk factors.",
            "The patient's medical records are attached.",
        ),
        (
            "Explain the results to the patient.",
            "Doctor: I have received the results of the patient's biopsy.",
        ),
        ("Extract the symptoms from the transcript.", "Transcript of a telephone consultation"),
        ("Given a patient's symptoms, suggest a diagnosis.", "A list of the patient's symptoms"),
        (
            "Assess the patient and make a plan from the details.",
            "Patient details, including age, sex, medical history and current medications.",
        ),
        (
            "Given a pathology report, state whether the tumor is malignant.",
            "Pathology report of a skin lesion.",
        ),
        (
            "Identify trends in the given dataset.",
            "Dataset of hospital admissions from 2010 to 2020",
        ),
        ("Given a patient's scan, determine the findings.", "MRI scan of a patient's knee"),
        (
            "List the follow-up actions in this discharge summary.",
            "Discharge summary of patient 1234",
        ),
    ],
)
def test_an_input_that_only_names_its_source_is_ungrounded(instruction, task_input):
    assert seen(instruction, task_input) == "name"


@pytest.mark.parametrize(
    ("instruction", "task_input"),
    [
        # A topic that needs no source.
        ("Explain the purpose of this kind of medical document.", "Referral letter"),
        (
            "Describe how the given technology helps in diagnosis.",
            "Positron emission tomography (PET) scan",
        ),
        ("Explain the strengths of the given study design.", "Case-control study"),
        ("Provide a list of potential complications for a surgery.", "Liver transplant surgery"),
        ("Explain the benefits of electronic records.", "Electronic health records in hospitals"),
        ("What does the following laboratory test measure?", "Thyroid function test"),
        ("Describe the given phase of a clinical trial.", "Phase II clinical trial"),
        ("Summarize the benefits of the given treatment.", "Speech therapy after a stroke"),
        (
            "Given a set of guidelines, list the steps.",
            "Guidelines for inserting a urinary catheter",
        ),
        (
            "Summarize the key facts on the disease.",
            "Cystic Fibrosis and its Treatment in Children",
        ),
        # A short input that is the source itself.
        ("Given a patient's medical history, suggest lifestyle changes.", "Medical history: gout"),
        ("Interpret the laboratory results.", "Laboratory results: raised TSH and low free T4"),
        (
            "Given a case study, recommend treatment.",
            "Case study: 45-year-old male with gout of the left knee",
        ),
        ("Extract the symptoms from the text.", "Text: Fever, neck stiffness and photophobia"),
        ("Extract the diagnosis from the report.", "Report of gout, confirmed by crystals"),
        ("Summarize the patient's condition.", "Patient has a history of gout."),
        ("Given a patient's MRI report, explain it.", "MRI of the knee: torn meniscus"),
        ("Simplify this radiology report.", "No acute cardiopulmonary abnormality."),
        ("Explain the results of this test to the patient.", "Positive rapid strep test"),
        ("Given a medication order, compute the daily dose.", "Order: 500 mg every 8 hours"),
        (
            "Given the findings, name the diagnosis.",
            "The findings were as follows: low ferritin, low iron.",
        ),
        (
            "Summarize the results of the trial.",
            "The trial found that zinc shortened colds by one day.",
        ),
        ("Classify each drug on the list.", "Colchicine, Allopurinol, Febuxostat"),
        # A title is enough.
        ("Given the title of a paper, suggest keywords.", "Zinc Lozenges for Sore Throat: A Trial"),
        ("Classify the article by its topic.", "Article: Zinc lozenges for sore throat in adults"),
        ("Write a short article on the topic.", "Managing Gout at Home: Advice for Patients"),
    ],
)
def test_a_subject_or_a_short_but_real_input_is_grounded(instruction, task_input):
    assert seen(instruction, task_input) is None


AIM = "This study investigates the benefits of blocking interleukin-6 in gout."


@pytest.mark.parametrize(
    "instruction",
    [
        "Classify the given text by whether it is about diagnosis or treatment.",
        "Classify the article based on whether it is about diagnosis or treatment.",
        "Extract the protein mentioned in the sentence below.",
        "Simplify the following statement and passage.",
    ],
)
def test_a_sentence_on_a_study_can_be_the_text_itself(instruction):
    assert seen(instruction, AIM) is None


@pytest.mark.parametrize(
    "instruction",
    [
        "Extract the main findings from the passage.",
        "Given an article, identify who paid for it, based on what is in the article.",
        "Based on the study, state the conclusion.",
    ],
)
def test_a_sentence_on_a_study_is_no_article_with_results(instruction):
    assert seen(instruction, AIM) == "name"


def test_a_question_beside_a_name_adds_nothing():
    instruction = "Given the medical records, identify the risk factors."
    named = "Medical records of a patient with gout."
    assert seen(instruction, f"{named}\nWhich risk factors are there?") == "name"
    assert seen(instruction, f"{named}\nHe smokes and is obese.") is None


@pytest.mark.parametrize(
    "text",
    [
        "report of " * 300,
        "a-" * 3_000,
        "(" * 5_000,
        '"' * 5_000,
        "[the " + "x" * 5_000,
        "list of " * 5_000 + "results",
        "Title: " * 800,
        "." * 9_000,
    ],
)
def test_hostile_texts_are_checked_as_well(text):
    # A pattern with exponential backtracking would run into the time limit of the suite.
    assert seen("Summarize the findings of the article.", text) in {None, "name"}
    assert seen(text, "Article: " + text[:500]) in {None, "name"}
