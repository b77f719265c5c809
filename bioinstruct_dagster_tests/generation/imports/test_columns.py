"""The columns of a set: mapped, missing, unused, and of another type than text."""

import datetime as dt

import pytest

from bioinstruct_dagster.generation.imports.columns import ColumnReader, ColumnTally
from bioinstruct_dagster.generation.imports.faults import RowFaults

OWN = {"instruction": "instruction", "input": "input", "output": "output"}
SETTING = "BIOINSTRUCT_IMPORT_COLUMNS"
DOLLY = "instruction context response category"
PUBMEDQA = "pubid question context long_answer final_decision"
TEXT = "Some words of a longer text."


def tally_of(*records):
    tally = ColumnTally()
    for record in records:
        tally.add(record)
    return tally


@pytest.mark.parametrize(
    ("names", "mapping"),
    [
        ("instruction input output", "instruction=instruction,input=input,output=output"),
        (DOLLY, "instruction=instruction,input=context,output=response"),
        ("qtype Question Answer", "instruction=Question,output=Answer"),
        ("prompt completion", "instruction=prompt,output=completion"),
        ("prompt response", "instruction=prompt,output=response"),
        ("system_prompt question response", "instruction=question,output=response"),
        ("input answer_icliniq answer_chatgpt", "instruction=input,output=answer_icliniq"),
        (PUBMEDQA, "instruction=question,input=context,output=long_answer"),
        ("foo bar", ""),
    ],
)  # fmt: skip
def test_a_mapping_is_suggested_for_the_names_of_published_sets(names, mapping):
    assert tally_of(dict.fromkeys(names.split(), "x")).fitting_mapping() == mapping


def test_a_column_of_lists_is_not_suggested():
    tally = tally_of({"question": "Q", "answers": ["A"], "context": ["C"], "response": "A"})
    assert tally.fitting_mapping() == "instruction=question,output=response"


def test_a_mapped_column_that_no_row_has_is_named_with_those_that_are_there():
    tally = tally_of({"instruction": "Q", "context": "C", "output": "A"})
    assert tally.missing({**OWN, "input": "contxt"}) == [
        "No row has the column 'contxt', which is mapped to input. Did you mean 'context'?",
        "The columns of the set are 'instruction', 'context', 'output'.",
        f"Set {SETTING}, such as {SETTING}=instruction=instruction,input=context,output=output",
    ]
    assert tally.missing(OWN) == []  # a set may have no input


def test_a_text_column_that_is_not_mapped_is_named_with_a_mapping():
    rows = [
        {"instruction": "Q", "context": TEXT if n % 2 else "", "output": "A", "category": "open_qa"}
        for n in range(40)
    ]
    (line,) = tally_of(*rows).unused_texts(OWN)
    assert line == (
        "The column 'context' holds text in 20 of 40 rows, and is not imported. To import it, set "
        "BIOINSTRUCT_IMPORT_COLUMNS=instruction=instruction,input=context,output=output"
    )


@pytest.mark.parametrize("text", [TEXT, "患者主诉咳嗽三天，伴有发热和头痛。"])
def test_a_text_in_any_script_is_a_text(text):
    (line,) = tally_of({**OWN, "reason": text}).unused_texts(OWN)
    assert line.startswith("The column 'reason' holds text in 1 of 1 rows")
    assert "BIOINSTRUCT" not in line


@pytest.mark.parametrize(
    "value", ["open_qa", "5f1c0b7e-0000-4000-8000-aaaaaaaaaaaa", "", 7, None, "Dr Who", [TEXT]]
)
def test_labels_and_identifiers_are_no_unused_texts(value):
    assert tally_of({**OWN, "x": value}).unused_texts(OWN) == []


def test_a_text_in_a_few_rows_alone_is_no_unused_text():
    assert tally_of({**OWN, "x": TEXT}, *[OWN] * 99).unused_texts(OWN) == []


@pytest.mark.parametrize(
    ("value", "text"),
    [(42, "42"), (1.5, "1.5"), ("\n  a\n b ", "  a\n b"), (b"\xc3\xa4", "ä"), ("", "")],
)
def test_texts_and_numbers_are_texts(value, text):
    faults = RowFaults()
    reader = ColumnReader(OWN, faults)
    row = {"instruction": "Q", "input": "I", "output": value}
    assert reader.row("line 1", row) == {"instruction": "Q", "input": "I", "output": text}
    assert len(reader.notes) == isinstance(value, int | float)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, "expected text, found true or false"),
        (["a"], "expected text, found a list"),
        ({"a": 1}, "expected text, found an object"),
        (dt.date(2024, 1, 2), "expected text, found date"),
        (b"\xff", "expected text, found bytes that are no UTF-8 text"),
        ("a\0b", "holds a lone surrogate or NUL character, which can't be stored as text"),
        ("a\ud83d", "holds a lone surrogate or NUL character, which can't be stored as text"),
    ],
)
def test_what_is_no_text_is_a_fault_with_its_place_and_column(value, said):
    faults = RowFaults()
    row = {"instruction": "Q", "input": "I", "output": value}
    assert ColumnReader(OWN, faults).row("line 3", row) is None
    assert faults.lines() == [f"line 3: column 'output' (output): {said}"]


@pytest.mark.parametrize("row", [{}, {"input": None}, {"input": float("nan")}, {"input": ""}])
def test_an_input_without_a_value_is_the_empty_input(row):
    reader = ColumnReader(OWN, RowFaults())
    found = reader.row("line 1", {"instruction": "Q", "output": "A", **row})
    assert found == {"instruction": "Q", "input": "", "output": "A"}


@pytest.mark.parametrize("null", [None, float("nan")])
def test_a_null_output_is_an_empty_text_and_noted(null):
    faults = RowFaults()
    reader = ColumnReader(OWN, faults)
    rows = [{**OWN, "output": "A"}, *[{**OWN, "output": null}] * 2]
    found = [reader.row(f"line {place}", row) for place, row in enumerate(rows, start=1)]
    assert [row["output"] for row in found] == ["A", "", ""]
    (note,) = reader.notes
    assert "'output' is null in 2 rows (line 2, 3)" in note
    reader.refuse_empty_columns()
    assert not faults.lines()


def test_a_column_of_nulls_alone_is_a_fault():
    faults = RowFaults()
    reader = ColumnReader(OWN, faults)
    reader.row("line 1", {**OWN, "output": None})
    reader.refuse_empty_columns()
    assert faults.lines() == ["line 1: column 'output': null in this and every other row"]
