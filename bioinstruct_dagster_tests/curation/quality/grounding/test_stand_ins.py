"""Links, placeholders and echoes, and inputs that hold a text."""

import pytest

from bioinstruct_dagster_tests.curation.quality.shipped_rules import seen


@pytest.mark.parametrize(
    ("instruction", "task_input"),
    [
        ("Summarize the linked article.", "https://journal.example/articles/12"),
        ("Summarize the linked article.", "Link to the paper: <www.journal.example/a1>"),
        ("Summarize the main points of the paper.", "doi:10.1000/j.example.2020.15"),
        ("Summarize the main points of the paper.", "PMID: 12345678"),
        ("Summarize the trial's results.", "Clinical trial NCT01234567"),
        ("Extract the adverse events from the report.", "report_of_may.pdf"),
    ],
)
def test_a_bare_link_is_no_input(instruction, task_input):
    assert seen(instruction, task_input) == "link"


@pytest.mark.parametrize(
    "task_input",
    [
        "Leaflet (https://pharmacy.example/a): take two tablets daily.",
        "Allele: [A]. Genotype: [AA].",
        "Drug: methotrexate 2.5 mg",
        "The patient was seen at clinic.example and sent home with a cast.",
    ],
)
def test_a_link_within_a_text_is_a_text(task_input):
    assert seen("Summarize the leaflet or note.", task_input) is None


@pytest.mark.parametrize(
    ("instruction", "task_input"),
    [
        ("Summarize the abstract below.", "[Insert abstract here]"),
        ("Determine whether the premise entails the hypothesis.", "Premise: XXX. Hypothesis: YYY."),
        ("Calculate the dose for the patient.", "Age: [age]; weight: [weight]"),
        ("Interpret the report.", "<paste the pathology report>"),
        ("Summarize the passage.", "See the attached document."),
        ("Summarize the passage.", "The given passage"),
        ("Translate the code into words.", "@CODE$"),
        ("Translate the code into words.", "ICD-10 code: @CODE$"),
        ("Extract all diagnoses from the report.", "{report}"),
        ("Summarize the note.", "<text>"),
        ("Summarize the note.", "Text to be provided"),
        ("Extract the drug names from the sentence.", "XXX"),
        ("Explain how the drug works.", "Drug: XYZ"),
        ("Simplify the paragraph.", "Lorem ipsum dolor sit amet."),
        ("Summarize the patient's record.", "Patient ID: 48213"),
        ("Suggest a diagnosis.", "Patient: [name]\nAge: [age]\nSymptoms: [list of symptoms]"),
        ("Check for interactions.", "The patient takes [list of medications]."),
        ("Check for interactions.", "Drug X, Drug Y, and Drug Z"),
        ("Check for interactions.", "A man with gout takes drug X and drug Y."),
        ("Suggest a diagnosis.", "45-year-old man. Symptoms: [list of symptoms]"),
        ("Give the diagnosis.", "Diagnosis code: @CODE1$, procedure code: @CODE2$"),
    ],
)
def test_a_place_for_a_text_is_no_text(instruction, task_input):
    assert seen(instruction, task_input) == "placeholder"


@pytest.mark.parametrize(
    "task_input",
    [
        "Mutations of @GENE$ cause @DISEASE$ in children.",
        "Insulin is made in the [MASK] cells of the pancreas.",
        "Dear [Name], your next visit is on Monday.",
        "The following angle is associated with a fracture",
        "[aspirin, codeine, insulin]",
        "Disease A kills 10 of 100, disease B kills 20.",
        "Hepatitis A and B",
        "Protein C",
    ],
)
def test_a_mark_within_a_text_is_a_text(task_input):
    assert seen("Summarize the sentence.", task_input) is None


@pytest.mark.parametrize(
    ("instruction", "task_input"),
    [
        ("Name the side effects of the given drug.", "A drug."),
        ("Given a medical term, explain it to a child.", "Term"),
        ("Suggest a plan for a patient with a certain disease.", "A patient with a disease"),
        (
            "List the dressings that a specific skin procedure may need.",
            "A skin procedure requiring dressings.",
        ),
        ("Describe the following treatment in plain words.", "Some treatment"),
    ],
)
def test_any_thing_of_the_kind_asked_about_is_no_thing(instruction, task_input):
    assert seen(instruction, task_input) == "placeholder"


@pytest.mark.parametrize(
    ("instruction", "task_input"),
    [
        ("Name the side effects of the given drug.", "A beta blocker drug"),
        ("Describe the given heart disease and other heart diseases.", "Heart disease"),
        ("Describe the given word: drug.", "Drug"),
        ("Explain to a child what a drug is.", "A drug"),
        ("Name the tests for the given disease.", "A disease of the thyroid"),
    ],
)
def test_a_specific_kind_or_a_wanted_one_is_no_echo(instruction, task_input):
    assert seen(instruction, task_input) is None


@pytest.mark.parametrize(
    "text", ["[text goes here]", "Note: (note goes here)", "Chart sent separately.", "Story: XXXXX"]
)
def test_a_text_that_is_elsewhere_is_a_placeholder(text):
    assert seen("Summarize the text.", text) is not None
