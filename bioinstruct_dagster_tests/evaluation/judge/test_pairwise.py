"""Pairs: both orders are asked about, and a win needs both."""

import pytest

from bioinstruct_dagster.evaluation.judge.pairwise import (
    AnswerPair,
    PairChoice,
    outcome,
    pair_question,
)
from bioinstruct_dagster.teacher.answers import StoredAnswer, ask_about
from bioinstruct_dagster_tests.evaluation.judge.conftest import items_in, preferred

PAIR = AnswerPair("The knee hurts.", "Knee pain.", "Pain of the knee.", "Headache.")


def said(forward, backward):
    return {
        order: StoredAnswer(None if choice is None else PairChoice(choice), "c")
        for order, choice in ((PAIR, forward), (PAIR.exchanged(), backward))
    }


@pytest.mark.parametrize(
    ("forward", "backward", "points", "consistent", "firsts", "choices"),
    [
        ("first", "second", 1.0, True, 1, 2),
        ("second", "first", 0.0, True, 1, 2),
        ("first", "first", 0.5, False, 2, 2),
        ("second", "second", 0.5, False, 0, 2),
        ("neither", "neither", 0.5, True, 0, 0),
        ("first", "neither", 0.5, False, 1, 1),
    ],
)
def test_an_answer_wins_only_in_both_orders(forward, backward, points, consistent, firsts, choices):
    found = outcome(PAIR, said(forward, backward))
    assert (found.points, found.consistent) == (points, consistent)
    assert (found.first_places, found.choices) == (firsts, choices)


def test_the_other_answer_gets_what_is_left():
    answers = said("first", "second")
    ours, theirs = outcome(PAIR, answers), outcome(PAIR.exchanged(), answers)
    assert ours.points + theirs.points == 1


@pytest.mark.parametrize("missing", [said("first", None), {PAIR: said("first", "x")[PAIR]}, {}])
def test_a_pair_without_both_orders_has_no_outcome(missing):
    assert outcome(PAIR, missing) is None


def test_equal_answers_need_no_judge():
    pair = AnswerPair("s", "r", "The same.", "The same.\n")
    assert pair.needs_no_judge
    found = outcome(pair, {})
    assert (found.points, found.choices) == (0.5, 0)


def test_a_choice_is_asked_for_in_each_order_and_stored(opened, store):
    session, bodies = opened(
        lambda body: preferred("first" if items_in(body)[0]["first"] == PAIR.first else "second")
    )
    orders = [PAIR, PAIR.exchanged()]
    _, answers = ask_about(session, pair_question(), orders)
    assert outcome(PAIR, answers).points == 1.0
    shown = [items_in(body)[0] for body in bodies]
    assert [item["first"] for item in shown] == [PAIR.first, PAIR.second]
    assert {row["preferred"] for row in store.rows("select * from judge_pairs")} == {
        "first",
        "second",
    }
    ask_about(session, pair_question(), orders)
    assert len(bodies) == 2


def test_another_word_is_no_choice(opened, store):
    session, _ = opened(preferred("both"))
    _, answers = ask_about(session, pair_question(), [PAIR, PAIR.exchanged()])
    assert outcome(PAIR, answers) is None
    assert store.rows("select preferred from judge_pairs where preferred is not null") == []
