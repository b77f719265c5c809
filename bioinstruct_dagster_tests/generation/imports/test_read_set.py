"""Importing an instruction set: equal rows from every format, and errors by row and column."""

import csv
import gzip
import json
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bioinstruct_dagster.generation.imports.cells import trimmed
from bioinstruct_dagster.generation.imports.faults import ImportedSetError
from bioinstruct_dagster.generation.imports.read_set import read_instruction_set
from bioinstruct_dagster.generation.imports.shapes import ROW_FORM
from bioinstruct_dagster.settings import PROJECT_ROOT

SETTING = "BIOINSTRUCT_IMPORT_COLUMNS"
COLUMNS = {"instruction": "instruction", "input": "input", "output": "output"}
RECORDS = [
    {"instruction": "Name the drug.", "input": "Metformin 1 g, twice daily", "output": "Metformin"},
    {"instruction": 'Say "no",\nthen µg 😀.', "input": "", "output": "a\u2028b\tc; 'd'"},
]
FORMATS = ["json", "jsonl", "csv", "parquet"]
SAMPLE = PROJECT_ROOT.parent / "shared" / "data" / "bioinstruct" / "sample.jsonl"


def write(path, records):
    """Write records in the format of the path's suffix, as other programs would."""
    match path.suffix:
        case ".json":
            path.write_text(json.dumps(records, ensure_ascii=False, indent=1), "utf-8")
        case ".jsonl":
            lines = [json.dumps(record, ensure_ascii=False) for record in records]
            path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
        case ".csv":
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(records[0]))
                writer.writeheader()
                writer.writerows(records)
        case ".parquet":
            pq.write_table(pa.Table.from_pylist(records), path)
    return path


def read(path, columns=COLUMNS):
    return imported(path, columns).rows


def imported(path, columns=COLUMNS):
    return read_instruction_set(str(path), columns, "train")


def complaints(path, columns=COLUMNS) -> list[str]:
    with pytest.raises(ImportedSetError) as caught:
        read(path, columns)
    heading, *lines = str(caught.value).splitlines()
    assert str(path) in heading
    assert "BIOINSTRUCT_IMPORT_COLUMNS" in heading
    return lines


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_rows_in_order(tmp_path, suffix):
    assert read(write(tmp_path / f"set.{suffix}", RECORDS)) == RECORDS


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)

RECORD = st.fixed_dictionaries(dict.fromkeys(COLUMNS, TEXT)).filter(
    lambda record: any(text.strip() for text in record.values())  # CSV has no empty rows
)


@examples(max_examples=40)
@given(st.lists(RECORD, min_size=1, max_size=4))
def test_every_format_gives_the_same_rows_whatever_the_text(tmp_path_factory, records):
    folder = tmp_path_factory.mktemp("imported")
    expected = [
        {
            name: text.strip() if name == "instruction" else trimmed(text)
            for name, text in one.items()
        }
        for one in records
    ]
    for suffix in FORMATS:
        assert read(write(folder / f"set.{suffix}", records)) == expected, suffix


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_long_note_is_read_in_every_format(tmp_path, suffix):
    records = [{**RECORDS[0], "input": "Discharge summary. " * 10_000}]
    (row,) = read(write(tmp_path / f"set.{suffix}", records))
    assert len(row["input"]) == len(records[0]["input"].strip())


@pytest.mark.parametrize("suffix", FORMATS)
def test_columns_are_mapped_by_name(tmp_path, suffix):
    records = [{"id": "1", "answer": "A", "question": "Q?", "context": "C", "output": "no"}]
    path = write(tmp_path / f"set.{suffix}", records)
    columns = {"instruction": "question", "input": "context", "output": "answer"}
    assert read(path, columns) == [{"instruction": "Q?", "input": "C", "output": "A"}]


def test_a_mapping_without_an_input_gives_empty_inputs(tmp_path):
    path = write(tmp_path / "set.jsonl", [{"input": "Q?", "output": "A."}])
    columns = {"instruction": "input", "output": "output"}
    assert read(path, columns) == [{"instruction": "Q?", "input": "", "output": "A."}]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("missing", ["column", "value"])
