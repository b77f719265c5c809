"""Importing an instruction set: equal rows from every format, and errors by row and column."""

import csv
import json
import os
import re
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bioinstruct_dagster.generation.imported_set import ImportedSetError, read_instruction_set
from bioinstruct_dagster.settings import PROJECT_ROOT

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
    return read_instruction_set(str(path), columns, "train")[0]


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


@examples(max_examples=40)
@given(st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS, TEXT)), min_size=1, max_size=4))
def test_every_format_gives_the_same_rows_whatever_the_text(tmp_path_factory, records):
    folder = tmp_path_factory.mktemp("imported")
    expected = [{name: text.strip() for name, text in record.items()} for record in records]
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


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("missing", ["column", "value"])
def test_an_input_that_is_missing_is_the_empty_input(tmp_path, suffix, missing):
    if missing == "value" and suffix == "csv":
        (tmp_path / "set.csv").write_text("instruction,output,input\nDo.,Done.\n", "utf-8")
        path = tmp_path / "set.csv"
    else:
        record = {"instruction": "Do.", "output": "Done."}
        more = {"input": None} if missing == "value" else {}
        path = write(tmp_path / f"set.{suffix}", [{**record, **more}])
    assert read(path) == [{"instruction": "Do.", "input": "", "output": "Done."}]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_missing_column_is_named_with_every_row_without_it(tmp_path, suffix):
    records = [{"instruction": "Do.", "input": "", "answer": "Done."}] * 3
    lines = complaints(write(tmp_path / f"set.{suffix}", records))
    assert len(lines) == 3
    first = 2 if suffix == "csv" else 1
    place = "row" if suffix in ("json", "parquet") else "line"
    for number, line in enumerate(lines, start=first):
        assert line.startswith(f"{place} {number}: column 'output' (output): ")
        assert line.endswith("no such column")


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_every_wrong_value_is_named_by_row_and_column(tmp_path, suffix):
    records = [
        {**RECORDS[0], "q": "Q"},
        {**RECORDS[0], "q": 3, "output": None},
        {**RECORDS[0], "q": "Q", "input": ["a"]},
        ["not", "an", "object"],
        {**RECORDS[0], "q": "Q", "output": "half \ud83d"},
        {**RECORDS[0], "q": "Q", "input": "a\0b"},
    ]
    path = tmp_path / f"set.{suffix}"
    text = json.dumps(records) if suffix == "json" else "\n".join(map(json.dumps, records))
    path.write_text(text, "utf-8")
    lines = complaints(path, {**COLUMNS, "instruction": "q"})
    found = [re.match(r"\w+ (\d+): (?:column '(\w+)')?", line).groups() for line in lines]
    assert found == [
        ("2", "q"),
        ("2", "output"),
        ("3", "input"),
        ("4", None),
        ("5", "output"),
        ("6", "input"),
    ]


def test_a_wrong_type_in_parquet_is_named(tmp_path):
    path = write(tmp_path / "set.parquet", [{**RECORDS[0], "output": 1}] * 2)
    assert complaints(path) == [
        f"row {n}: column 'output' (output): expected text, found int" for n in (1, 2)
    ]


def test_the_first_twenty_errors_are_shown_and_the_rest_counted(tmp_path):
    path = write(tmp_path / "set.jsonl", [{"input": "x", "output": "y"}] * 50)
    lines = complaints(path)
    assert len(lines) == 21
    assert lines[-1] == "… and 30 more"


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("set.jsonl", b'{"instruction": \n', "line 1: not JSON"),
        ("set.jsonl", b"[" * 100_000, "line 1: not JSON"),
        ("set.json", b"[1, ", "not JSON"),
        ("set.json", b"[" * 100_000, "not JSON"),
        ("set.json", b'{"rows": []}', "expected a JSON list of rows, found dict"),
        ("set.json", b"[]", "no rows"),
        ("set.jsonl", b"\n", "no rows"),
        ("set.csv", b"instruction,input,output\n", "no rows"),
        ("set.csv", b"", "no rows"),
        ("set.jsonl", b"\xff", "not UTF-8 text"),
        ("set.json", b"\xff", "not UTF-8 text"),
        ("set.csv", b"instruction\n\xff", "not UTF-8 text"),
        ("set.parquet", b"PAR1 is all there is", "not a Parquet file"),
        ("set.parquet", b"", "not a Parquet file"),
        ("set.xlsx", b"PK", "can't read .xlsx"),
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
    with pytest.raises(ImportedSetError, match=r"BIOINSTRUCT_IMPORT: .* is not a file"):
        read(source)


def test_a_relative_path_is_taken_from_the_projects_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    columns = {"instruction": "id", "input": "input", "output": "output"}
    assert len(read("data/seed_tasks.jsonl", columns)) == 80


HUB = """
import sys
from bioinstruct_dagster.generation.imported_set import ImportedSetError, read_instruction_set

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
