"""Files of items: broken ones are named, and what a format holds is read."""

import pytest

from bioinstruct_dagster.eval_sets.items import EvaluationFileError, load_items
from bioinstruct_dagster_tests.eval_sets.task_files import LABELS, changed, put, tasks_folder


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "eval"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("medqa/a.jsonl", '{"question": ', "line 1: is no JSON"),
        ("pubmedqa/a.json", "[1", "is no JSON"),
        ("pubmedqa/a.json", '"text"', "neither a list of items nor an object"),
        ("bioasq/a.json", "[]", "has no questions"),
        ("mts_dialog/xTestSet.csv", "section_text,dialogue\na\n", "line 2: has not as many fields"),
        ("icliniq/a.parquet", "text", "is no Parquet"),
    ],
)
def test_a_broken_file_is_named(folder, name, content, said):
    path = put(folder, name, content)
    with pytest.raises(EvaluationFileError) as stated:
        load_items(folder=folder)
    assert str(path) in str(stated.value)
    assert said in str(stated.value)


def test_a_file_of_no_known_form_is_named(tmp_path, folder):
    put(folder, "quiz/a.xlsx", "text")
    with pytest.raises(EvaluationFileError, match=r"a\.xlsx.*Rename the file, or give `format`"):
        load_items(tasks_folder(tmp_path, quiz=LABELS), folder)
    put(folder, "quiz/a.xlsx", [{"q": "Sees?"}])
    tasks = tasks_folder(tmp_path, quiz=changed(LABELS, source={"format": "jsonl"}))
    (item,) = load_items(tasks, folder).items
    assert item.question == "Sees?"


ROW = '{"q": "Sees?", "key": "1"}'


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "quiz/a.jsonl",
            ROW + '\n{"q": "x", "key": "1", "q": "y"}\n',
            "line 2: the key 'q' is given twice in one object; keep one",
        ),
        (
            "quiz/a.jsonl",
            '{"q": "x", "more": {"key": 1, "key": 2}}\n',
            "line 1: the key 'key' is given twice",
        ),
        ("quiz/a.json", '{"7": ' + ROW + ', "7": ' + ROW + "}", "the file: the key '7' is given"),
        ("quiz/a.csv", "q,a,b,key,key\nx,1,2,3,4\n", "line 1: the column 'key' is given twice"),
    ],
)
def test_a_name_that_is_given_twice_is_refused(tmp_path, folder, name, content, said):
    path = put(folder, name, content)
    with pytest.raises(EvaluationFileError) as stated:
        load_items(tasks_folder(tmp_path, quiz=LABELS), folder)
    assert f"{path}: task quiz: {said}" in str(stated.value)


def test_columns_without_a_name_may_be_several(tmp_path, folder):
    put(folder, "quiz/a.csv", "q,key,,\nSees?,1,,\n")
    (item,) = load_items(tasks_folder(tmp_path, quiz=LABELS), folder).items
    assert item.question == "Sees?"


@pytest.mark.parametrize("nested", [False, True])
def test_a_column_of_parquet_that_is_given_twice_is_refused(tmp_path, folder, nested):
    import pyarrow as pa
    from pyarrow import parquet

    texts = pa.array(["x"])
    table = pa.table([texts, texts], names=["q", "q"])
    if nested:
        table = pa.table({"q": texts, "o": pa.StructArray.from_arrays([texts, texts], ["a", "a"])})
    (folder / "quiz").mkdir(parents=True)
    parquet.write_table(table, folder / "quiz" / "a.parquet")
    with pytest.raises(EvaluationFileError, match=r"'q' is given twice|rows can't be read|'a'"):
        load_items(tasks_folder(tmp_path, quiz=LABELS), folder)
