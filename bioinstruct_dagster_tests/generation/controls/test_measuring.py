"""The prompt's line for a task, and the values that rows show."""

import json

import pytest

from bioinstruct_dagster.generation.controls.file import read_controls
from bioinstruct_dagster.settings import INPUTS


@pytest.fixture(scope="module")
def shipped():
    """The controls file in git."""
    return read_controls(INPUTS / "controls.yaml")


def row(instruction, text="", output="o"):
    return {"instruction": instruction, "input": text, "output": output}


def test_a_prompt_line_names_the_task_and_is_a_sentence(small):
    asked = [
        {"kind": "choose", "topic": "heart", "audience": "nurse", "length": "none"},
        {"kind": "write", "topic": "lung", "audience": "patient", "length": "short"},
    ]
    assert small.lines(asked) == [
        "Task 1: a choice of four, on the heart, for nurses; no input.",
        "Task 2: a letter, on the lung, for patients; an input of at most 5 words.",
    ]


def test_a_prompt_line_leaves_out_unknown_and_unrequested_values(small):
    assert small.lines([{"length": "none", "kind": "removed", "gone": "x"}]) == [
        "Task 1: no input."
    ]


def test_every_shipped_line_is_one_sentence_on_one_line(shipped):
    for number in range(100):
        tasks = shipped.draw_all(1, number, 5, {})
        for place, (task, line) in enumerate(zip(tasks, shipped.lines(tasks), strict=True), 1):
            assert line.startswith(f"Task {place}: ")
            assert line.endswith(".")
            assert "\n" not in line
            assert "  " not in line
            assert len(line.split()) < 90
            for one in shipped.dimensions:
                assert one.by_id[task[one.id]].ask in line


def test_a_row_is_measured_by_whole_words_in_any_case(small):
    assert small.measure(row("WRITE a note", "on Cardiology"), None) == {
        "kind": {"write"},
        "topic": {"heart"},
        "audience": set(),
        "length": {"short"},
    }
    assert small.measure(row("Rewrite it", "the plunge"), None)["kind"] == set()
    assert small.measure(row("Rewrite it", "the plunge"), None)["topic"] == set()
    assert small.measure(row("Drafting", "heart \n failure"), None)["topic"] == {"heart"}


def test_a_row_shows_several_values_in_the_named_fields_only(small):
    shown = small.measure(row("Which lung?", "write cardiac", "draft"), None)
    assert shown["kind"] == {"choose"}
    assert shown["topic"] == {"heart", "lung"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", {"none"}),
        (" \n", {"none"}),
        ("one", {"short"}),
        ("a b c d e", {"short"}),
        ("a " * 6, set()),
    ],
)
def test_the_inputs_length_is_counted_in_words(small, text, shown):
    assert small.measure(row("Do", text), None)["length"] == shown


def test_an_unmeasurable_value_is_taken_from_the_request(small):
    asked = {"kind": "free", "topic": "lung", "audience": "nurse", "length": "short"}
    shown = small.measure(row("Do it"), asked)
    assert shown == {"kind": {"free"}, "topic": set(), "audience": {"nurse"}, "length": {"none"}}
    assert small.measure(row("Do it"), {"audience": "removed"})["audience"] == set()


def test_a_row_counts_once_in_each_dimension_of_the_pool(small):
    asked = {"kind": "write", "topic": "heart", "audience": "nurse", "length": "none"}
    pool = small.count(
        [
            (row("Write on the heart", "cardiac, lung"), asked),  # as asked, and more
            (row("Write on the liver"), asked),  # topic not recognised: as asked
            (row("Which lung?"), asked),  # another kind and topic than asked
            (row("Draft: lung, cardiac"), None),  # nothing asked: in equal parts
            (row("Do it"), None),
        ]
    )
    assert pool == {
        "kind": {"choose": 1, "write": 3, "free": 0},
        "topic": {"heart": 2.5, "lung": 1.5},
        "audience": {"nurse": 3, "patient": 0},
        "length": {"none": 4, "short": 1},
    }


