"""Accuracy by likelihood and by written answers, invalid answers, macro-F1, bias by position."""

import pytest

from bioinstruct_dagster.evaluation.metrics.choices import choice_metrics
from bioinstruct_dagster.evaluation.statistics.comparisons import compare
from bioinstruct_dagster.evaluation.statistics.estimates import estimate
from bioinstruct_dagster_tests.evaluation.metrics.items import (
    by_item,
    by_name,
    item,
    result,
    task_of,
)

LETTERS = task_of({"kind": "choice"})
TEXTS = task_of({"kind": "choice", "options": "texts"})
LABELLED = task_of({"kind": "choice", "options": "texts", "labels": {"Y": "yes", "N": "no"}})
OPTIONS = ("Aspirin", "Metformin")


def measured(task, items, *results):
    return by_name(choice_metrics(task, task.scoring, items, by_item(*results)))


def options(number, *log_likelihoods, tokens=None, **values):
    tokens = tokens or (1,) * len(log_likelihoods)
    return result(
        number, "options", log_likelihoods=log_likelihoods, option_tokens=tokens, **values
    )


def test_the_likeliest_option_is_the_answer():
    items = [item(1, options=OPTIONS, gold=0), item(2, options=OPTIONS, gold=0)]
    found = measured(LETTERS, items, options(1, -1, -2), options(2, -2, -1))["accuracy"]
    assert found.item_values() == {"item-1": 1, "item-2": 0}
    assert found.proportion
    assert found.bounds == (0, 1)


def test_a_long_option_is_not_punished_per_token():
    items = [item(1, options=OPTIONS, gold=1)]
    found = measured(TEXTS, items, options(1, -3, -4, tokens=(1, 4)))
    assert found["accuracy"].values.tolist() == [0]
    assert found["accuracy_per_token"].values.tolist() == [1]


def test_the_prior_is_subtracted():
    items = [item(1, options=OPTIONS, gold=1)]
    prior = result(1, "prior", log_likelihoods=(-1, -9), permutation=(0, 1))
    found = measured(TEXTS, items, options(1, -3, -4), prior)
    assert found["accuracy"].values.tolist() == [0]
    assert found["accuracy_minus_prior"].values.tolist() == [1]
    assert "accuracy_minus_prior" not in measured(TEXTS, items, options(1, -3, -4))


def test_the_prior_of_a_letter_belongs_to_its_place():
    items = [item(1, options=OPTIONS, gold=0)]
    # The model likes the letter A. In the second order A is Metformin, whose advantage of 0.5 is
    # less than what A has anyway.
    prior = result(1, "prior", log_likelihoods=(-1, -2), permutation=(0, 1))
    shown = options(1, -2.0, -1.5, order=1, permutation=(1, 0))
    found = measured(LETTERS, items, shown, prior)
    assert found["accuracy"].values.tolist() == [0]
    assert found["accuracy_minus_prior"].values.tolist() == [1]
    # A text has its prior wherever it is shown.
    assert measured(TEXTS, items, shown, prior)["accuracy_minus_prior"].values.tolist() == [0]


def test_orders_are_averaged_and_ties_are_shared():
    items = [item(1, options=OPTIONS, gold=0), item(2, options=OPTIONS, gold=0)]
    found = measured(
        LETTERS,
        items,
        options(1, -1, -2, permutation=(0, 1)),
        options(1, -2, -1, order=1, permutation=(1, 0)),
        options(2, -1, -1),
    )["accuracy"]
    assert found.item_values() == {"item-1": 0.5, "item-2": 0.5}
    assert not found.proportion


def test_written_answers_are_right_wrong_or_invalid():
    items = [item(number, options=OPTIONS, gold=1) for number in range(4)]
    answers = ["The answer is (B).", "A", "I don't know.", ""]
    found = measured(
        LETTERS, items, *(result(n, "answer", answer=text) for n, text in enumerate(answers))
    )
    assert found["accuracy_generated"].values.tolist() == [1, 0, 0, 0]
    assert found["invalid_answers"].values.tolist() == [0, 0, 1, 1]
    assert found["invalid_answers"].higher_is_better is False
    assert "accuracy" not in found  # no likelihoods were measured


def test_a_written_letter_belongs_to_the_order_that_was_shown():
    items = [item(1, options=OPTIONS, gold=1)]
    shown = result(1, "answer", answer="A", permutation=(1, 0))
    assert measured(LETTERS, items, shown)["accuracy_generated"].values.tolist() == [1]


def test_macro_f1_counts_an_unread_answer_as_a_miss_alone():
    items = [item(1, gold=0), item(2, gold=0), item(3, gold=1)]
    found = measured(
        LABELLED,
        items,
        *(result(n, "answer", answer=text) for n, text in ((1, "yes"), (2, "perhaps"), (3, "Yes"))),
        *(options(n, -1, -2) for n in (1, 2, 3)),
    )
    generated = found["macro_f1_generated"]
    # For each label: found, false alarms, missed.
    assert generated.counts_by_class() == {"Y": (1, 1, 1), "N": (0, 0, 1)}
    assert estimate(generated, {}, 0).score == pytest.approx(0.5 / 2)
    assert found["macro_f1"].counts_by_class() == {"Y": (2, 1, 0), "N": (0, 0, 1)}
    assert "macro_f1" not in measured(LETTERS, [item(1, options=OPTIONS, gold=0)], options(1, 0, 1))


def test_position_bias_is_what_is_chosen_beyond_what_is_right():
    items = [item(n, options=OPTIONS, gold=n % 2) for n in range(4)]
    # This model takes the first place, whatever stands there.
    shown = [options(n, -1, -2, permutation=(0, 1)) for n in range(4)]
    shown += [options(n, -2, -1, order=1, permutation=(1, 0)) for n in range(4)]
    found = measured(LETTERS, items, *shown)
    assert found["position_excess_A"].values.mean() == pytest.approx(0.5)
    assert found["position_excess_B"].values.mean() == pytest.approx(-0.5)
    assert found["position_excess_A"].bounds == (-1, 1)
    # This one knows the answers.
    right = [options(n, -(n % 2), n % 2 - 1, permutation=(0, 1)) for n in range(4)]
    found = measured(LETTERS, items, *right)
    assert found["accuracy"].values.tolist() == [1, 1, 1, 1]
    assert found["position_excess_A"].values.tolist() == [0, 0, 0, 0]


def test_two_subjects_differ_in_a_place_by_at_most_1():
    """The place of the right option is the same for both, so it cancels."""
    items = [item(n, options=OPTIONS, gold=n % 2) for n in range(30)]
    first, second = (
        measured(LETTERS, items, *(options(n, *of, permutation=(0, 1)) for n in range(30)))
        for of in ((-1, -2), (-2, -1))
    )
    found = compare(first["position_excess_A"], second["position_excess_A"], {}, seed=1).estimate
    assert found.score == -1.0
    assert found.ci_low == -1.0
    same = compare(first["position_excess_A"], first["position_excess_A"], {}, seed=1).estimate
    assert same.ci_high < 0.2  # Wilson's bound of 30 items is 0.114


def test_items_without_a_right_option_or_not_asked_do_not_count():
    items = [item(1, options=OPTIONS), item(2, options=OPTIONS, gold=0)]
    assert measured(LETTERS, items, options(1, -1, -2), options(2, -1, -2, asked=False)) == {}
