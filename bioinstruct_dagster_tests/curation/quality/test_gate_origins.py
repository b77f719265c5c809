"""The shipped quality rules over imported rows, and what a verdict shows of its reason."""

import pytest

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster_tests.curation.quality.shipped_rules import shipped_gate
from bioinstruct_dagster_tests.curation.quality.test_gate import SELF_INSTRUCT_RULES

IMPORTED = "import:medquad.csv@0123456789ab"


def judged(instruction, source, output="Gout is a disease of the joints."):
    row = {"instruction": instruction, "input": "", "output": output, "source": source}
    (result,) = shipped_gate().check([RowTexts.of(row)])
    return {one.rule: dict(one.evidence) for one in result.findings if one.verdict == "reject"}


@pytest.mark.parametrize(
    "instruction",
    [
        "Gout",
        "Подагра",
        "النقرس",
        "통풍",
        "哮喘",
        "肺",
        "สาเหตุ",
        "] What is gout?",
        "\u2022 ) Gout",
        "word " * 600 + "gout",
        "患者咳嗽发热三天" * 150,
    ],
)
def test_an_imported_question_may_be_short_or_long_and_a_generated_one_may_not(instruction):
    assert judged(instruction, IMPORTED) == {}
    assert judged(instruction, "completion").keys() <= SELF_INSTRUCT_RULES
    assert judged(instruction, "completion")


@pytest.mark.parametrize("instruction", ["", "   ", "\n", "???", "-", "___", "…", "？"])
def test_an_imported_row_without_any_word_in_its_instruction_is_rejected(instruction):
    found = judged(instruction, IMPORTED)
    assert found["instruction_too_short"] == {"words": 0, "least": 1}
    assert found.keys() <= {"instruction_too_short", "empty_instruction"}


@pytest.mark.parametrize(
    ("instruction", "words"),
    [("Acute gout.", 2), ("哮喘", "estimated 1 to 2"), ("Причины анемии", "estimated 2 to 3")],
)
def test_an_estimated_number_of_words_is_shown_as_a_range(instruction, words):
    shown = judged(instruction, "completion")["instruction_too_short"]
    assert shown == {"words": words, "least": 4}


@pytest.mark.parametrize(
    "question", ["What is gout?", "Why sweating?", "什么是痛风？", "Что такое подагра?"]
)
def test_a_short_question_is_complete_in_generated_rows_too(question):
    assert judged(question, "completion") == {}


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("The base of an X-ray film is composed of:", "Polyester"),
        ("Why is pickling done?", "To remove oxide film from casting"),
        ("Access cavity of mandibular 1st molar is:", "Rounded triangle"),
        ("Who was associated with second amalgam war?", "Alfred Stock"),
    ],
)
def test_a_word_of_medicine_and_another_field_is_no_sign_against_a_row(question, answer):
    (result,) = shipped_gate().check([RowTexts(question, "", answer)])
    assert [one.rule for one in result.findings] == ["sound"]
