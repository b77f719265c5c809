"""The shipped quality rules: each with a row that triggers it and a near miss that does not."""

import json
from pathlib import Path

import pytest

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.gate import QUALITY_RULES, QualityGate
from bioinstruct_dagster.curation.quality.rules import read_rules
from bioinstruct_dagster.generation.replies.reading import read_reply
from bioinstruct_dagster.rehearsal.recordings import read_recordings
from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import INPUTS, PROJECT_ROOT
from bioinstruct_dagster_tests.curation.quality.shipped_rules import (
    first_reject,
    repaired_input,
    shipped_gate,
)

PUBLISHED_ROWS = PROJECT_ROOT.parent / "shared" / "data" / "bioinstruct" / "sample.jsonl"
EXAMS = PROJECT_ROOT.parent / "shared" / "data" / "eval" / "medmcqa" / "dev.jsonl"
SELF_INSTRUCT_RULES = {
    "instruction_too_short",
    "instruction_too_long",
    "beyond_text",
    "writes_program",
    "odd_first_character",
}
INSTRUCTION = "Name the drug of first choice."
PASSAGE = "Gout is treated with colchicine, or with naproxen where the kidneys are sound."
REST = "Rest and ice help as well. Beer and liver should be avoided for some weeks after an attack."
PROSE = "Colchicine is given first. It is followed by allopurinol once the attack is over"


def findings(instruction=INSTRUCTION, task_input="", output="Allopurinol."):
    (result,) = shipped_gate().check([RowTexts(instruction, task_input, output)])
    return result.findings


def rules(**task):
    return [finding.rule for finding in findings(**task)]


