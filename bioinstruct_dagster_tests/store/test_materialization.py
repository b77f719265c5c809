"""What the UI shows of a table, and how a stated error ends a step."""

import pytest

from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.store.materialization import (
    PREVIEW_CHARACTERS,
    REHEARSED,
    markdown_table,
    rehearsal_note,
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


MARKED = "select distinct table_name from information_schema.columns where column_name = $column"


def test_each_asset_whose_rows_are_marked_says_what_they_are(store, settings):
    store.replace({})
    marked = {row["table_name"] for row in store.rows(MARKED, {"column": "rehearsal"})}
    assets = {key.path[-1] for one in build_defs(settings).assets for key in one.keys}
    assert set(REHEARSED) <= marked
    # The page of judged_answers shows the table judge_scores.
    assert assets & marked <= set(REHEARSED)


@pytest.mark.parametrize(
    ("table", "said", "not_said"),
    [
        ("raw_instructions", "1 of 1 row was made with the rehearsal teacher. It", "fixture"),
        ("lora_adapter", "1 of 1 adapter was made with the embedded base model or", "fixture"),
        ("eval_scores", "1 of 1 score was made on fixture items, or of an adapter", "teacher"),
    ],
)
def test_the_note_names_only_what_can_be_so_in_a_table(table, said, not_said):
    assert said in rehearsal_note(table, 1, 1)
    assert not_said not in rehearsal_note(table, 1, 1)
    assert "1,200 of 2,400 " in rehearsal_note(table, 1_200, 2_400)
