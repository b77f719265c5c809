"""The quality rules: each with a row that triggers it and a near miss that does not."""

import json

import pytest

from bioinstruct_dagster.curation.quality import BLACKLIST, find_fault, normalized_input
from bioinstruct_dagster.settings import PROJECT_ROOT

PUBLISHED = PROJECT_ROOT.parent / "shared" / "data" / "bioinstruct" / "sample.jsonl"
INSTRUCTION = "Name the drug of first choice."
URL = "https://example.org/articles/12"


def reason(instruction=INSTRUCTION, task_input="", output="Allopurinol."):
    fault = find_fault(instruction, task_input, output)
    return fault.reason if fault else None


@pytest.mark.parametrize(
    ("rule", "faulty", "near_miss"),
    [
        (
            "instruction_too_short",
            {"instruction": "Define renal failure."},
            {"instruction": "Define acute renal failure."},
        ),
        (
            "instruction_too_long",
            {"instruction": " ".join(["word"] * 151)},
            {"instruction": " ".join(["word"] * 150)},
        ),
        (
            "beyond_text",
            {"instruction": "Describe the findings in this IMAGE."},
            {"instruction": "Describe when imaging is needed for back pain."},
        ),
        (
            "beyond_text",
            {"instruction": "Go to the registry and count the trials."},
            {"instruction": "List the risks for those who undergo total knee replacement."},
        ),
        (
            "beyond_text",
            {"instruction": "Summarize the attached file in two sentences."},
            {"instruction": "Summarize the lipid profile in two sentences."},
        ),
        (
            "writes_program",
            {"instruction": "Write a program that computes the body-mass index."},
            {"instruction": "Write a screening program for a rural clinic."},
        ),
        (
            "odd_first_character",
            {"instruction": "- Name the drug of first choice."},
            {"instruction": "5 mg or 10 mg: which dose is usual?"},
        ),
        (
            "odd_first_character",
            {"instruction": "Ποια είναι η πρώτη επιλογή;"},
            {"instruction": "Translate η πρώτη επιλογή into English."},
        ),
        ("empty_output", {"output": ""}, {"output": "No."}),
        ("empty_output", {"output": "N/A"}, {"output": "None of these drugs interact."}),
        (
            "ungrounded_input",
            {"task_input": URL},
            {"task_input": f"Leaflet ({URL}): take two tablets daily."},
        ),
        (
            "ungrounded_input",
            {"task_input": " <www.example.org/trial> "},
            {"task_input": "www stands for whole-word writing here"},
        ),
    ],
)
def test_a_rule_rejects_its_fault_and_passes_the_near_miss(rule, faulty, near_miss):
    assert reason(**faulty) == rule
    assert reason(**near_miss) is None


@pytest.mark.parametrize("word", BLACKLIST)
def test_every_word_of_the_blacklist_rejects_whole_and_in_any_case(word):
    assert reason(f"Please explain the {word.upper()} to the patient.") == "beyond_text"
    assert reason(f"Please explain the x{word}x to the patient.") is None


def test_only_the_instruction_is_searched_for_the_blacklist():
    assert reason(task_input="The image shows a fracture.", output="See the picture.") is None


def test_the_first_broken_rule_is_named_with_what_it_saw():
    fault = find_fault("Draw it", URL, "")
    assert (fault.reason, fault.detail) == ("instruction_too_short", "2 words, fewest 4")
    fault = find_fault("Now draw the heart, please.", URL, "")
    assert fault.reason == "beyond_text"
    assert "'draw'" in fault.detail


@pytest.mark.parametrize(
    "marker",
    [
        "",
        "N/A",
        "n/a",
        "NA",
        "N / A",
        "None",
        "(None)",
        "none required.",
        "None given",
        "null",
        "-",
        "---",
        "Not applicable",
        "(Not Applicable)",
        "No input required",
        "No input is required.",
        "(no input required)",
        "No input",
        "<noinput>",
        '"N/A"',
        "[empty]",
        "Nil",
        " None \n",
        "...",
    ],
)
def test_a_marker_for_no_input_becomes_the_empty_input(marker):
    assert normalized_input(marker) == ""


@pytest.mark.parametrize(
    "text",
    [
        "Na 135 mmol/L",
        "None of the above applies to the patient",
        "no fever",
        "Nonecto",
        "NAD",
        "No input from the family was needed for consent",
        "Not applicable to children",
        "0",
        "-5 mmHg",
        "K+",
        "Nil by mouth",
        "nan",
        "empty sella",
        "高血压",
        " aspirin ",
    ],
)
def test_a_real_input_stays_as_it_is(text):
    assert normalized_input(text) == text


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published rows are not part of the project")
def test_published_rows_break_none_of_the_filters_their_authors_used():
    # Their rows passed Self-Instruct's filters; only the rule against bare URLs is ours.
    rows = [json.loads(line) for line in PUBLISHED.read_text("utf-8").splitlines()]
    reasons = {
        reason(row["instruction"], normalized_input(row["input"]), row["output"]) for row in rows
    }
    assert reasons == {None, "ungrounded_input"}