CASES = [
    (
        "instruction_too_short",
        {"instruction": "Acute renal failure."},
        {"instruction": "Define renal failure."},
    ),
    (
        "instruction_too_long",
        {"instruction": "word " * 501 + "gout"},
        {"instruction": "word " * 499 + "gout"},
    ),
    (
        "unseen_image",
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
        {"instruction": "Draw the heart and label it."},
        {"instruction": "Draw up a plan, given this clinical picture."},
    ),
    (
        "unseen_picture",
        {"instruction": "Describe the abnormality visible in the attached radiograph."},
        {
            "instruction": "Interpret the following chest X-ray.",
            "task_input": "Infiltrates in both lower lobes; no effusion.",
        },
    ),
    (
        "unseen_picture",
        {"instruction": "Look at the electrocardiogram, or the ECG shown below, and name it."},
        {"instruction": "Explain how an electrocardiogram or ECG is recorded."},
    ),
    (
        "unseen_attachment",
        {
            "instruction": "Describe the attached fundus photograph.",
            "task_input": "Fundus photograph, right eye, 61-year-old man with type 2 diabetes.",
        },
        {
            "instruction": "Describe the attached fundus photograph.",
            "task_input": "Fundus photograph, right eye: dot haemorrhages and hard exudates.",
        },
    ),
    (
        "advises_only",
        {"instruction": "Explain how statins work.", "output": "Please ask your pharmacist."},
        {"instruction": "Whom should she ask about it?", "output": "Please ask your pharmacist."},
    ),
    (
        "next_question",
        {"output": "Allopurinol.\n\nQuestion: What is asthma?\nAnswer: Narrow airways."},
        {
            "instruction": "Write a question about asthma.",
            "output": "Here it is.\n\nQuestion: What is asthma?\nAnswer: Narrow airways.",
        },
    ),
    (
        "writes_program",
        {"instruction": "Write a program that computes the body-mass index."},
        {"instruction": "Write a screening program for a rural clinic."},
    ),
    (
        "odd_first_character",
        {"instruction": ") and name the drug of first choice."},
        {"instruction": "5 mg or 10 mg: which dose is usual?"},
    ),
    (
        "odd_first_character",
        {"instruction": "_ Ποια είναι η πρώτη επιλογή;"},
        {"instruction": "Ποια είναι η πρώτη επιλογή;"},
    ),
    (
        "odd_first_character",
        {"instruction": "¿¿¿ ??"},
        {"instruction": "¿Qué significa este resultado de laboratorio?"},
    ),
    (
        "odd_first_character",
        {"instruction": "\ufffd\ufffdName the drug of first choice."},
        {"instruction": "《伤寒论》主要讲的是什么内容？"},
    ),
    (
        "instruction_too_short",
        {"instruction": "头痛吗"},
        {"instruction": "感冒怎么办"},
    ),
    (
        "instruction_too_short",
        {"instruction": "Симптомы гриппа"},
        {"instruction": "Как лечить астму?"},
    ),
    (
        "instruction_too_long",
        {"instruction": "患者咳嗽发热三天" * 130},
        {"instruction": "患者咳嗽发热三天" * 120},
    ),
    ("empty_output", {"output": ""}, {"output": "No."}),
    ("empty_output", {"output": " N/A "}, {"output": "None of these drugs interact."}),
    (
        "empty_output",
        {"output": "(no output required)"},
        {"task_input": "Drugs: nil.", "output": "None."},
    ),
    ("none_for_answer", {"output": "None."}, {"output": "None of them is safe."}),
    ("none_for_answer", {"output": "nil"}, {"task_input": "Drugs: nil.", "output": "nil"}),
    (
        "refusal",
        {"output": "I'm sorry, but I can't help with that."},
        {"output": "I'm sorry, but I can't come on Monday."},
    ),
    (
        "cannot_do",
        {"output": "I'm sorry, but I cannot give medical advice."},
        {"output": "The nurse said: I'm sorry, but visiting hours are over."},
    ),
    (
        "asks_for_input",
        {"output": "Please provide the article so that I can summarize it."},
        {"output": "Please provide urine on the morning of the visit."},
    ),
    (
        "self_reference",
        {"output": "As an AI language model, I lack clinical experience."},
        {"output": "As an aid to memory, use a chart."},
    ),
    (
        "refusal",
        {"output": "It seems that no input was provided."},
        {"output": "The data were provided by the registry."},
    ),
    ("truncated_output", {"output": PROSE + " and the"}, {"output": PROSE}),
    (
        "truncated_output",
        {"output": PROSE + ","},
        {"output": "It is most likely hepatitis B or hepatitis A"},
    ),
    (
        "truncated_output",
        {"output": "The following drugs may be given first:"},
        {"output": "ATG GCC TAA ACG TTC GGA"},
    ),
    (
        "output_repeats_input",
        {"task_input": PASSAGE, "output": PASSAGE.upper()},
        {"task_input": PASSAGE, "output": PASSAGE + " Rest helps as well."},
    ),
    (
        "output_repeats_input",
        {"task_input": PASSAGE, "output": PASSAGE},
        {
            "instruction": "Correct the spelling of the sentence.",
            "task_input": PASSAGE,
            "output": PASSAGE,
        },
    ),
    (
        "output_repeats_instruction",
        {"output": f"{INSTRUCTION} Allopurinol."},
        {"output": "The drug of first choice is allopurinol."},
    ),
    (
        "merged_tasks",
        {"output": "Gout.\n\n### 5. Instruction: Name the drug."},
        {"output": "Gout.\n\n### Treatment\nColchicine."},
    ),
    (
        "merged_tasks",
        {"output": "Gout.\n5. Input:\n<noinput>"},
        {"output": "1. Fluid input: 2 L\n2. Fluid output: 1 L"},
    ),
    (
        "merged_tasks",
        {"task_input": "Instruction: Name the drug.\nOutput: Colchicine."},
        {"task_input": "Task 1: recall, 3 of 3\nTask 2: clock, 2 of 3"},
    ),
    (
        "no_doctor",
        {"output": "I'm not a doctor, but colchicine helps."},
        {"output": "A pharmacist is not a doctor, but knows the doses."},
    ),
    (
        "chat_tags",
        {"output": "Colchicine.</s>"},
        {"output": "Colchicine if the clearance is <60 mL/min."},
    ),
    (
        "template_rest",
        {"output": "Colchicine\n\n### Task:\nName a diuretic"},
        {"output": "Colchicine\n\n### Task of the nurse\nWatch for diarrhoea."},
    ),
    (
        "web_markup",
        {"output": "Colchicine isn&rsquo;t the only drug."},
        {"output": "Colchicine & ibuprofen; R&D; it is <i>not</i> the only drug."},
    ),
    (
        "asks_back",
        {"instruction": "Which drug helps with gout?", "output": "How old are you?"},
        {"instruction": "Which question should I ask him?", "output": "How old are you?"},
    ),
    (
        "only_announces",
        {"output": "Sure, I'd be happy to help!"},
        {"output": "Sure, colchicine can help."},
    ),
    (
        "vocabulary_tags",
        {"output": "Colchicine [PAD] [PAD]"},
        {"output": "Colchicine [brand names differ]."},
    ),
    (
        "error_text",
        {"output": "Error 503: service unavailable"},
        {"output": "Error: 503 mg was given in place of 50 mg."},
    ),
    (
        "broken_characters",
        {"output": "ColchicineÂ\u00a0is given in MÃ¼nchen."},
        {"output": "Colchicine wird in München gegeben, 0,5 mg – „langsam“."},
    ),
    (
        "empty_instruction",
        {"instruction": "NaN"},
        {"instruction": "What does NaN mean in a table of doses?"},
    ),
    (
        "other_language",
        {"output": "La colchicina se da en los primeros días y calma el dolor de la gota."},
        {"output": "Colchicine is given in the first days and eases the pain of gout."},
    ),
    (
        "loop",
        {"output": "Colchicine is given twice a day.\n" * 5},
        {"output": "\n".join(f"Day {n}: colchicine twice a day." for n in range(1, 6))},
    ),
    (
        "cut_ending",
        {"output": f"{PASSAGE} {REST} {PROSE}"},
        {"output": f"{PASSAGE} {REST} {PROSE}."},
    ),
    (
        "leading_mark",
        {"instruction": f"- {INSTRUCTION}"},
        {"instruction": "-5 diopters: which lens is meant?"},
    ),
    (
        "prompt_of_generator",
        {"instruction": "Generate three more diverse tasks in the format of the examples above."},
        {"instruction": "Suggest three more drugs for gout in the format of the examples above."},
    ),
    (
        "listed_instructions",
        {"instruction": "1. Name the drug of choice. 2. Give its dose in adults."},
        {"instruction": "1 mg or 2 mg of colchicine: which dose is usual?"},
    ),
    (
        "off_domain",
        {"instruction": "Write a poem on a winter night.", "output": "The stars are out."},
        {"instruction": "Write a poem on a night at the ward.", "output": "The stars are out."},
    ),
    (
        "off_domain",
        {"instruction": "Name the bottom line of the text.", "output": "The king won the war."},
        {"instruction": "Name the bottom line of the text.", "output": "It went as agreed."},
    ),
    (
        "ungrounded_input",
        {"task_input": "https://example.org/articles/12"},
        {"task_input": "Leaflet (https://example.org/articles/12): take two tablets daily."},
    ),
    (
        "results_not_given",
        {
            "instruction": "Summarize the findings of the trial.",
            "task_input": "In this trial, 40 women were randomly assigned to zinc or placebo.",
            "output": "The trial found that zinc shortened colds.",
        },
        {
            "instruction": "Summarize the findings of the trial.",
            "task_input": "In this trial, 40 women were randomly assigned to zinc or placebo. "
            "Colds were shorter with zinc.",
            "output": "The trial found that zinc shortened colds.",
        },
    ),
    (
        "wrong_arithmetic",
        {"output": "12 mg/kg × 20 kg = 260 mg"},
        {"output": "12 mg/kg × 20 kg = 240 mg"},
    ),
    (
        "input_repeats_instruction",
        {"task_input": INSTRUCTION.lower()},
        {"task_input": "Name the drug."},
    ),
]