def test_an_input_that_is_missing_is_the_empty_input(tmp_path, suffix, missing):
    if missing == "value" and suffix == "csv":
        (tmp_path / "set.csv").write_text("instruction,output,input\nDo.,Done.,\n", "utf-8")
        path = tmp_path / "set.csv"
    else:
        record = {"instruction": "Do.", "output": "Done."}
        more = {"input": None} if missing == "value" else {}
        path = write(tmp_path / f"set.{suffix}", [{**record, **more}])
    assert read(path) == [{"instruction": "Do.", "input": "", "output": "Done."}]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_missing_column_is_named_once_with_the_columns_that_are_there(tmp_path, suffix):
    records = [{"instruction": "Do.", "input": "", "answer": "Done."}] * 30
    path = write(tmp_path / f"set.{suffix}", records)
    assert complaints(path) == [
        "No row has the column 'output', which is mapped to output.",
        "The columns of the set are 'instruction', 'input', 'answer'.",
        f"Set {SETTING}, such as {SETTING}=instruction=instruction,input=input,output=answer",
    ]
    assert complaints(path, {**COLUMNS, "input": "inptu", "output": "answer"})[0] == (
        "No row has the column 'inptu', which is mapped to input. Did you mean 'input'?"
    )


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_every_wrong_value_is_named_by_row_and_column(tmp_path, suffix):
    records = [
        {**RECORDS[0], "q": "Q"},
        {**RECORDS[0], "q": True, "output": [1]},
        {**RECORDS[0], "q": "Q", "input": ["a"]},
        ["not", "an", "object"],
        {**RECORDS[0], "q": "Q", "output": "half \ud83d"},
        {**RECORDS[0], "q": "Q", "input": "a\0b"},
        RECORDS[0],
    ]
    path = tmp_path / f"set.{suffix}"
    rows = ",\n".join(map(json.dumps, records))
    path.write_text(f"[{rows}]" if suffix == "json" else rows.replace(",\n", "\n"), "utf-8")
    unstorable = "holds a lone surrogate or NUL character, which can't be stored as text"
    assert complaints(path, {**COLUMNS, "instruction": "q"}) == [
        "line 2: column 'q' (instruction): expected text, found true or false",
        "line 2: column 'output' (output): expected text, found a list",
        "line 3: column 'input' (input): expected text, found a list",
        "line 4: expected an object, found list",
        f"line 5: column 'output' (output): {unstorable}",
        f"line 6: column 'input' (input): {unstorable}",
        "line 7: column 'q' (instruction): no such column",
        ROW_FORM,
    ]


def test_numbers_are_imported_as_text_and_noted(tmp_path):
    path = write(tmp_path / "set.parquet", [{**RECORDS[0], "output": 42}] * 2)
    found = imported(path)
    assert [row["output"] for row in found.rows] == ["42", "42"]
    assert found.notes == [
        "The column 'output' holds a number in 2 rows, which is imported as text."
    ]


def test_a_fault_of_many_rows_is_said_once(tmp_path):
    records = [RECORDS[0], *[{"input": "x", "output": "y"}] * 50]
    assert complaints(write(tmp_path / "set.jsonl", records)) == [
        "line 2, 3, 4, 5, 6 and 45 more: column 'instruction' (instruction): no such column"
    ]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("set.jsonl", b'{"instruction": \n', "line 1: not JSON"),
        ("set.json", b"[]", "no rows"),
        ("set.jsonl", b"\n", "no rows"),
        ("set.csv", b"instruction,input,output\n", "no rows"),
        ("set.csv", b"", "is empty"),
        ("set.jsonl", b"\xff", "not UTF-8 text"),
        ("set.json", b"\xff", "not UTF-8 text"),
        ("set.csv", b"instruction\n\xff", "not UTF-8 text"),
        ("set.parquet", b"PAR1 is all there is", "not a Parquet file"),
        ("set.xlsx", b"PK", "can't read .xlsx"),
        ("set.gz", b"PK", "can't read a file without suffix"),
        ("set", b"x", "a file without suffix"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(tmp_path, name, content, complaint):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ImportedSetError) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert complaint in str(caught.value)


