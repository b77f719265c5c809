"""Biases: each is found where it was planted, and not where it was not."""

from dataclasses import replace

import pytest

from bioinstruct_dagster.evaluation.judge.biases import (
    MeasuredPair,
    grade_biases,
    pair_biases,
    repeat_figures,
)
from bioinstruct_dagster.evaluation.judge.pairwise import PairOutcome
from bioinstruct_dagster_tests.evaluation.judge.scored_answers import (
    length_grade,
    scored_answers,
    true_grade,
)

QUICK = {"seed": 1, "resamples": 100}
SCORES = scored_answers(30, writers=("llama-2-7b", "gpt-4", "gpt-4", "mistral-7b"))
PAIRS = list(zip(SCORES[::4], SCORES[1::4], strict=True))


def found(figures):
    return {figure.name: figure for figure in figures}


def of_grades(grades, judge="gpt-4.1", scores=SCORES):
    return found(grade_biases(scores, grades, judge, **QUICK))


def test_a_judge_that_likes_length_is_found():
    fair = of_grades([true_grade(score) for score in SCORES])["length_bias"]
    fond = of_grades([length_grade(score) for score in SCORES])["length_bias"]
    assert fair.low < 0.1
    assert fond.low > 0.8


def test_a_judge_that_likes_its_family_is_found():
    kind = [true_grade(score, slip=4 * score.writer.startswith("gpt")) for score in SCORES]
    fair = [true_grade(score) for score in SCORES]
    assert of_grades(kind)["family_gap"].low > 0.05
    gap = of_grades(fair)["family_gap"]
    assert gap.low <= 0 <= gap.high


@pytest.mark.parametrize("judge", ["own-judge", "claude-sonnet"])
def test_without_answers_of_both_kinds_there_is_no_family_gap(judge):
    grades = [true_grade(score) for score in SCORES]
    assert "family_gap" not in of_grades(grades, judge)
    unnamed = [replace(score, writer="") for score in SCORES]
    assert "family_gap" not in of_grades(grades, "gpt-4.1", unnamed)


def paired(outcome_of):
    return found(pair_biases([MeasuredPair(a, b, outcome_of(a, b)) for a, b in PAIRS], **QUICK))


def test_a_judge_that_prefers_the_first_place_is_found():
    biased = paired(lambda a, b: PairOutcome(0.5, 2, 2, consistent=False))
    assert biased["first_preferred"].value == 1
    assert biased["order_consistent"].value == 0
    assert biased["pair_agreement"].value == 0.5


def better(a, b):
    return float(a.share("factual_f1") > b.share("factual_f1"))


def test_a_judge_that_agrees_with_people_has_none_of_these_biases():
    fair = paired(lambda a, b: PairOutcome(better(a, b), 1, 2, consistent=True))
    assert fair["first_preferred"].value == 0.5
    assert fair["order_consistent"].value == 1
    assert fair["pair_agreement"].value == 1
    assert fair["longer_preferred"].value == 0


def test_a_judge_that_prefers_the_longer_answer_is_found():
    def longer(a, b):
        return float(len(a.text.answer.split()) > len(b.text.answer.split()))

    fond = paired(lambda a, b: PairOutcome(longer(a, b), 1, 2, consistent=True))
    assert fond["longer_preferred"].low > 0.2


def test_without_pairs_or_repeats_there_are_no_figures():
    assert pair_biases([], **QUICK) == []
    assert repeat_figures([], [], [], **QUICK) == []


def test_repeats_are_compared_where_both_grades_can_be_read():
    first = [true_grade(score) for score in SCORES]
    second = [None, true_grade(SCORES[1], slip=-1), *first[2:]]
    figures = found(repeat_figures(SCORES, first, second, **QUICK))
    assert figures["repeat_equal"].n == len(SCORES) - 1
    assert figures["repeat_equal"].value == pytest.approx(1 - 1 / (len(SCORES) - 1))
    assert 0 < figures["repeat_difference"].value < 0.01
    assert figures["repeat_spearman"].value > 0.99
