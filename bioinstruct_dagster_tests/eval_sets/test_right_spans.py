"""Right spans in the forms of the sources, and how wrong ones are named."""

import pytest

from bioinstruct_dagster.eval_sets.items import EvaluationFileError
from bioinstruct_dagster_tests.eval_sets.task_files import (
    SPANS,
    changed,
)

LISTED = changed(
    SPANS,
    fields={"spans": None, "span_list": {"each": "e[]", "text": "t", "label": "l"}},
)


@pytest.mark.parametrize(
    ("drugs", "spans"),
    [
        ("aspirin", ["aspirin"]),
        ('["aspirin", "heparin"]', ["aspirin", "heparin"]),
        ("['aspirin', \"St John's wort\"]", ["aspirin", "St John's wort"]),
        ("[aspirin, heparin]", ["aspirin", "heparin"]),
        ("[]", []),
        ("", []),
        (None, []),
        (["high-dose", "12 g"], ["high-dose 12 g"]),
        ([], []),
    ],
)
def test_spans_are_read_in_the_forms_of_the_sources(scored, drugs, spans):
    item = scored({"q": "Note.", "drugs": drugs}, SPANS)
    assert item.spans == tuple(("Drug", text) for text in spans)


def test_spans_stand_in_the_order_of_labels_and_once(scored):
    task = changed(SPANS, fields={"spans": {"Dose": "doses[]?", "Drug": "drugs[]?"}})
    row = {"q": "Note.", "drugs": ["b", "a", "b"], "doses": ["1 mg"]}
    assert scored(row, task).spans == (("Drug", "b"), ("Drug", "a"), ("Dose", "1 mg"))


def test_spans_may_be_a_list_of_objects(scored):
    row = {"q": "Note.", "e": [{"t": "5 mg", "l": "Dose"}, {"t": "aspirin", "l": "Drug"}]}
    assert scored(row, LISTED).spans == (("Drug", "aspirin"), ("Dose", "5 mg"))


@pytest.mark.parametrize(
    ("row", "task", "said"),
    [
        ({"e": [{"t": "x", "l": "Route"}]}, LISTED, "label 'Route' is not one of Drug, Dose"),
        ({"e": ["x"]}, LISTED, "field e\\[\\]: holds something that is no object"),
        ({"e": [{"l": "Drug"}]}, LISTED, "field t: is missing"),
        ({}, LISTED, "field e\\[\\]: is missing"),
        ({"drugs": 5}, SPANS, "field drugs\\?: is int, not text or a list of texts"),
        ({"drugs": [["x"]]}, SPANS, "field drugs\\?: is list, not text or a list of texts"),
    ],
)
def test_wrong_spans_are_named(scored, row, task, said):
    with pytest.raises(EvaluationFileError, match=said):
        scored({"q": "Note.", **row}, task)
