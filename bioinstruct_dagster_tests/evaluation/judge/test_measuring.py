"""A measurement over real HTTP: what is asked, what is kept, and how it goes on."""

import json

import pytest

from bioinstruct_dagster.evaluation.judge.choice import JudgeError, open_judge
from bioinstruct_dagster.evaluation.judge.measured import standing_of
from bioinstruct_dagster.evaluation.judge.measuring import (
    MeasurementPendingError,
    measure_judge,
)
from bioinstruct_dagster.evaluation.judge.rubric import COUNTS
from bioinstruct_dagster_tests.evaluation.judge.conftest import items_in, preferred
from bioinstruct_dagster_tests.evaluation.judge.scored_answers import scored_answers, true_grade
from bioinstruct_dagster_tests.teacher.rehearsal_servers import column

SCORES = scored_answers(12)
BY_ANSWER = {score.text.answer: score for score in SCORES}
SMALL = {"seed": 1, "repeated": 5, "compared": 6, "resamples": 50}


def as_people(body):
    """What a judge says that agrees with people."""
    (item,) = items_in(body)
    if "first" in item:
        first, second = (BY_ANSWER[item[place]] for place in ("first", "second"))
        ahead = first.share("factual_f1") - second.share("factual_f1")
        return preferred("neither" if not ahead else "first" if ahead > 0 else "second")
    grade = true_grade(BY_ANSWER[item["answer"]])
    counts = {name: getattr(grade, name) for name in COUNTS}
    return json.dumps({"grades": [{"number": 1, "reason": "", **counts}]})


def test_a_judge_is_measured_and_the_figures_are_kept(opened, store):
    session, bodies = opened(as_people)
    found = measure_judge(session, SCORES, **SMALL)
    assert len(bodies) == 48 + 5 + 2 * 6
    figures = {row["figure"]: row for row in found if row["subject"] == "judge"}
    assert figures["spearman"]["value"] == pytest.approx(1)
    assert figures["repeat_equal"]["value"] == 1
    assert figures["pair_agreement"]["value"] == 1
    assert figures["first_preferred"]["value"] == 0.5
    (billed,) = store.rows(
        "select sum(usd) as usd, sum(prompt_tokens + completion_tokens) as tokens from completions "
        "join judge_grades using (completion_id) where repeat = 0"
    )
    assert figures["usd_per_grade"]["value"] == pytest.approx(billed["usd"] / 48)
    assert figures["tokens_per_grade"]["value"] == pytest.approx(billed["tokens"] / 48)
    assert standing_of(store, "openai", "gpt-4.1").state == "proven"
    assert len(column(store, "judge_measures", "figure")) == len(found)
    again = measure_judge(session, SCORES, **SMALL)
    assert len(bodies) == 48 + 5 + 2 * 6  # nothing is paid twice
    assert again == found


def test_a_measurement_that_a_cap_ended_says_so_and_goes_on(opened, store):
    session, bodies = opened(as_people, max_tokens=6_000)
    with pytest.raises(MeasurementPendingError, match="BIOINSTRUCT_MAX_TOKENS is reached"):
        measure_judge(session, SCORES, **SMALL)
    assert store.rows("select * from judge_measures") == []
    assert standing_of(store, "openai", "gpt-4.1").state == "not_measured"
    before = len(bodies)
    session, bodies = opened(as_people)
    measure_judge(session, SCORES, **SMALL)
    assert before + len(bodies) == 48 + 5 + 2 * 6


def test_a_model_that_can_t_grade_is_no_judge(opened):
    session, _ = opened("As a language model, I like all of them.")
    with pytest.raises(JudgeError, match="None of the 48 grades"):
        measure_judge(session, SCORES, **SMALL)


def test_the_stand_in_judge_is_measured_as_what_it_is(store, settings):
    store.replace({"seed_tasks": []})
    with open_judge(settings, store, lambda _: None) as session:
        measure_judge(session, SCORES, **SMALL)
        standing = standing_of(store, session.teacher, session.model)
    assert standing.state == "rehearsal"
    assert set(column(store, "judge_measures", "rehearsal")) == {True}


def test_a_batch_makes_a_measurement_wait(store, settings):
    store.replace({"seed_tasks": []})
    batched = settings.changed(service="batch")
    with (
        open_judge(batched, store, lambda _: None) as session,
        pytest.raises(MeasurementPendingError, match="65 requests are in an open batch"),
    ):
        measure_judge(session, SCORES, **SMALL)
    with open_judge(batched, store, lambda _: None) as session:
        assert measure_judge(session, SCORES, **SMALL)