@pytest.mark.parametrize(("rule", "faulty", "near_miss"), CASES)
def test_a_rule_fires_on_its_fault_and_not_on_a_near_miss(rule, faulty, near_miss):
    assert rule in rules(**faulty)
    assert rules(**near_miss) == ["sound"]


def test_every_shipped_rule_that_looks_has_such_a_case():
    looking = {
        rule.id for rule in shipped_gate().rules if rule.kind != "llm" and rule.action != "off"
    }
    assert looking - {rule for rule, _, _ in CASES} == {"no_input_marker"}  # see below


@pytest.mark.parametrize("word", ["image", "graph", "picture", "diagram", "video", "file", "plot"])
def test_a_picture_that_must_be_seen_rejects_and_a_word_in_a_term_does_not(word):
    assert rules(instruction=f"Please explain the {word.upper()} to the patient.") == [
        "unseen_image"
    ]
    assert rules(instruction=f"Please explain the x{word}x to the patient.") == ["sound"]
    assert rules(instruction=f"Explain {word}-guided puncture to the patient.") == ["sound"]


def test_an_echo_is_cut_off_and_the_answer_is_kept():
    (result,) = shipped_gate().check([RowTexts(INSTRUCTION, "", f"{INSTRUCTION}\nAllopurinol.")])
    assert result.repairs == {"output": "Allopurinol."}
    assert [(one.rule, one.verdict) for one in result.findings] == [
        ("output_repeats_instruction", "repair")
    ]


