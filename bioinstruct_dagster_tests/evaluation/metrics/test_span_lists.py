"""Reading lists of spans in the forms that models write."""

import pytest

from bioinstruct_dagster.evaluation.metrics.span_lists import read_spans

STATUS = ("active", "discontinued", "neither")
ASPIRIN = ("active", "aspirin")
LISINOPRIL = ("discontinued", "lisinopril")


@pytest.mark.parametrize(
    "answer",
    [
        "active: aspirin\ndiscontinued: lisinopril",
        "- active: aspirin\n- Discontinued: lisinopril",
        "1. aspirin | active\n2. lisinopril | discontinued",
        "| medication | status |\n|---|---|\n| aspirin | active |\n| lisinopril | discontinued |",
        "aspirin (active)\nlisinopril (discontinued)",
        "aspirin - active\nlisinopril - discontinued",
        "active - aspirin\ndiscontinued – lisinopril",
        "Here are the medications:\n**active:** aspirin\n**discontinued:** lisinopril.",
        "active:\n- aspirin\ndiscontinued:\n- lisinopril\nneither: none",
        '[{"text": "aspirin", "label": "active"}, {"text": "lisinopril", "label": "discontinued"}]',
        '```json\n{"active": ["aspirin"], "discontinued": ["lisinopril"], "neither": []}\n```',
        '{"list": [{"name": "aspirin", "status": "active"}, ["lisinopril", "Discontinued"]]}',
        '{"aspirin": "active", "lisinopril": "discontinued"}',
        '[["aspirin", "active"], ["discontinued", "lisinopril"]]',
        "active: aspirin\ndiscontinued: lisinopril\n\nQuestion: more?\nactive: foo",
        "active: aspirin\nactive: aspirin\ndiscontinued: lisinopril",
    ],
)
def test_the_same_list_is_read_in_each_form(answer):
    assert set(read_spans(answer, STATUS)) == {ASPIRIN, LISINOPRIL}


@pytest.mark.parametrize("answer", ["active: aspirin; losartan", "active: aspirin, losartan"])
def test_a_line_may_hold_several_texts(answer):
    assert read_spans(answer, STATUS) == (ASPIRIN, ("active", "losartan"))


def test_a_number_with_a_comma_stays_one_text():
    assert read_spans("Dosage: 2,300 mg", ("Drug", "Dosage")) == (("Dosage", "2,300 mg"),)


@pytest.mark.parametrize(
    "answer", ["none", "None.", "N/A", "There are no medications.", "[]", "{}", "active: none"]
)
def test_an_empty_list_is_read_as_one(answer):
    assert read_spans(answer, STATUS) == ()


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "The patient was told to rest and to come back.",
        "aspirin",  # of which status?
        "unknown: aspirin",
        '{"drugs": "aspirin"}',
        "[1, 2]",
        '[{"text": "aspirin"',
    ],
)
def test_what_is_no_list_is_not_read(answer):
    assert read_spans(answer, STATUS) is None


@pytest.mark.parametrize(
    "answer", ["the mass", '"the mass".', "antecedent: the mass", "Answer: the mass", "- the mass"]
)
def test_one_label_needs_no_name(answer):
    assert read_spans(answer, ("antecedent",)) == (("antecedent", "the mass"),)


def test_a_sentence_is_no_span_of_a_single_label():
    assert read_spans("word " * 40, ("antecedent",)) is None
