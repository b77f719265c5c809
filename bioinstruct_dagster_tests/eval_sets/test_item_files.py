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
