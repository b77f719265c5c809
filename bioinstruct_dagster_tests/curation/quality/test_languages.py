"""Rules of English words do not judge rows in other scripts and languages, and say so."""

import pytest

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.gate import NOT_JUDGED, SOUND_ROW, QualityGate
from bioinstruct_dagster.curation.quality.languages import is_english

GATE = QualityGate()
GERMAN = (
    "Ein Schlaganfall zeigt sich meist plötzlich: Ein Mundwinkel hängt, ein Arm lässt sich nicht "
    "heben, die Sprache ist verwaschen. Dann ruft man sofort Hilfe, denn jede Minute zählt."
)
INDONESIAN = (
    "Batuk yang berlangsung lebih dari delapan minggu dapat disebabkan oleh merokok, asma, asam "
    "lambung yang naik, atau obat tekanan darah. Dokter akan bertanya sejak kapan batuk terjadi, "
    "apakah ada dahak atau darah, lalu memeriksa dada dan bila perlu meminta foto rontgen. "
    "Berhenti sangat membantu."
)
ENGLISH = (
    "The sea is wide and blue, the waves roll in for me and you, and the sailors sing of their "
    "home and of the stars that they had seen when they were young."
)


def findings(instruction, task_input="", output="An answer."):
    (result,) = GATE.check([RowTexts(instruction, task_input, output)])
    return {finding.rule: finding for finding in result.findings}


def test_a_row_in_another_script_names_the_rules_that_did_not_judge_it():
    (finding,) = findings("请解释糖尿病的治疗", "", "控制饮食，按时服药。").values()
    assert (finding.rule, finding.verdict) == (SOUND_ROW, "keep")
    unjudged = finding.evidence["not_judged_by"]["script"]
    with_language = [rule.id for rule in GATE.rules if rule.language == "en"]
    assert unjudged == with_language
    assert {"off_domain", "refusal", "ungrounded_input"} <= set(unjudged)


def test_a_sound_english_row_is_judged_by_every_rule():
    (finding,) = findings("Explain how diabetes is treated.").values()
    assert (finding.rule, finding.evidence) == (SOUND_ROW, {})


def test_a_rule_still_finds_its_words_in_a_row_of_another_script():
    found = findings("请解释糖尿病的治疗", "", "As an AI language model, I cannot help.")
    assert found["refusal"].verdict == "reject"
    assert "off_domain" in found[NOT_JUDGED].evidence["not_judged_by"]["script"]
    assert "refusal" not in found[NOT_JUDGED].evidence["not_judged_by"]["script"]


def test_a_long_row_in_another_language_is_not_off_domain():
    found = findings("Apa penyebab batuk yang tidak kunjung sembuh?", "", INDONESIAN)
    assert found.keys() == {SOUND_ROW}
    assert found[SOUND_ROW].evidence == {"not_judged_by": {"language": ["off_domain"]}}
    assert findings("Write a song about the sea.", "", ENGLISH).keys() == {"off_domain"}


def test_an_input_in_another_script_is_no_name_of_a_source():
    found = findings(
        "Summarize the report.", "患者，男，45岁，咳嗽三天，CT示右下肺炎症", "Pneumonia."
    )
    assert "ungrounded_input" not in found
    shown = findings(
        "Interpret this x-ray shown below.", "右下肺野片状阴影，心影不大", "Pneumonia."
    )
    assert "unseen_picture" not in shown
    assert "unseen_picture" in findings("Interpret this x-ray shown below.", "", "Pneumonia.")


def test_an_output_that_is_cut_off_is_found_in_any_script():
    assert "truncated_output" in findings("请描述治疗方法", "", "治疗包括以下几点，")
    assert "truncated_output" in findings(
        "صف علاج الربو الحاد.", "", "يشمل العلاج ما يلي بالترتيب،"
    )
    assert "truncated_output" not in findings("请描述治疗方法", "", "治疗包括以下几点。")


@pytest.mark.parametrize(
    ("text", "expected"),
    [(ENGLISH, True), (GERMAN, False), (INDONESIAN, False), ("Film", True), ("", True)],
)
def test_english_is_known_by_its_frequent_words(text, expected):
    assert is_english([text]) is expected