def test_an_output_that_is_nothing_but_an_echo_is_empty():
    (result,) = shipped_gate().check([RowTexts(INSTRUCTION, "", f"**{INSTRUCTION}**\n")])
    assert result.repairs == {"output": ""}
    assert [one.rule for one in result.findings] == ["output_repeats_instruction", "empty_output"]


def test_only_the_instruction_is_searched_for_the_blacklist():
    shown = rules(task_input="The image shows a fracture.", output="See the picture of the bone.")
    assert shown == ["sound"]


def test_findings_come_in_the_order_of_the_rules_file():
    found = findings("Draw it", "https://example.org/12", "")
    assert [finding.rule for finding in found] == [
        "instruction_too_short",
        "beyond_text",
        "empty_output",
        "ungrounded_input",
    ]
    assert {finding.verdict for finding in found} == {"reject"}
    assert found[1].evidence == {"field": "instruction", "saw": "Draw i"}


def test_evidence_is_small_and_json():
    long = "gout " * 2_000
    for task in ({"output": f"{long} 1 + 1 = 3"}, {"instruction": f"Draw {long}"}):
        for finding in findings(**task):
            assert len(json.dumps(dict(finding.evidence))) < 250


MARKERS = [
    "N/A", "n/a", "NA", "N / A", "None", "(None)", "none required.", "None given", "null", "-",
    "---", "Not applicable", "(Not Applicable)", "No input required", "No input is required.",
    "(no input required)", "No input", "<noinput>", '"N/A"', "[empty]", "Nil", " None \n", "...",
    " ", "No specific input needed.", "There is no input for this task", "Not Applicable (N/A)",
    "No additional context required", "None - no input provided", "Input: N/A", "<no input>",
    "This task does not require any input.", "(left blank)", "—", "N.A.", "Nothing", "[Blank]",
    "No data provided", "without input", "No input needed, general knowledge question", "nan",
    "NaN",
]  # fmt: skip
REAL_INPUTS = [
    "Na 135 mmol/L", "None of the above applies to the patient", "no fever", "Nonecto", "NAD",
    "No input from the family was needed for consent", "Not applicable to children", "0",
    "-5 mmHg", "K+", "Nil by mouth", "naloxone", "empty sella", "高血压", " aspirin ",
    "There is no fever",
    "No information on smoking", "None: the patient takes nothing", "blank stare", "No",
    "No insulin required", "No known allergies", "Not given orally", "no treatment needed",
]  # fmt: skip


@pytest.mark.parametrize("marker", MARKERS)
def test_a_marker_for_no_input_is_repaired_to_the_empty_input(marker):
    (result,) = shipped_gate().check([RowTexts(INSTRUCTION, marker, "Allopurinol.")])
    assert [(one.rule, one.verdict) for one in result.findings] == [("no_input_marker", "repair")]
    assert result.repairs == {"input": ""}
    assert not result.rejected
    assert repaired_input(marker) == ""


