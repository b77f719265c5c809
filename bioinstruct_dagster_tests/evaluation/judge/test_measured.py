"""What a judge is worth: a judge as good as people is proven, one that counts words is not."""

import random
from functools import cache

import pytest

from bioinstruct_dagster.evaluation.judge.grades import rubric_version
from bioinstruct_dagster.evaluation.judge.measured import (
    JUDGE,
    agreement_rows,
    standing_of,
    write_measure,
)
from bioinstruct_dagster.evaluation.judge.rivals import (
    BOTH_LENGTHS,
    COMPOSITE,
    LENGTH_RATIO,
    scores_without_judge,
)
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster_tests.evaluation.judge.scored_answers import (
    length_grade,
    scored_answers,
    true_grade,
)

SCORES = scored_answers(30)
QUICK = {"seed": 1, "resamples": 60}
REAL = PROJECT_ROOT.parent / "shared/data/eval/mts_dialog/human_scores_even.jsonl"


def figures(rows):
    return {(row["figure"], row["subject"]): row for row in rows}


def kept(store, rows, **changed):
    usual = {"teacher": "openai", "model": "gpt-4.1", "rehearsal": False}
    write_measure(store, rows, SCORES, **{**usual, **changed})


@cache
def measured_by(grade):
    return agreement_rows(SCORES, [grade(score) for score in SCORES], **QUICK)


def test_a_judge_that_agrees_with_people_is_proven(store):
    rng = random.Random(2)
    rows = measured_by(lambda score: true_grade(score, slip=rng.randint(-2, 2)))
    found = figures(rows)
    assert found["spearman", JUDGE]["value"] > 0.9
    assert found["auroc", JUDGE]["value"] > 0.7
    for name in (BOTH_LENGTHS, LENGTH_RATIO, COMPOSITE):
        assert found["difference", name]["ci_low"] > 0
    kept(store, rows)
    standing = standing_of(store, "openai", "gpt-4.1")
    assert standing.state == "proven"
    assert standing.note.count("It is better than") == 2
    assert "On 120 answers" in standing.note


def test_a_judge_that_counts_words_is_not(store):
    kept(store, measured_by(length_grade))
    standing = standing_of(store, "openai", "gpt-4.1")
    assert standing.state == "not_better"
    # Lengths say nothing of these scores, so the fit of both is worse than nothing.
    assert "not shown to be better than text lengths alone" in standing.note


def test_a_judge_whose_grades_can_hardly_be_read_is_not(store):
    grades = [None if n % 5 == 0 else true_grade(score) for n, score in enumerate(SCORES)]
    rows = agreement_rows(SCORES, grades, **QUICK)
    found = figures(rows)
    assert found["readable", JUDGE]["value"] == 0.8
    assert found["spearman", JUDGE]["n"] == found["spearman", COMPOSITE]["n"] == 96
    kept(store, rows)
    standing = standing_of(store, "openai", "gpt-4.1")
    assert standing.state == "not_better"
    assert "Only 80%" in standing.note


def test_a_measure_is_of_one_judge_and_the_last_one_counts(store):
    store.replace({"seed_tasks": []})
    assert standing_of(store, "openai", "gpt-4.1").state == "not_measured"
    kept(store, measured_by(true_grade))
    assert standing_of(store, "openai", "gpt-4.1").state == "proven"
    assert standing_of(store, "openai", "gpt-5").state == "not_measured"
    assert standing_of(store, "rehearsal", "rehearsal-teacher").state == "rehearsal"
    kept(store, measured_by(length_grade))
    assert standing_of(store, "openai", "gpt-4.1").state == "not_better"
    assert len(store.rows("select distinct measured_at from judge_measures")) == 2


def test_a_measure_for_another_rubric_does_not_count(store):
    kept(store, measured_by(true_grade))
    with store.write() as connection:
        connection.execute("update judge_measures set rubric = 'judge_grade/0@000000000000'")
    standing = standing_of(store, "openai", "gpt-4.1")
    assert standing.state == "not_measured"
    assert "make bench-judge" in standing.note
    assert rubric_version().startswith("judge_grade/")


def test_a_rehearsal_server_behind_a_real_address_proves_nothing(store):
    kept(store, measured_by(true_grade), rehearsal=True)
    assert standing_of(store, "openai", "gpt-4.1").state == "rehearsal"


def test_what_needs_no_judge_stands_beside_it():
    rows = agreement_rows(SCORES, None, **QUICK)
    assert {row["figure"] for row in rows} == {"spearman", "partial", "within", "auroc"}
    assert {row["subject"] for row in rows} == set(scores_without_judge(SCORES))
    beside = figures(measured_by(true_grade))
    for row in rows:
        same = beside[row["figure"], row["subject"]]
        assert (same["value"], same["ci_low"]) == (row["value"], row["ci_low"])


def test_both_lengths_are_fitted_to_other_sources():
    values, errors = scores_without_judge(SCORES)[BOTH_LENGTHS]
    assert (errors == -values).all()
    # Lengths say nothing of these scores, so a fit that had seen a source would agree with it.
    found = figures(agreement_rows(SCORES, None, **QUICK))["spearman", BOTH_LENGTHS]
    assert found["value"] < 0.2


@pytest.mark.skipif(not REAL.is_file(), reason="the real human scores are not at hand")
def test_the_figures_of_the_real_scores_are_those_that_were_published():
    from bioinstruct_dagster.evaluation.judge.human_scores import read_human_scores

    found = figures(agreement_rows(read_human_scores(REAL), None, seed=1, resamples=20))

    def spearman(name):
        return found["spearman", name]["value"]

    assert 0.61 < spearman("summary_length_by_reference_length") < 0.66
    assert 0.61 < spearman("minus_reference_length") < 0.66
    assert 0.68 < spearman("both_lengths_fitted") < 0.73
    assert 0.27 < spearman("rouge_1") < 0.44
    assert spearman("composite") > 0.74
