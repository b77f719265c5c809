"""The stand-in judge: its stated rule, and that its replies say what they are."""

import json

import pytest

from bioinstruct_dagster.evaluation.judge import rubric
from bioinstruct_dagster.rehearsal.api_server import judge
from bioinstruct_dagster.rehearsal.api_server.judge import judge_reply

GRADED = {
    "number": 1,
    "source": "The patient has fever and cough since 3 days.",
    "reference": "Fever and cough for 3 days.",
    "answer": "Fever for 3 days. Allergic to penicillin.",
}
PAIRED = {
    "number": 1,
    "source": GRADED["source"],
    "reference": GRADED["reference"],
    "first": "Headache.",
    "second": "Fever and cough.",
}


def reply_to(*items, form="json_schema", schema=judge.GRADE_SCHEMA):
    content = "\n".join(["Compare.", *map(json.dumps, items)])
    said = judge_reply(content, form, schema)
    return said and json.loads(said)


def test_a_fact_is_a_word_of_four_letters_or_a_number():
    (grade,) = reply_to(GRADED)["grades"]
    counts = {name: grade[name] for name in rubric.COUNTS}
    # Reference: fever, cough, 3, days. Answer: fever, 3, days, allergic, penicillin.
    assert counts == {
        "covered": 3,
        "distorted": 0,
        "omitted": 1,
        "supported": 3,
        "contradicted": 0,
        "invented": 2,
    }


def test_the_better_answer_is_preferred_in_either_place():
    (said,) = reply_to(PAIRED, schema=judge.PAIR_SCHEMA)["pairs"]
    assert said["preferred"] == "second"
    exchanged = {**PAIRED, "first": PAIRED["second"], "second": PAIRED["first"]}
    assert reply_to(exchanged, schema=judge.PAIR_SCHEMA)["pairs"][0]["preferred"] == "first"
    equal = {**PAIRED, "second": PAIRED["first"]}
    assert reply_to(equal, schema=judge.PAIR_SCHEMA)["pairs"][0]["preferred"] == "neither"


def test_every_reply_says_that_it_means_nothing():
    assert "Rehearsal" in reply_to(GRADED)["grades"][0]["reason"]
    assert "Rehearsal" in reply_to(PAIRED, schema=judge.PAIR_SCHEMA)["pairs"][0]["reason"]


@pytest.mark.parametrize("form", ["json_object", "text"])
def test_without_a_schema_the_fields_tell_the_question(form):
    assert "grades" in reply_to(GRADED, form=form, schema=None)
    assert "pairs" in reply_to(PAIRED, form=form, schema=None)


def test_other_requests_are_not_the_judge_s():
    assert reply_to(GRADED, schema="quality_checks") is None
    assert reply_to({"number": 1, "instruction": "Name a drug."}, form="text", schema=None) is None
    assert reply_to(form="text", schema=None) is None


def test_the_questions_and_the_stand_in_agree_on_their_names():
    assert judge.GRADE_SCHEMA == rubric.GRADE_SCHEMA
    assert judge.PAIR_SCHEMA == rubric.PAIR_SCHEMA
