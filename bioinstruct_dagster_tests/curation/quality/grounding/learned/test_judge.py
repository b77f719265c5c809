"""The learned judge: rows of both kinds, odd texts, and the signs that it names."""

import pytest

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.grounding.learned.examples import grounding_examples
from bioinstruct_dagster.curation.quality.grounding.learned.judge import LearnedJudge
from bioinstruct_dagster.curation.quality.grounding_weights import LearnedWeights, shipped_weights
from bioinstruct_dagster_tests.curation.quality.shipped_rules import shipped_gate

ANNOUNCED = RowTexts(
    "Report the main results of the pathology review.",
    "The pathology review of the resected specimen was completed by two experts.",
    "The tumor measured 3.2 cm, the margins were clear and 2 of 14 nodes were positive.",
)


def least_score() -> float:
    return next(rule for rule in shipped_gate().rules if rule.id == "ungrounded_input").least_score


@pytest.fixture(scope="module")
def judge() -> LearnedJudge:
    return LearnedJudge(shipped_weights(), least_score())


@pytest.mark.parametrize(
    "row",
    [
        ANNOUNCED,
        RowTexts(
            "Determine from the spirometry whether the disease is obstructive.",
            "Spirometry of a retired miner with breathlessness",
            "The FEV1/FVC ratio was 0.58, so the disease is obstructive.",
        ),
        RowTexts(
            "State which side effect was most frequent in the trial.",
            "Safety data of a phase II trial of a new sleeping pill",
            "Headache was the most frequent side effect, reported by 23% of the patients.",
        ),
    ],
)
def test_material_that_is_only_announced_is_found(judge, row):
    assert judge.check(row) is not None


@pytest.mark.parametrize(
    "row",
    [
        RowTexts("Define the term.", "Ascites", "Fluid in the abdominal cavity."),
        RowTexts(
            "Suggest a snack for the patient.",
            "A 58-year-old woman with type 2 diabetes",
            "A handful of unsalted almonds, since they raise the blood sugar little.",
        ),
        RowTexts(
            "Given a patient's lab results, name the disorder.",
            "Sodium 121 mmol/L, urine osmolality 520 mOsm/kg",
            "Hyponatremia from inappropriate secretion of antidiuretic hormone.",
        ),
        RowTexts(
            "Summarize the note.",
            "He fell on the stairs, broke his left wrist and was treated with a cast.",
            "A fall led to a fracture of the left wrist, which was put in a cast.",
        ),
    ],
)
def test_a_topic_or_a_stated_fact_is_sound(judge, row):
    assert judge.check(row) is None


def test_the_strongest_signs_are_named_in_words(judge):
    found = judge.check(ANNOUNCED)
    assert found.evidence["as"] == "learned"
    assert found.evidence["saw"].startswith("The pathology review")
    assert 1 <= len(found.evidence["signs"]) <= 3
    assert all(one.startswith(("the ", "The ")) for one in found.evidence["signs"])
    assert found.score >= least_score()


@pytest.mark.parametrize(
    "row",
    [
        RowTexts("", "", ""),
        RowTexts("", "Report", "Fine."),
        RowTexts("Summarize the report.", "", "The mass measured 4.2 cm."),  # forms decide
        RowTexts("…", "…", "…"),
        RowTexts("Summarize the report.", "word " * 46, "The mass measured 4.2 cm."),
        RowTexts("Resuma el informe del paciente.", "Informe de patología", "Mide 4,2 cm."),
        RowTexts("Fasse den Befund zusammen.", "Befund eines Patienten", "Der Tumor misst 4,2 cm."),
        RowTexts("总结这份报告。", "病理报告", "肿瘤大小为4.2厘米。"),
    ],
)
def test_odd_texts_and_other_languages_are_left_alone(judge, row):
    assert judge.check(row) is None


def test_an_output_alone_adds_no_more_than_its_limit():
    """However much it invents, a row whose input is clearly sound stays."""
    told = {"new figures": dict.fromkeys(("0", "1", "3", "6", "more"), 90000)}
    words = {"task word": {"define": 0, "the": 0, "term": 0}}
    row = RowTexts("Define the term.", "Ascites", "It holds 7, 8, 9 and 10 liters.")
    for bias, is_found in ((-5_000, False), (-3_000, True)):
        judge = LearnedJudge(LearnedWeights(bias, words, told, ""), 1.0)
        assert (judge.check(row) is not None) is is_found


def test_a_higher_least_score_finds_fewer_rows():
    rows = [
        RowTexts(one.instruction, one.input, one.output)
        for one in grounding_examples()
        if one.want == "drop"
    ][:300]
    found = [
        sum(LearnedJudge(shipped_weights(), least).check(row) is not None for row in rows)
        for least in (0.0, 3.0, 20.0)
    ]
    assert found[0] > found[1] > found[2] == 0