@pytest.mark.parametrize("text", ["", *REAL_INPUTS])
def test_a_real_input_stays_as_it_is(text):
    (result,) = shipped_gate().check([RowTexts(INSTRUCTION, text, "Allopurinol.")])
    assert not result.repairs
    assert repaired_input(text) == text


def test_a_repaired_row_is_checked_as_repaired():
    (result,) = shipped_gate().check([RowTexts("Interpret the attached ECG.", "N/A", "Gout.")])
    assert [one.rule for one in result.findings] == [
        "no_input_marker",
        "unseen_picture",
        "unseen_attachment",
        "ungrounded_input",
    ]


def test_the_first_rule_that_rejects_is_the_fault():
    assert first_reject(INSTRUCTION, "N/A", "Allopurinol.") is None
    assert first_reject(INSTRUCTION, "", "1 x 2 = 3 mg of the drug") is None  # flagged only
    fault = first_reject("Draw it", "https://example.org/12", "")
    assert (fault.rule, fault.evidence) == ("instruction_too_short", {"words": 2, "least": 4})


@pytest.mark.parametrize(
    "text",
    ["N" * 50_000, "no " * 20_000, "### " * 9_000, "1. a " * 9_000, "\n" * 30_000, "I " * 9_000],
)
def test_hostile_texts_are_checked_as_well(text):
    # A pattern with exponential backtracking would run into the time limit of the suite.
    for task in (RowTexts(text, text, text), RowTexts(INSTRUCTION, text, text)):
        assert shipped_gate().check([task])[0].findings


def test_all_seeds_are_sound():
    seeds = read_seed_tasks(INPUTS / "seed_tasks.jsonl")
    tasks = [RowTexts(seed.instruction, seed.input, seed.output) for seed in seeds]
    wrong = [
        (seed.id, finding.rule)
        for seed, result in zip(seeds, shipped_gate().check(tasks), strict=True)
        for finding in result.findings
        if finding.verdict != "keep"
    ]
    assert wrong == []


def test_only_recorded_tasks_with_a_planted_fault_are_rejected():
    innocent = []
    for recording in read_recordings():
        tasks = read_reply(recording.content, recording.finish_reason, recording.refusal).tasks
        checked = shipped_gate().check(
            [RowTexts(task["instruction"], task["input"], task["output"]) for task in tasks]
        )
        if not recording.faults:
            innocent += [one for one in checked if one.rejected]
    assert innocent == []


@pytest.mark.skipif(
    not PUBLISHED_ROWS.exists(), reason="the published rows are not part of the project"
)
def test_published_rows_pass_the_filters_of_their_authors():
    rows = [json.loads(line) for line in PUBLISHED_ROWS.read_text("utf-8").splitlines()]
    tasks = [RowTexts(row["instruction"], row["input"], row["output"]) for row in rows]
    fired = {finding.rule for one in shipped_gate().check(tasks) for finding in one.findings}
    assert fired & SELF_INSTRUCT_RULES == set()


@pytest.mark.skipif(not EXAMS.exists(), reason="the examination questions are not in the project")
def test_few_examination_questions_count_as_off_domain():
    rows = [json.loads(line) for line in EXAMS.read_text("utf-8").splitlines()]
    tasks = [RowTexts(row["question"], "", row["opa"]) for row in rows]
    checked = shipped_gate().check(tasks)
    wrong = sum(any(one.rule == "off_domain" for one in each.findings) for each in checked)
    assert wrong < 0.01 * len(tasks)


def test_two_gates_by_one_file_have_one_version(tmp_path: Path):
    again = tmp_path / "rules.yaml"
    again.write_text(QUALITY_RULES.read_text("utf-8"), "utf-8")
    assert QualityGate(again).version == shipped_gate().version
    assert [rule.version for rule in read_rules(again)] == [
        rule.version for rule in shipped_gate().rules
    ]
