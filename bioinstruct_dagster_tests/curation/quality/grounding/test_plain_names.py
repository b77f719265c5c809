"""Inputs in the plainest forms of a name, each beside an input that is enough for its task."""

import pytest

from bioinstruct_dagster_tests.curation.quality.shipped_rules import first_reject, rejects, seen


@pytest.mark.parametrize(
    ("instruction", "task_input"),
    [
        ("Interpret the spirometry.", "Spirometry of a smoker with chronic cough"),
        ("What does the EEG show?", "EEG recording of a child with absences"),
        ("Which abnormalities are present?", "Blood smear of a woman with fatigue"),
        ("Determine the mode of inheritance.", "A pedigree of three generations"),
        ("Calculate the average reading.", "Glucose readings over two days"),
        ("List the abnormal values in the report.", "Laboratory report dated 9 May"),
        ("Describe the change between the scans.", "Two CT scans taken a year apart"),
        ("Interpret the laboratory findings.", "Please review the patient's latest blood count."),
        ("State the dose in the prescription.", "Prescription for warfarin"),
        ("List the limitations of the study.", "A randomized trial of vitamin D in older women"),
        ("Identify the proteins mentioned.", "An abstract from a biochemistry journal"),
        ("Rank the following antibiotics by spectrum.", "Four antibiotics"),
        ("Order the following steps by time.", "Steps of hand washing"),
        ("Group these diseases by organ.", "A list of six diseases"),
        ("Estimate the patient's cardiovascular risk.", "Age, sex, smoking status and cholesterol"),
        ("Calculate the score for pneumonia.", "Patient with pneumonia and comorbidities"),
        ("Reply to the patient's message.", "Patient message about a rash"),
        ("Interpret the test results.", "Test: Ferritin\nResult:"),
        ("Interpret the given lab results.", "Lab results: blood count and lipid panel"),
        ("Identify the stage from the report.", "Pathology report: Breast cancer biopsy"),
        ("Summarize the patient's history.", "45-year-old man with a complex medical history"),
        ("Given a prescription, identify errors.", "Prescription for a patient with gout"),
        ("Describe the findings in the photo.", "Fundus photograph, left eye, 50-year-old woman"),
    ],
)
def test_a_plain_name_is_no_source(instruction, task_input):
    assert seen(instruction, task_input, "It is so.") == "name"


@pytest.mark.parametrize(
    ("instruction", "task_input"),
    [
        ("Explain what the test measures.", "Echocardiogram"),
        ("What is the CPT code?", "ECG with interpretation and report"),
        ("Identify the imaging modality.", "CT scan of the abdomen"),
        ("Determine whether the test is needed.", "MRI of the knee for a patient with mild pain"),
        ("Interpret the ECG of the patient.", "Sinus rhythm, rate 72, no ST changes"),
        ("Classify the study design.", "A cohort study of coffee and stroke"),
        ("Suggest a title for the study.", "A trial of zinc for the common cold"),
        ("Rank these drugs by half-life.", "Diazepam, midazolam, lorazepam"),
        ("List the steps in order.", "Steps of hand washing"),
        ("Compare the two drug classes.", "ACE inhibitors and ARBs"),
        ("Group the symptoms by organ.", "Two seizures; three falls"),
        ("Determine which of these are modifiable.", "Age, smoking, diet, sex"),
        ("Identify the drug in the prescription.", "Prescription for warfarin"),
        ("Extract the procedure from the line.", "Lumbar puncture in a child"),
        ("Determine the side of the body.", "X-ray of the left knee"),
        ("Interpret the test results.", "Test: Ferritin\nResult: low"),
        ("Interpret the lab results.", "Lab results: low blood count and high urea"),
        ("Determine the risk of the patient.", "A patient with a family history of breast cancer"),
        ("List normal ranges for each.", "Vital signs: blood pressure, heart rate, temperature"),
        ("Score the skin from this note.", "Skin thin like tissue paper over both shins."),
        ("Describe the nail from this note.", "Nail rough like a page of a book, pitted"),
    ],
)
def test_a_plain_name_may_be_enough(instruction, task_input):
    assert seen(instruction, task_input, "It is so.") is None


def test_a_finding_after_with_is_content_if_the_answer_repeats_it():
    task = ("Interpret the findings.", "X-ray of the wrist with a fracture of the scaphoid")
    assert seen(*task, "The scaphoid fracture needs a cast.") is None
    assert seen("What does the ECG show?", "ECG of a man with chest pain", "ST elevation") == "name"


@pytest.mark.parametrize(
    "task_input",
    ["ICD-10 codes: XXX, YYY, ZZZ", "Options A, B, C and D", "Statement A and statement B"],
)
def test_letters_stand_for_what_is_missing(task_input):
    assert seen("State which of the given ones is right.", task_input) == "placeholder"


@pytest.mark.parametrize("task_input", ["Vitamins A, B, C and D", "Hepatitis A, B and C"])
def test_letters_of_a_proper_name_do_not(task_input):
    assert seen("Classify the given ones.", task_input) is None


@pytest.mark.parametrize(
    ("task_input", "output"),
    [
        (
            "We randomised 90 adults to drug A or placebo and measured pain at six weeks.",
            "Pain fell by 2.1 points more with drug A (p=0.01).",
        ),
        (
            "Investigators recruited 80 adults and compared two programs for weight loss.",
            "The diet shows promise for weight loss.",
        ),
        (
            "Summary: This trial evaluated a new drug in adults.\nEndpoint: Reduction in pain",
            "Pain was significantly lower.",
        ),
    ],
)
def test_a_design_gives_no_results(task_input, output):
    rules = rejects("Summarize the result of the clinical trial.", task_input, output)
    assert "results_not_given" in rules


def test_a_design_with_its_result_is_whole():
    task_input = "We randomised 90 children to honey or placebo; cough fell by a third with honey."
    assert (
        first_reject("Summarize the result of the trial.", task_input, "Cough fell by a third.")
        is None
    )
