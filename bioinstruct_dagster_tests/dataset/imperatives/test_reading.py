"""Root verb and object of instructions in the forms that they take."""

import pytest

from bioinstruct_dagster.dataset.imperatives.reading import Imperative, read_imperative

CASES = {
    # Imperatives.
    "Summarize the note.": ("summarize", "note"),
    "Please explain the mechanism of metformin to a student.": ("explain", "mechanism"),
    "Briefly describe two contraindications.": ("describe", "contraindication"),
    "List potential side effects of warfarin.": ("list", "effect"),
    "Name the nerve that innervates the deltoid.": ("name", "nerve"),
    "1. Write a discharge letter.": ("write", "letter"),
    "Summarise the WHO guidelines.": ("summarize", "guideline"),
    "Recast the sentence as a question.": ("recast", "sentence"),
    "Give me a list of vaccines.": ("give", "list"),
    "Explain in simple terms the difference between both drugs.": ("explain", "difference"),
    "Identifying patterns in laboratory data.": ("identify", "pattern"),
    # A setting first.
    "Given a patient's history, identify the likely diagnosis.": ("identify", "diagnosis"),
    "Given a list of test results, list abnormal values.": ("list", "value"),
    "Given age, weight, and the prescribed drug, calculate the dose.": ("calculate", "dose"),
    "Given the history identify the most likely diagnoses.": ("identify", "diagnosis"),
    "Based on the ECG, suggest a next step.": ("suggest", "step"),
    "Using the table, calculate the patient's creatinine clearance.": ("calculate", "clearance"),
    "In the context of sepsis, describe the role of lactate.": ("describe", "role"),
    "From the abstract, extract the inclusion and exclusion criteria.": ("extract", "criterion"),
    "When given a symptom, name a disease that causes it.": ("name", "disease"),
    "If the dose is too high, propose a safer dose.": ("propose", "dose"),
    "To help a nurse, write a checklist.": ("write", "checklist"),
    "You are a pharmacist. Review the prescription for errors.": ("review", "prescription"),
    "Imagine a clinic without power, and design a triage plan.": ("design", "plan"),
    "The patient has a fever. Recommend an antibiotic.": ("recommend", "antibiotic"),
    "Read this case: a man has a cough. State the diagnosis.": ("read", "case"),
    # Joined verbs: the first counts, and they share the object.
    "Read the note and list the drugs.": ("read", "note"),
    "Identify and classify the adverse events.": ("identify", "event"),
    "Validate, refute or refine the hypothesis.": ("validate", "hypothesis"),
    # Other ways to ask.
    "Your task is to identify the bacteria.": ("identify", "bacterium"),
    "You are asked to compare both treatments.": ("compare", "treatment"),
    "Could you please explain the result?": ("explain", "result"),
    "The side effects of this drug should be listed.": ("list", "effect"),
    "For each symptom, a possible cause must be given.": ("give", "cause"),
    "Imagine you are going home. Write three questions.": ("write", "question"),
    "Imagine a ward.": ("imagine", "ward"),
    "It is your task to find the error.": ("find", "error"),
    "In two sentences summarize what was found.": ("summarize", ""),
    # Questions, and statements.
    "A friend insists that it can itself give people influenza.": ("", ""),
    "Does the chart entail it? Reply with one label.": ("reply", ""),
    "What is the first-line treatment of gout?": ("", ""),
    "Is the patient at risk?": ("", ""),
    "Given these results, which test comes next?": ("", ""),
    "": ("", ""),
    # Objects that are clauses or pronouns, and verbs with a preposition.
    "Determine whether the scan is normal.": ("determine", ""),
    "Explain how insulin lowers glucose.": ("explain", ""),
    "Decide if a biopsy is needed.": ("decide", ""),
    "Identify which drugs interact.": ("identify", ""),
    "Given a term, define it.": ("define", ""),
    "Comment on the safety of the drug.": ("comment", ""),
    # The head of a noun phrase.
    "Provide a clear, concise summary.": ("provide", "summary"),
    "Provide a brief but informative answer.": ("provide", "answer"),
    "Extract the main conclusion from the abstract.": ("extract", "conclusion"),
    "Identify the risk factors and comorbidities.": ("identify", "factor"),
    "Identify the type and severity of the burn.": ("identify", "type"),
    "Summarize the text provided.": ("summarize", "text"),
    "Summarize the provided text.": ("summarize", "text"),
    "Identify the drug being described.": ("identify", "drug"),
    "Write a paragraph explaining the ritual.": ("write", "paragraph"),
    "Name the specialist most appropriate for this.": ("name", "specialist"),
    "Identify factors contributing to falls.": ("identify", "factor"),
    "Identify foods high in iron.": ("identify", "food"),
    "Help the patient understand the plan.": ("help", "patient"),
    "Define the term 'tachycardia' in one sentence.": ("define", "term"),
    "Calculate the body mass index (BMI) of the patient.": ("calculate", "index"),
    "Compare type 1 and type 2 diabetes.": ("compare", "diabetes"),
    "Suggest a suitable over-the-counter (OTC) antihistamine.": ("suggest", "antihistamine"),
    "Interpret the patients' blood pressure readings.": ("interpret", "reading"),
    "Identify the top five treatment options.": ("identify", "option"),
    "Pull every abnormal value out of this note.": ("pull", "value"),
    "Name the organism hidden behind [MASK].": ("name", "organism"),
    "List the genes named below with their disorders.": ("list", "gene"),
    "List all vertebrae and their nerves.": ("list", "vertebra"),
    "List the indications/contraindications of aspirin.": ("list", "indication"),
}


@pytest.mark.parametrize("instruction", CASES)
def test_an_instruction_is_read(instruction):
    assert read_imperative(instruction) == Imperative(*CASES[instruction])


def test_reading_is_the_same_without_the_final_stop_and_in_capitals():
    for instruction, expected in CASES.items():
        if not instruction.endswith("."):
            continue
        assert read_imperative(instruction.rstrip(".")) == Imperative(*expected)
        # In capitals, WHO could be the pronoun.
        if "WHO" not in instruction:
            assert read_imperative(f'  "{instruction}"  ').verb == expected[0]
