"""Grades: what counts mean, which replies are read, and that no answer is paid for twice."""

import json
import math

import pytest

from bioinstruct_dagster.evaluation.judge.grades import (
    SHARES,
    Grade,
    GradedText,
    grade_question,
    grade_without_judge,
    rubric_version,
)
from bioinstruct_dagster.teacher.answers import ask_about, stored_answers
from bioinstruct_dagster_tests.evaluation.judge.conftest import graded, items_in

TEXT = GradedText("Doctor: Any pain?\nPatient: In the left knee.", "Left knee pain.", "Knee pain.")


def test_shares_are_those_of_the_study_whose_scores_measure_a_judge():
    grade = Grade(covered=3, distorted=1, omitted=4, supported=3, contradicted=1, invented=2)
    assert grade.share("factual_recall") == 3 / 8
    assert grade.share("omission_rate") == 4 / 8
    assert grade.share("factual_precision") == 3 / 6
    assert grade.share("hallucination_rate") == 2 / 6
    assert math.isclose(grade.share("factual_f1"), 2 * 0.375 * 0.5 / 0.875)


def test_an_answer_without_facts_has_neither_precision_nor_hallucinations():
    grade = Grade(0, 0, 4, 0, 0, 0)
    shares = [grade.share(name) for name in SHARES]
    assert dict(zip(SHARES, shares, strict=True)) == {
        "factual_f1": 0.0,
        "factual_recall": 0.0,
        "factual_precision": None,
        "hallucination_rate": None,
        "omission_rate": 1.0,
    }


def test_an_empty_answer_needs_no_judge():
    assert grade_without_judge(TEXT) is None
    grade = grade_without_judge(GradedText("s", "r", " \n"))
    assert (grade.share("factual_recall"), grade.share("factual_precision")) == (0.0, None)


@pytest.mark.parametrize(
    "said",
    [
        graded(1, 0, -1, 1, 0, 0),
        graded(1, 0, 1.5, 1, 0, 0),
        graded(1, 0, "many", 1, 0, 0),
        graded(True, 0, 0, 1, 0, 0),
        graded(0, 0, 0, 1, 0, 0),
        graded(1, 0, 10**9, 1, 0, 0),
        json.dumps({"grades": [{"number": 1, "covered": 2}]}),
        json.dumps({"grades": []}),
    ],
)
def test_a_grade_that_is_no_count_of_facts_is_unreadable_and_kept_as_such(opened, store, said):
    session, bodies = opened(said)
    _, found = ask_about(session, grade_question(), [TEXT])
    assert found[TEXT].answer is None
    assert store.rows("select covered, reason from judge_grades") == [
        {"covered": None, "reason": ""}
    ]
    ask_about(session, grade_question(), [TEXT])
    assert len(bodies) == 1  # it was paid for, and another reply would be paid for too


def test_a_grade_is_stored_with_what_its_key_covers(opened, store):
    session, _ = opened(graded(2, 1, 3, 4, 5, 6, reason="One  omitted.\nOne wrong."))
    _, found = ask_about(session, grade_question(), [TEXT])
    assert found[TEXT].answer == Grade(2, 1, 3, 4, 5, 6)
    (row,) = store.rows("select * from judge_grades")
    assert (row["model"], row["rubric"], row["repeat"]) == ("gpt-4.1", rubric_version(), 0)
    assert (row["omitted"], row["invented"]) == (3, 6)
    assert row["reason"] == "One omitted. One wrong."
    assert len({row["source_hash"], row["reference_hash"], row["answer_hash"]}) == 3


@pytest.mark.parametrize("field", ["source", "reference", "answer"])
def test_another_text_is_another_grade(opened, field):
    session, bodies = opened(graded(1, 0, 0, 1, 0, 0))
    ask_about(session, grade_question(), [TEXT])
    values = {**TEXT.shown(), field: "Another text."}
    ask_about(session, grade_question(), [GradedText(**values), TEXT])
    assert len(bodies) == 2


def test_an_answer_stands_alone_in_its_request(opened):
    session, bodies = opened(graded(1, 0, 0, 1, 0, 0))
    others = [GradedText(TEXT.source, TEXT.reference, f"Answer {n}.") for n in range(3)]
    ask_about(session, grade_question(), others)
    assert [len(items_in(body)) for body in bodies] == [1, 1, 1]


def test_a_repeat_is_a_second_reply_to_the_same_prompt(opened):
    replies = iter([graded(1, 0, 1, 1, 0, 0), graded(2, 0, 0, 1, 0, 0)])
    session, bodies = opened(lambda _: next(replies))
    ask_about(session, grade_question(), [TEXT])
    ask_about(session, grade_question(1), [TEXT])
    first, second = bodies
    assert first["messages"] == second["messages"]
    shares = [
        stored_answers(session, grade_question(repeat), [TEXT])[TEXT].answer.share("factual_recall")
        for repeat in (0, 1)
    ]
    assert shares == [0.5, 1.0]


def test_the_rubric_s_version_holds_a_hash_of_its_text():
    name, _, digest = rubric_version().partition("@")
    assert name == "judge_grade/1"
    assert grade_question().prompt.template_sha256().startswith(digest)
    assert len(digest) == 12
