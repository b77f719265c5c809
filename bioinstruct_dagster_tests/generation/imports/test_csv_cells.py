"""The cells of a CSV text, each row with its line and its own text."""

import pytest

from bioinstruct_dagster.generation.imports.csv_cells import CsvCells, CsvFaultError, CsvRow


def test_a_row_knows_its_line_its_cells_and_its_text():
    assert [*CsvCells('a,"b\nc"\r\n\r\nd,\n', ",").rows()] == [
        CsvRow(1, ["a", "b\nc"], 'a,"b\nc"'),
        CsvRow(3, [""], ""),
        CsvRow(4, ["d", ""], "d,"),
    ]


def test_an_empty_text_has_no_rows():
    assert [*CsvCells("", ",").rows()] == []


def test_rows_before_a_fault_are_read():
    rows = CsvCells('a,b\nc,"d\n', ",").rows()
    assert next(rows).cells == ["a", "b"]
    with pytest.raises(CsvFaultError) as fault:
        next(rows)
    assert fault.value.line == 2


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        (r'"a\"b",c', ['a"b', "c"]),
        (r'"a\\",c', ["a\\", "c"]),
        (r'"a\\\"b",c', ['a\\"b', "c"]),
        (r'"a""b\n",c', ['a"b\\n', "c"]),
    ],
)
def test_a_backslash_escapes_a_quote_if_the_file_is_read_so(text, cells):
    (row,) = CsvCells(text, ",", backslash=True).rows()
    assert row.cells == cells
