"""Sets of another shape: chats beside columns, null chats, and rows that no mapping can read."""

import json

import pytest

from bioinstruct_dagster.generation.imports.shapes import ROW_FORM
from bioinstruct_dagster_tests.generation.imports.test_read_set import (
    CHAT,
    COLUMNS,
    RECORDS,
    SETTING,
    complaints,
    imported,
    write,
)


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "csv"])
def test_null_chats_are_counted_wherever_they_stand(tmp_path, suffix):
    value = json.dumps(CHAT) if suffix == "csv" else CHAT
    records = [{"id": "1", "conversations": one} for one in (None, None, value, None)]
    found = imported(write(tmp_path / f"set.{suffix}", records))
    assert [row["output"] for row in found.rows] == ["Metformin"]
    assert sum("3 of 4 chats are not imported" in note for note in found.notes) == 1


@pytest.mark.parametrize("columns", [COLUMNS, {**COLUMNS, "messages": "messages"}])
def test_a_column_of_chats_that_is_null_everywhere_is_refused(tmp_path, columns):
    path = write(tmp_path / "set.jsonl", [{"messages": None}] * 3)
    said = " ".join(complaints(path, columns))
    assert "column 'messages' is null in every row" in said or "3 of 3 chats are not" in said


UNREADABLE = "No mapping of columns can read this set"


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"id": "0", "data": ["Q?", "A."]}, "The column 'data' holds a list of texts."),
        ({"chat": [{"human": "Q?", "assistant": "A."}]}, "a list with an object with 'human', 'as"),
        ({"questions": [["Q?", "R?"]], "answers": ["A."]}, "'questions' holds a list of lists."),
        ({"data": {"question": "Q?", "answer": "A."}}, "an object with 'question', 'answer'."),
        ({"text": "### Human: Q? ### Assistant: A."}, UNREADABLE),
        ({"message_id": "1", "parent_id": None, "role": "prompter", "text": "Q?"}, "a tree"),
        ({"instruction": "Q?", "output": ["A."]}, "'output' (output): expected text, found a list"),
        ([["Q?", "A."]], "expected an object, found list"),
        ({"messages": ["Q?", "A."]}, "The column 'messages' holds a list of texts."),
    ],
)
@pytest.mark.parametrize("suffix", ["json", "jsonl", "parquet"])
def test_a_shape_that_no_mapping_can_read_is_named_with_the_form_of_a_row(
    tmp_path, suffix, record, said
):
    if suffix == "parquet" and isinstance(record, list):
        return
    lines = complaints(write(tmp_path / f"set.{suffix}", [record] * 3))
    assert any(said in line for line in lines), lines
    assert lines[-1] == ROW_FORM
    assert not any("=COLUMN" in line for line in lines)


def test_unknown_names_of_texts_may_be_mapped(tmp_path):
    lines = complaints(write(tmp_path / "set.jsonl", [{"foo": "Q?", "bar": "A."}]))
    assert lines[-1].startswith(f"Set {SETTING}=instruction=COLUMN,input=COLUMN,output=COLUMN, wh")


@pytest.mark.parametrize("suffix", ["jsonl", "parquet", "csv"])
@pytest.mark.parametrize("name", ["messages", "conversations", "a,b"])
def test_chats_beside_an_instruction_are_noted_with_their_mapping(tmp_path, suffix, name):
    value = json.dumps(CHAT) if suffix == "csv" else CHAT
    found = imported(write(tmp_path / f"set.{suffix}", [{**RECORDS[0], name: value}] * 3))
    assert found.rows == [RECORDS[0]] * 3
    form = '{"messages": "a,b"}' if name == "a,b" else f"messages={name}"
    start = f"The column {name!r} holds a list of messages in 3 of 3 rows, and is not imported."
    (note,) = (one for one in found.notes if "list of messages" in one)
    assert note.startswith(start)
    assert note.endswith(f"{SETTING}={form}")


def test_earlier_turns_beside_an_instruction_are_noted(tmp_path):
    records = [{**RECORDS[0], "history": [["Q?", "A."]]}, {**RECORDS[0], "history": []}]
    (note,) = imported(write(tmp_path / "set.jsonl", records)).notes
    assert note.startswith("The column 'history' holds earlier questions and answers in 1 of 2 ro")
