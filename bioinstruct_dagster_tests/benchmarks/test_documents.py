"""The tables of all benchmark reports: no cell can break a line."""

from benchmarks.documents import table_head, table_line


def test_a_bar_in_a_cell_does_not_begin_another_cell():
    lines = [*table_head(["mode", "runs"]), table_line(["ours", "status 1: base|recipe failed"])]
    assert lines == [
        "| mode | runs |",
        "| --- | --- |",
        "| ours | status 1: base/recipe failed |",
    ]