@pytest.mark.parametrize("rows", [1, 2])
def test_json_lines_under_the_name_of_json_are_read(tmp_path, rows):
    path = write(tmp_path / "set.jsonl", RECORDS[:rows]).rename(tmp_path / "set.json")
    assert read(path) == RECORDS[:rows]


@pytest.mark.parametrize("suffix", ["json", "jsonl", "csv"])
def test_a_byte_order_mark_is_no_part_of_the_data(tmp_path, suffix):
    path = write(tmp_path / f"set.{suffix}", RECORDS)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read(path) == RECORDS


@pytest.mark.parametrize(
    "source", ["missing.jsonl", "./missing", "~/no/such/file", "/no/such", "."]
)
def test_a_path_without_a_file_is_not_looked_up_on_the_hub(source):
    with pytest.raises(
        ImportedSetError, match=r"BIOINSTRUCT_IMPORT: .*(does not exist|is a folder)"
    ):
        read(source)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("~nobody-at-all/x.csv", "~nobody-at-all/x.csv: there is no user with this home folder"),
        ("a\0b.csv", "a\\x00b.csv holds a NUL character"),
        ("x" * 300 + ".csv", "is longer than a path can be"),
        ("loop.csv", "loop.csv is a link that leads back to itself"),
        ("pipe.csv", "pipe.csv is a pipe, not a file"),
        ("zero.csv", "zero is a device, not a file"),
        ("folder.csv", "folder.csv is a folder, not a file"),
        ("set.jsonl/x.csv", "does not exist: a part of the path is a file"),
    ],
)
def test_an_odd_path_is_refused_with_the_setting(tmp_path, source, said):
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    (tmp_path / "zero.csv").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "set.jsonl").touch()
    with pytest.raises(ImportedSetError) as refused:
        read(source if source.startswith("~") else f"{tmp_path}/{source}")
    assert str(refused.value).startswith("BIOINSTRUCT_IMPORT: ")
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "url",
    ["https://user:secret@host/x/a.jsonl?token=secret", "file:///a/b.csv", "HF://datasets/a/b"],
)
def test_a_url_is_refused_without_its_secrets(url):
    with pytest.raises(ImportedSetError, match=r"URLs .* are not read. Download the fi") as refused:
        read(url)
    assert str(refused.value).startswith("BIOINSTRUCT_IMPORT: ")
    assert "secret" not in str(refused.value)


def test_a_text_of_many_millions_of_characters_is_imported_and_noted(tmp_path):
    path = tmp_path / "set.jsonl.gz"
    long = json.dumps({**RECORDS[0], "output": "x" * 10_000_001})
    path.write_bytes(gzip.compress(f"{json.dumps(RECORDS[0])}\n{long}".encode(), 1, mtime=0))
    found = imported(path)
    assert [len(row["output"]) for row in found.rows] == [9, 10_000_001]
    (note,) = found.notes
    assert note.startswith("1 rows hold a text of more than 10,000,000 characters (line 2).")


def test_a_moved_and_renamed_file_keeps_its_rows_and_the_hash_in_its_name(tmp_path):
    path = write(tmp_path / "set.csv", RECORDS)
    first = imported(path)
    (tmp_path / "elsewhere").mkdir()
    second = imported(path.rename(tmp_path / "elsewhere" / "other.csv"))
    assert first.rows == second.rows
    assert first.identity.startswith("set.csv@")
    assert second.identity == first.identity.replace("set.csv", "other.csv")


@pytest.mark.parametrize("name", ["set.JSONL", "set.Csv", "a.csv.gz", "a.json.GZ", "a.v2.csv"])
def test_a_suffix_counts_in_any_case_and_with_gzip(tmp_path, name):
    plain = name.lower().removesuffix(".gz")
    data = write(tmp_path / plain, RECORDS).read_bytes()
    path = tmp_path / name
    path.write_bytes(gzip.compress(data, mtime=0) if name.lower().endswith("gz") else data)
    assert read(path) == RECORDS


CHAT = [
    {"from": "system", "value": "Be kind."},
    {"from": "human", "value": "Name the drug."},
    {"from": "gpt", "value": "Metformin"},
    {"from": "human", "value": "Thanks."},
]


