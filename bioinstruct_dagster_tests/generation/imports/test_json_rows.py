"""JSON in all its forms: the content decides, not the name, and a fault has its line."""

import json

import pytest

from bioinstruct_dagster.generation.imports.faults import ImportedSetError
from bioinstruct_dagster.generation.imports.json_rows import read_json

ONE, TWO = {"instruction": "Q", "output": "A"}, {"instruction": "R", "output": "B"}
CHAT = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
LINE = json.dumps(ONE)
UNCLOSED = "not JSON (the text that begins here has no closing quote)"


@pytest.fixture
def read(tmp_path):
    def of(text, name="set.json"):
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return [*read_json(path).records]

    return of


@pytest.fixture
def refused(read):
    def of(text, name="set.json"):
        with pytest.raises(ImportedSetError) as raised:
            read(text, name)
        assert name in str(raised.value)
        return str(raised.value)

    return of


@pytest.mark.parametrize("name", ["set.json", "set.jsonl", "set.ndjson"])
@pytest.mark.parametrize(
    ("text", "places"),
    [
        (json.dumps([ONE, TWO]), ["row 1", "row 2"]),
        (json.dumps([ONE, TWO], indent=1), ["line 2", "line 6"]),
        (f"[{LINE},\n{json.dumps(TWO)}]\n", ["line 1", "line 2"]),
        (f"{LINE}\n\n{json.dumps(TWO)}\n", ["line 1", "line 3"]),
        (f"{LINE}{json.dumps(TWO)}", ["line 1", "line 1"]),
        (f"{json.dumps(ONE, indent=1)}\n{json.dumps(TWO, indent=1)}", ["line 1", "line 5"]),
        (json.dumps({"version": "1", "data": [ONE, TWO]}), ["data, row 1", "data, row 2"]),
        (json.dumps({"data": [ONE, TWO], "columns": ["a"]}), ["data, row 1", "data, row 2"]),
    ],
)
def test_each_form_gives_its_rows_with_their_places(read, name, text, places):
    records = read(text, name)
    assert [record.fields for record in records] == [ONE, TWO]
    assert [record.place for record in records] == places


@pytest.mark.parametrize("row", [ONE, {**ONE, "meta": {"a": [1]}}, {"messages": CHAT}])
@pytest.mark.parametrize("indent", [None, 1])
def test_a_file_with_one_row_holds_one_row(read, row, indent):
    assert [record.fields for record in read(json.dumps(row, indent=indent))] == [row]


def test_nan_and_infinite_numbers_are_no_values(read):
    (record,) = read('[{"instruction": "Q", "input": NaN, "score": -Infinity}]')
    assert record.fields == {"instruction": "Q", "input": None, "score": None}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"a": "b"},\n{"a": 1, "a": 2}]', "line 2: not JSON (the key 'a' is given twice"),
        (f'{LINE}\n{{"a": {{"b": 1, "b": 2}}}}', "line 2: not JSON (the key 'b' is given twice"),
        (f"{LINE}\n{LINE[:-3]}\n{LINE}", "line 2, column 32: not JSON (the text that begins"),
        (f"{LINE}\n{LINE[:-1]}\n{LINE}", "line 2, column 3"),
        (f"[{LINE},\n{LINE[:-3]}", f"line 2, column 32: {UNCLOSED}. The file seems to be cut off"),
        (f"[{LINE},\n{LINE[:-1]}", ". The file seems to be cut off: download it again"),
        (f"[{LINE},\n{LINE}", "of the list is missing). The file seems to be cut off"),
        (f"{LINE}\n{LINE[:-3]}", f"line 2, column 32: {UNCLOSED}. The file seems to be cut off"),
        (
            '[{"a":\n\n"b}]',
            "line 1: not JSON (the text that begins here has no closing quote, 2 li",
        ),
        (f"[{LINE}\n{LINE}]", "line 2: not JSON (a comma or the ] of the list is missing"),
        (f"[{LINE},\n{LINE},\n]", "line 3: not JSON (a comma stands after the last row"),
        (f"[{LINE}]\n[{LINE}", "line 2, column 3"),
        (f"[\n{LINE}\n]\nmore", "line 4: not JSON (more text follows the list"),
        (f"{LINE},\n{LINE}", "line 1: not JSON (a comma stands between two rows"),
        ('{"instruction": \n', "line 1: not JSON"),
        ("[" * 100_000, "line 1: not JSON (it is nested too deeply)"),
        ('{"a": ' * 100_000, "line 1: not JSON (it is nested too deeply)"),
        (f"[{'9' * 5_000}]", "line 1: not JSON (a number has thousands of digits)"),
        ('"text"', "expected a list of rows, found str"),
        ('{"rows": []}', "one object with no list of rows. Its keys are 'rows'"),
        ("{}", "Its keys are none"),
        (json.dumps({"train": [ONE], "test": [TWO]}), "2 lists of rows. Its keys are 'train', 't"),
        ('{"instruction": {"0": "a"}, "output": {"0": "b"}}', "orient='records'"),
    ],
)
@pytest.mark.parametrize("name", ["set.json", "set.jsonl"])
def test_what_is_no_list_of_rows_is_refused_with_its_line(refused, name, text, said):
    assert said in refused(text, name)


def test_every_broken_line_is_named(refused):
    said = "not JSON (Expecting property name enclosed in double quotes)"
    todo = "download it again, or remove this row"
    text = f"{LINE}\noops\n{LINE}\noops\n{{"
    assert refused(text).splitlines()[1:] == [
        "line 2, 4: not JSON (Expecting value)",
        f"line 5, column 2: {said}. The file seems to be cut off: {todo}",
    ]


def test_a_separator_of_lines_inside_a_text_ends_no_line(read):
    text = f'{LINE}\n{{"instruction": "a\u2028b\u0085c"}}\n'
    assert read(text)[1].fields == {"instruction": "a\u2028b\u0085c"}