OPTIONS = "A) Aspirin B) Heparin C) Warfarin D) None"
ROWS = [
    ("task_family", "multiple_choice", row("Choose the antidote.", OPTIONS), True),
    ("task_family", "multiple_choice", row("Pick one.", "Q?\nA. One\nB. Two\nC. Three"), True),
    ("task_family", "multiple_choice", row("Compare.", "Drug A: x; Drug B: y; Drug C: z"), False),
    ("task_family", "multiple_choice", row("Give vitamin A. Then B. Then C."), False),
    ("task_family", "named_entity_recognition", row("Extract all drug names from the note."), True),
    (
        "task_family",
        "named_entity_recognition",
        row("Given a list of symptoms, name the likeliest disease."),
        False,
    ),
    ("task_family", "short_answer", row("Which vitamin prevents scurvy?"), True),
    ("task_family", "calculation", row("Calculate the infusion rate in ml per hour."), True),
    ("topic", "cardiology", row("Explain.", "A woman has heart failure."), True),
    ("topic", "cardiology", row("Explain.", "Medical history: hypertension."), False),
    ("topic", "endocrinology", row("Advise.", "Type 2 diabetes for ten years."), True),
    ("topic", "endocrinology", row("Advise.", "A family history of diabetes."), False),
    ("topic", "haematology", row("Interpret the platelet count."), True),
    ("topic", "geriatrics", row("Her pressure falls after standing."), False),
    ("topic", "geriatrics", row("Assess the falls risk of this resident."), True),
    ("topic", "geriatrics", row("Plan the prevention of falls in older adults."), True),
    ("topic", "geriatrics", row("He drinks two beers a day."), False),
    ("topic", "molecular_biology", row("The white cells are raised."), False),
    ("topic", "molecular_biology", row("A squamous cell carcinoma was removed."), False),
    ("topic", "molecular_biology", row("How does a virus enter the cell?"), True),
    ("topic", "molecular_biology", row("Explain the cell cycle."), True),
    ("topic", "molecular_biology", row("Write a referral pathway for back pain."), False),
    ("topic", "molecular_biology", row("Which drug blocks the mTOR pathway?"), True),
    ("topic", "ethics_communication", row("Interpret this total lung capacity."), False),
    ("topic", "ethics_communication", row("Does she have capacity to refuse surgery?"), True),
    ("topic", "dentistry", row("Convert the dose to a molar concentration."), False),
    ("topic", "dentistry", row("A molar pregnancy is suspected."), False),
    ("topic", "dentistry", row("A lower left molar is tender to percussion."), True),
    ("topic", "dentistry", row("Free fluid fills the abdominal cavity."), False),
    ("topic", "dentistry", row("Fill the cavity in the first molar."), True),
    ("topic", "dentistry", row("Name the layers of the dentate gyrus."), False),
    ("topic", "emergency_critical_care", row("His stones need shock wave lithotripsy."), False),
    ("topic", "emergency_critical_care", row("She is in shock. What is next?"), True),
    ("topic", "emergency_critical_care", row("Name four causes of septic shock."), True),
    ("topic", "nursing", row("The registrar reviews him on the ward."), False),
    ("topic", "nursing", row("Draft a note for the ward nurse."), True),
    ("topic", "cardiology", row("The valve of the ventricular shunt is blocked."), True),
    ("topic", "cardiology", row("The valve of the shunt for hydrocephalus is blocked."), False),
    ("topic", "gastroenterology", row("A pressure ulcer covers the heel."), False),
    ("topic", "gastroenterology", row("A duodenal ulcer bled."), True),
    ("topic", "neurology", row("A runner collapsed with heat stroke."), False),
    ("topic", "neurology", row("What follows a stroke?"), True),
    ("topic", "psychiatry", row("The ECG shows ST depression."), False),
    ("topic", "psychiatry", row("How is depression treated?"), True),
    ("topic", "genetics", row("Treat a carrier of Salmonella."), False),
    ("topic", "genetics", row("Both are carriers of a recessive allele."), True),
    ("topic", "imaging_reports", row("Which pet carries ringworm?"), False),
    ("topic", "imaging_reports", row("The PET scan shows uptake."), True),
    ("topic", "pathology", row("A port-wine stain covers the cheek."), False),
    ("topic", "pathology", row("The Gram stain shows cocci in pairs."), True),
    ("form", "question", row("Which drug is safest in pregnancy?"), True),
    ("form", "question", row("A man coughs. What is next?"), False),
    ("form", "order", row("Summarise the note."), True),
    ("form", "order", row("Given a note, summarise it."), False),
    ("form", "order", row('Find the sentence that answers: "Why was it stopped?"'), True),
    ("form", "situation_then_request", row("A man coughs for weeks. What is next?"), True),
    ("form", "situation_then_request", row("Given a note, do this. Then do that."), False),
    ("form", "completion", row("Complete the sentence below."), True),
    ("form", "completion", row("Interpret the complete blood count."), False),
]


@pytest.mark.parametrize(("dimension", "value", "example", "shows"), ROWS)
def test_the_shipped_signs_tell_examples_apart(shipped, dimension, value, example, shows):
    assert (value in shipped.measure(example, None)[dimension]) == shows


def test_given_is_none_of_the_shipped_forms(shipped):
    example = row("Given a list of drugs, name those that prolong the QT interval.")
    assert shipped.measure(example, None)["form"] == set()


def test_the_shipped_signs_recognise_most_seeds(shipped):
    seeds = (INPUTS / "seed_tasks.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in seeds]
    measured = [shipped.measure(one, None) for one in rows]
    for dimension, least in [("topic", 0.95), ("form", 0.9), ("task_family", 0.6)]:
        assert sum(bool(shown[dimension]) for shown in measured) >= least * len(rows)
