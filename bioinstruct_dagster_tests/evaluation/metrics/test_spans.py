"""F1 of spans: strict and relaxed, by class, and unread answers."""

import pytest

from bioinstruct_dagster.evaluation.metrics.spans import span_counts, span_metrics
from bioinstruct_dagster.evaluation.statistics.estimates import estimate
from bioinstruct_dagster_tests.evaluation.metrics.items import (
    by_item,
    by_name,
    item,
    result,
    task_of,
)

DRUGS = task_of({"kind": "spans", "labels": ["Drug", "Dosage"]})
RIGHT = (("Drug", "aspirin"), ("Dosage", "81 mg daily"))


def measured(items, *answers, task=DRUGS):
    results = by_item(*(result(n, "answer", answer=text) for n, text in answers))
    return by_name(span_metrics(task.scoring, items, results))


def score(measured_one):
    return estimate(measured_one, {}, 0).score


def counts(right, listed, *, relaxed=False):
    return span_counts(
        [("Drug", each) for each in right],
        [("Drug", each) for each in listed],
        "Drug",
        relaxed=relaxed,
    )


def test_spans_are_counted_by_class():
    found = measured([item(1, spans=RIGHT)], (1, "Drug: aspirin\nDosage: 81 mg\nDrug: ibuprofen"))
    assert found["span_f1_strict"].counts_by_class() == {"Drug": (1, 1, 0), "Dosage": (0, 1, 1)}
    assert found["span_f1_relaxed"].counts_by_class() == {"Drug": (1, 1, 0), "Dosage": (1, 0, 0)}
    assert score(found["span_f1_strict"]) == pytest.approx(2 / (2 + 2 + 1))
    assert score(found["span_f1_relaxed"]) == pytest.approx(4 / 5)
    assert score(found["span_macro_f1_strict"]) == pytest.approx((2 / 3 + 0) / 2)
    assert score(found["span_f1_strict_Drug"]) == pytest.approx(2 / 3)
    assert score(found["span_f1_strict_Dosage"]) == 0


def test_an_unread_answer_misses_its_spans_and_is_counted():
    items = [item(1, spans=RIGHT), item(2, spans=())]
    found = measured(items, (1, "I am not sure what you mean by that."), (2, "none"))
    assert found["span_f1_strict"].counts_by_class() == {"Drug": (0, 0, 1), "Dosage": (0, 0, 1)}
    assert found["invalid_answers"].item_values() == {"item-1": 1, "item-2": 0}


def test_case_marks_and_articles_do_not_count():
    assert counts(["Aspirin"], ["the aspirin."]) == [1, 0, 0]
    assert counts(["A stent"], ["stent"]) == [1, 0, 0]
    assert counts(["aspirin"], ["aspirins"]) == [0, 1, 1]


def test_each_right_span_counts_once():
    assert counts(["aspirin"], ["aspirin", "aspirin 81 mg"], relaxed=True) == [1, 1, 0]
    assert counts(["aspirin", "aspirin"], ["aspirin"]) == [1, 0, 0]


def test_a_relaxed_match_shares_half_of_the_words():
    assert counts(["lisinopril 10 mg"], ["lisinopril"], relaxed=True) == [1, 0, 0]
    assert counts(["oral lisinopril 10 mg daily"], ["lisinopril"], relaxed=True) == [0, 1, 1]
    # The better match is taken first.
    found = counts(["low dose aspirin", "aspirin"], ["aspirin", "dose aspirin"], relaxed=True)
    assert found == [2, 0, 0]


def test_another_label_is_no_match():
    right, listed = [("active", "aspirin")], [("discontinued", "aspirin")]
    assert span_counts(right, listed, "active", relaxed=True) == [0, 0, 1]
    assert span_counts(right, listed, "discontinued", relaxed=True) == [0, 1, 0]


def test_a_single_label_has_no_average_over_labels():
    task = task_of({"kind": "spans", "labels": ["antecedent"]})
    found = measured([item(1, spans=(("antecedent", "the mass"),))], (1, "the mass"), task=task)
    assert set(found) == {"span_f1_strict", "span_f1_relaxed", "invalid_answers"}
    assert score(found["span_f1_strict"]) == 1


def test_nothing_answered_is_nothing_measured():
    assert measured([item(1, spans=RIGHT)]) == {}
