"""The texts of a filled-in line are compared with those of its id, as spreadsheets leave them."""

from dataclasses import replace

import pytest

from bioinstruct_dagster.review.handed_in.judgements import judgement_of
from bioinstruct_dagster.review.page.sheet_texts import faults_of_texts
from bioinstruct_dagster_tests.review.made_reviews import made_row


def faults(row, **cells):
    said = {"item_id": row.item_id, "reviewer": "AB", "decision": "accept"} | cells
    return faults_of_texts([judgement_of(said, "AB.csv, line 7")], {row.row_id: row})


def row_with(**texts):
    row = made_row("a")
    return replace(row, texts=row.texts | texts, as_written=row.texts | texts)


def test_a_shifted_id_is_named_by_file_line_and_item():
    row = row_with()
    [fault] = faults(row, instruction="Task b", input="", output="Answer.")
    assert fault.startswith("AB.csv, line 7: column instruction: ")
    assert row.item_id in fault


def test_an_edited_output_is_named():
    [fault] = faults(row_with(), instruction="Task a", input="", output="A better answer.")
    assert "column output" in fault


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("- one\n- two", "'- one\r\n- two "),
        ("=1+1 is two", "=1+1 is two"),
        ("1.50", "1.5"),
        ("x" * 40_000, "x" * 32_000),
        ("-" + "x" * 40_000, "'-" + "x" * 31_998),
        ("5 µg/L ≥ α", "5 µg/L ? a"),
        ("The patient, MRN 4839201, is well.", "The patient, MRN [mrn], is well."),
    ],
)
def test_what_a_spreadsheet_or_a_mask_changes_is_no_fault(text, cell):
    assert faults(row_with(output=text), instruction="Task a", output=cell) == []


def test_absent_or_emptied_text_columns_are_no_fault():
    assert faults(row_with()) == []
    assert faults(row_with(), instruction="", input="", output="") == []
