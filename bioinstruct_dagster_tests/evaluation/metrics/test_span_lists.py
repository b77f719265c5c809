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


TREATMENT = ("Drug", "Dosage", "Route", "Freq", "Duration")


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("Drug", "non-steroidal, anti-inflammatory drugs"),
        ("Duration", ">10 years"),
        ("Dosage", ">5 times the usual dose"),
        ("Dosage", "unknown"),
    ],
)
def test_a_right_span_is_read_as_it_stands(label, text):
    assert read_spans(f"{label}: {text}", TREATMENT, ((label, text),)) == ((label, text),)
    both = (("Drug", "aspirin"), ("Drug", "b, c"))
    assert read_spans("Drug: aspirin, b, c", TREATMENT, both) == both


@pytest.mark.parametrize("text", ["none of the patients", "no one", "a|b", "5. metatarsal"])
def test_a_right_span_without_a_label_is_read_as_it_stands(text):
    assert read_spans(text, ("antecedent",), (("antecedent", text),)) == (("antecedent", text),)


def test_words_that_begin_with_no_are_a_span_and_not_an_empty_list():
    assert read_spans("no one", ("antecedent",)) == (("antecedent", "no one"),)
    assert read_spans("None of the patients.", ("antecedent",)) == (
        ("antecedent", "None of the patients"),
    )
    assert read_spans("No antecedent is mentioned.", ("antecedent",)) == ()


@pytest.mark.parametrize(
    "answer",
    [
        "Drug: aspirin, Route: oral",
        "Drug: aspirin; Route: oral",
        "Drug: aspirin | Route: oral",
        "Drugs: aspirin\nRoute = oral",
        "**Drugs**\n- aspirin\n**Route**\n- oral",
        "<Drug>aspirin</Drug><Route>oral</Route>",
        "| Drug | Route |\n|---|---|\n| aspirin | oral |",
        '{"drugs": [{"name": "aspirin", "route": "oral"}]}',
        "Drug: aspirin\nRoute: oral\nDuration: not specified\nFreq: unknown\nDosage: -",
        "Drug: aspirin\nRoute: oral\n\nText: more\nDrug: insulin",
    ],
)
def test_several_labels_may_stand_together(answer):
    assert set(read_spans(answer, TREATMENT)) == {("Drug", "aspirin"), ("Route", "oral")}


def test_a_label_may_be_written_out():
    assert read_spans("Frequency: daily", TREATMENT) == (("Freq", "daily"),)
    assert read_spans("Duration: three weeks, then stopped", TREATMENT) == (
        ("Duration", "three weeks, then stopped"),
    )
