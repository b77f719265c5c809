"""Tasks that need the content of a source, and tasks for which its name is enough."""

import pytest

from bioinstruct_dagster_tests.curation.quality.shipped_rules import seen


@pytest.mark.parametrize(
    ("instruction", "task_input"),
    [
        # A description in place of the report.
        ("State whether the tumor is malignant.", "A pathology report of a polyp with results."),
        ("Interpret the lab report.", "A blood test report with abnormal results"),
        ("Check for contraindications.", "Patient's allergies and current medications"),
        ("Read the handwritten prescription.", "A prescription from a doctor"),
        ("Interpret the vital signs.", "The patient's vital signs over the past 24 hours."),
        ("Explain the results of the biopsy to the patient.", "The patient had a biopsy."),
        # A list that is announced.
        ("Map each code to its disease.", "A list of ICD-10 codes"),
        ("Rank the list of foods by their sugar.", "A list of various foods"),
        ("Find interactions in the medication list.", "Medication list of an elderly patient"),
        # A guideline of which the task asks what it says.
        ("List the contraindications that the guideline gives.", "Guideline on lysis in stroke."),
        ("Summarize the recommendations of the guideline.", "2020 ESC guidelines on AF"),
        # A data set, a table, a recording, a talk, a reply.
        ("Report correlations in the data set.", "Dataset: MIMIC-III"),
        ("Describe the trend in the table.", "Table 2 of the report"),
        ("Identify the fracture in the X-ray.", "X-ray image of a wrist"),
        ("Summarize the interview.", "An interview with a midwife"),
        ("Reply to the email.", "An email from a patient about side effects"),
        ("Classify the sentiment of the reviews.", "User reviews of an inhaler"),
        # A publication by its authors or by a title in small letters.
        ("Summarize the article.", "Doe et al. (2019)"),
        ("Summarize the findings of the study.", "The effects of zinc on colds in adults"),
        ("Summarize the article.", "Zinc supplements for colds in the elderly"),
        ("Summarize the article.", "Zinc in colds: a systematic review"),
        ("Summarize the article.", "Is zinc good for a cold?"),
        ("Interpret the results of the given test.", "Test: complete blood count"),
        ("Given a research study, discuss its limitations.", "Study: Zinc for colds in adults"),
        ("Translate the set of medical codes.", "ICD-10 codes for a stay in hospital"),
    ],
)
def test_the_content_of_the_source_is_needed(instruction, task_input):
    assert seen(instruction, task_input) == "name"


@pytest.mark.parametrize(
    ("instruction", "task_input"),
    [
        ("Describe the steps to give the drug, by the given guidelines.", "Guidelines for insulin"),
        ("Explain the purpose of guidelines.", "Clinical practice guidelines"),
        ("Provide a list of foods rich in iron.", "A list of foods for a patient with anemia"),
        ("Classify each drug of the list.", "A list of drugs including aspirin and warfarin"),
        ("Explain the purpose of the test.", "Chest X-ray"),
        ("Explain the report to the patient.", "Normal chest X-ray"),
        ("Write a progress note.", "A patient who recovers from knee surgery"),
        ("Create a dialogue.", "A conversation about starting insulin"),
        ("Propose an analysis plan.", "Survey data on nurse burnout"),
        ("Suggest three research questions.", "A study on caffeine and sleep"),
        ("Generate a research question.", "The effects of zinc on colds in adults"),
        ("Identify the document.", "A document that lists the wishes of a dying patient"),
        ("Simplify the sentence.", "John sent a letter to the clinic."),
        ("Explain the role of the factor in clotting.", "Factor X"),
        ("Interpret the results of the given test.", "Test: low hemoglobin"),
        ("Interpret the results of the given test.", "Test: hemoglobin 9 g/dL"),
        ("Say how the given test is done.", "Test: complete blood count"),
        ("Answer the question about the article.", "Is zinc good for a cold?"),
        ("Summarize the case study.", "Severe headache with a stiff neck"),
        ("Extract the diagnosis from the report.", "Fracture of the distal radius with angulation"),
        ("Summarize the findings of the study.", "Zinc shortens colds in adults."),
    ],
)
def test_a_name_can_be_enough(instruction, task_input):
    assert seen(instruction, task_input) is None
