"""Rows of which a part is missing: the text, the passage, or the second of two things."""

import pytest

from bioinstruct_dagster_tests.curation.quality.shipped_rules import seen


@pytest.mark.parametrize(
    "instruction",
    [
        "Summarize the following nursing note in two sentences.",
        "Extract the drug names from the letter below.",
        "Interpret the attached laboratory report.",
        "Given a radiology report, name the affected side.",
        "Simplify this abstract.",
        "Summarize {report} in one sentence.",
        "Explain the code @CODE$.",
    ],
)
def test_an_announced_text_must_be_there(instruction):
    assert seen(instruction, "") == "missing"


@pytest.mark.parametrize(
    "instruction",
    [
        "Summarize the life cycle of the malaria parasite.",
        "Which of the following statements on statins is true?",
        'Summarize this text: "Aspirin inhibits platelets and is used after a stroke."',
        "Rewrite the following sentence: The patient denies pain.",
        "Write a note on the following topic.",
        "Given the importance of medical records, say how long they are kept.",
        "Explain how to read a radiology report.",
    ],
)
def test_a_task_without_input_can_be_whole(instruction):
    assert seen(instruction, "") is None


@pytest.mark.parametrize(
    ("instruction", "task_input", "form"),
    [
        (
            "Given a passage and a question, answer the question from the passage.",
            "What causes iron deficiency?",
            "question",
        ),
        (
            "Answer the question using the information in the abstract.",
            "Question: Does zinc shorten colds?",
            "question",
        ),
        ("Answer the question.", "What causes iron deficiency?", None),
        ("Answer the medical question from current evidence.", "Does zinc work?", None),
        (
            "Given a passage and a question, answer the question from the passage.",
            "Iron deficiency follows blood loss. What causes iron deficiency?",
            None,
        ),
        ("Answer from the case.", "A woman has fever and dysuria. What does she have?", None),
    ],
)
def test_a_question_on_a_passage_needs_the_passage(instruction, task_input, form):
    assert seen(instruction, task_input) == form


@pytest.mark.parametrize(
    ("instruction", "task_input", "form"),
    [
        ("Compare the two given drugs.", "Colchicine", "one of two"),
        ("Compare the two given drugs.", "Colchicine and allopurinol", None),
        ("Compare the two given drugs.", "Colchicine vs. allopurinol", None),
        ("Compare two types of arthritis.", "Arthritis", None),
        ("Decide whether the two sentences mean the same.", "He denies pain.", "one of two"),
        (
            "Decide whether the two sentences mean the same.",
            "1. He denies pain. 2. He has no pain.",
            None,
        ),
        (
            "Given a premise and a hypothesis, decide whether the premise entails the hypothesis.",
            "Premise: He was given insulin.",
            "one of two",
        ),
        (
            "Given an order, check whether the drug is listed in the patient's allergy record.",
            "Order: cefuroxime 500 mg",
            "one of two",
        ),
        (
            "Given an order, check whether the drug is listed in the patient's allergy record.",
            "Order: cefuroxime 500 mg. Allergy: penicillin",
            None,
        ),
        ("Compare the present value with the previous one.", "Sodium 128 mmol/L", "one of two"),
        (
            "Compare the present value with the previous one.",
            "Sodium 128 mmol/L today, 135 a year ago",
            None,
        ),
    ],
)
def test_a_comparison_needs_both_things(instruction, task_input, form):
    assert seen(instruction, task_input) == form


def test_a_question_on_the_basis_of_a_document_needs_the_document():
    instruction = "Answer the question on the basis of the policy document."
    assert seen(instruction, "Does it cover physiotherapy after surgery?") == "question"