@pytest.mark.parametrize("suffix", ["json", "jsonl", "parquet", "csv"])
def test_chats_are_found_by_their_column(tmp_path, suffix):
    value = json.dumps(CHAT) if suffix == "csv" else CHAT
    path = write(tmp_path / f"set.{suffix}", [{"id": "1", "conversations": value}] * 3)
    found = imported(path)
    row = {"instruction": "Be kind.\n\nName the drug.", "input": "", "output": "Metformin"}
    assert found.rows == [row] * 3
    assert found.columns == "messages=conversations"
    assert [note.split()[0] for note in found.notes] == ["3", "3"]


def test_a_set_with_two_columns_of_chats_needs_a_mapping(tmp_path):
    path = write(tmp_path / "set.jsonl", [{"chosen": CHAT, "rejected": CHAT}])
    assert complaints(path)[0].endswith("IMPORT_COLUMNS=messages=chosen")
    assert len(read(path, {**COLUMNS, "messages": "rejected"})) == 1
    said = "No row has the column 'chosn', which is mapped to messages. Did you mean 'chosen'?"
    assert complaints(path, {**COLUMNS, "messages": "chosn"})[0] == said


def test_chats_without_any_pair_and_malformed_chats_are_refused(tmp_path):
    path = write(tmp_path / "set.jsonl", [{"messages": CHAT[:2]}] * 2)
    assert complaints(path)[0].startswith("2 of 2 chats are not imported, because no answer")
    path = write(tmp_path / "set.jsonl", [{"messages": CHAT}, {"messages": 7}, {"id": 1}])
    assert complaints(path) == [
        "line 2: column 'messages' (messages): expected a list of messages, found int",
        "line 3: column 'messages' (messages): no such column",
        ROW_FORM,
    ]


def test_a_users_mapping_is_followed_even_if_the_set_holds_chats(tmp_path):
    path = write(tmp_path / "set.jsonl", [{"messages": CHAT, "question": "Q?", "answer": "A."}])
    columns = {"instruction": "question", "input": "input", "output": "answer"}
    assert read(path, columns) == [{"instruction": "Q?", "input": "", "output": "A."}]


def test_a_text_column_that_is_left_out_is_noted(tmp_path):
    records = [{**RECORDS[0], "context": "The patient takes metformin."}] * 3
    path = write(tmp_path / "set.jsonl", [{**r, "reason": "It says so here."} for r in records])
    notes = imported(path).notes
    assert [note.split("'")[1] for note in notes] == ["context", "reason"]


def test_a_relative_path_is_taken_from_the_projects_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    columns = {"instruction": "id", "input": "input", "output": "output"}
    assert len(read("data/seed_tasks.jsonl", columns)) == 80


HUB = """
import sys
from bioinstruct_dagster.generation.imports.faults import ImportedSetError
from bioinstruct_dagster.generation.imports.read_set import read_instruction_set

try:
    read_instruction_set("nobody-at-all/no-such-set", {"instruction": "i"}, "train")
except ImportedSetError as error:
    print(error)
"""


def test_a_set_that_the_hub_lacks_is_reported_without_secrets(tmp_path):
    # A process of its own: the hub's client reads its environment when it is imported.
    secrets = {"HF_TOKEN": "hf_" + "s" * 34, "OPENAI_API_KEY": "sk-proj-nobody-may-see"}
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-c", HUB],
        env={**os.environ, **offline, **secrets},
        capture_output=True,
        check=True,
        text=True,
    )
    said = result.stdout
    assert said.startswith("BIOINSTRUCT_IMPORT: 'nobody-at-all/no-such-set' is neither a file")
    assert "split 'train'" in said
    assert not any(secret in said + result.stderr for secret in secrets.values())


@pytest.mark.skipif(not SAMPLE.is_file(), reason="the real rows lie beside the project, not in it")
def test_the_real_rows_are_imported_one_for_one():
    rows = read(SAMPLE)
    lines = [json.loads(line) for line in SAMPLE.read_text("utf-8").split("\n") if line.strip()]
    assert len(rows) == len(lines) == 1_251
    assert rows == [{name: line[name].strip() for name in COLUMNS} for line in lines]
