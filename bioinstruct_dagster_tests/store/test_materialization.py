"""What the UI shows of a table, and how a stated error ends a step."""

from bioinstruct_dagster.store.materialization import (
    PREVIEW_CHARACTERS,
    markdown_table,
)


def test_a_table_has_a_header_and_a_line_per_row():
    text = markdown_table([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}])
    assert text.splitlines() == ["| a | b |", "| --- | --- |", "| 1 | x |", "| 2 | y |"]


def test_a_cell_is_one_line_without_column_breaks_and_not_long():
    *_, line = markdown_table([{"a": "one\ntwo|three " + "x" * PREVIEW_CHARACTERS}]).splitlines()
    assert line.startswith("| one two\\|three ")
    assert len(line) == PREVIEW_CHARACTERS + len("|  |")
    assert line.endswith("… |")


def test_a_table_without_rows_says_so():
    assert markdown_table([]) == "no rows"
