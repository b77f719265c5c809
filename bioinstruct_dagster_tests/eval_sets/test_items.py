"""Loading evaluation items: the layouts that the sources have, what is missing, what is broken."""

import json

import pytest

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.eval_sets.items import EvaluationFileError, load_items
from bioinstruct_dagster.settings import PROJECT_ROOT

REAL = PROJECT_ROOT.parent / "shared" / "data" / "eval"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "eval"


def put(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(content, str):
        content = "".join(json.dumps(line) + "\n" for line in content)
    path.write_text(content, "utf-8")
    return path


def listed(tmp_path, task):
    path = tmp_path / "tasks.yaml"
    path.write_text(f"tasks:\n  - {{name: quiz, what: a quiz, files: ['quiz/*'], {task}}}\n")
    return path


def only(folder, tasks=None):
    found = load_items(tasks, folder) if tasks else load_items(folder=folder)
    (item,) = found.items
    return item


def test_the_shipped_list_misses_all_tasks_without_files(folder):
    found = load_items(folder=folder)
    names = [task.name for task in read_tasks().tasks]
    assert {"medqa", "medmcqa", "pubmedqa", "bioasq", "mednli", "medication_status"} <= set(names)
    assert {"coreference", "mts_dialog", "icliniq"} <= set(names)
    assert found.items == ()
    assert list(found.missing) == names
    assert dict(found.counts) == dict.fromkeys(names, 0)


def test_an_option_is_chosen_by_its_place(folder):
    options = {"opa": "iris", "opb": "lens", "opc": "retina", "opd": "cornea"}
    put(folder, "medmcqa/dev.jsonl", [{"id": "x", "question": "Sees?", "cop": 3, **options}])
    item = only(folder)
    assert (item.task, item.id, item.question) == ("medmcqa", "x", "Sees?")
    assert item.answers == ("retina",)
    assert item.options == ("iris", "lens", "retina", "cornea")


def test_an_answer_that_is_kept_back_is_none(folder):
    options = {"opa": "iris", "opb": "lens", "opc": "retina", "opd": "cornea"}
    put(folder, "medmcqa/test.jsonl", [{"id": "x", "question": "Sees?", "cop": None, **options}])
    assert only(folder).answers == ()


def test_an_option_is_chosen_by_its_letter(tmp_path, folder):
    tasks = listed(tmp_path, "question: q, options: o, answer: {letter: key}")
    put(folder, "quiz/a.jsonl", [{"q": "Sees?", "o": {"A": "iris", "B": "retina"}, "key": "B"}])
    assert only(folder, tasks).answers == ("retina",)
    put(folder, "quiz/a.jsonl", [{"q": "Sees?", "o": ["iris", "retina"], "key": "A"}])
    assert only(folder, tasks).answers == ("iris",)


def test_options_may_be_a_dictionary_with_the_answer_in_words(folder):
    row = {"question": "Sees?", "options": {"A": "iris", "B": "retina"}, "answer": "retina"}
    put(folder, "medqa/test.jsonl", [row])
    item = only(folder)
    assert (item.options, item.answers) == (("iris", "retina"), ("retina",))
    assert item.id == "medqa/test.jsonl:1"


def test_passages_are_taken_one_by_one_and_lines_together(folder):
    put(
        folder,
        "pubmedqa/test.jsonl",
        [
            {
                "pmid": 7,
                "QUESTION": "Does it?",
                "CONTEXTS": ["One.", "Two."],
                "LONG_ANSWER": "So-so.",
            }
        ],
    )
    item = only(folder)
    assert (item.id, item.context, item.answers) == ("7", ("One.", "Two."), ("So-so.",))


def test_lines_without_brackets_are_one_passage(folder):
    premise = [{"trial": "A", "lines": ["One", "two"]}, {"trial": "B", "lines": ["Three"]}]
    put(folder, "nli4ct/dev.jsonl", [{"id": "n", "statement": "It did.", "premise": premise}])
    assert only(folder).context == ("One\ntwo", "Three")


@pytest.mark.parametrize("snippets", [["One.", "Two."], [{"text": "One."}, {"text": "Two."}]])
def test_both_layouts_of_snippets_are_read(folder, snippets):
    row = {"id": "b", "body": "Is it?", "snippets": snippets, "ideal_answer": ["Yes.", "It is."]}
    put(folder, "bioasq/yesno.jsonl", [row])
    item = only(folder)
    assert item.context == ("One.", "Two.")
    assert item.answers == ("Yes.", "It is.")


def test_json_files_hold_items_in_three_layouts(folder):
    item = {"QUESTION": "Does it?", "CONTEXTS": [], "LONG_ANSWER": "No."}
    put(folder, "pubmedqa/a.json", json.dumps({"77": item}))
    assert only(folder).id == "77"
    put(folder, "pubmedqa/a.json", json.dumps([item]))
    assert only(folder).id == "pubmedqa/a.json:1"
    put(folder, "pubmedqa/a.json", json.dumps({}))
    put(folder, "bioasq/golden.json", json.dumps({"questions": [{"id": "b", "body": "Is it?"}]}))
    assert only(folder).question == "Is it?"


def test_csv_fields_may_hold_line_breaks_and_commas(folder):
    put(
        folder,
        "mts_dialog/MTS-Dialog-TestSet-1.csv",
        'ID,section_text,dialogue\n0,"Well, mostly.","Doctor: How?\nPatient: Ok"\n',
    )
    item = only(folder)
    assert item.question == "Doctor: How?\nPatient: Ok"
    assert item.answers == ("Well, mostly.",)


def test_training_splits_that_lie_beside_are_not_read(folder):
    put(folder, "mts_dialog/MTS-Dialog-TrainingSet.csv", "section_text,dialogue\na,b\n")
    assert load_items(folder=folder).items == ()


def test_parquet_is_read(folder):
    import pyarrow as pa
    from pyarrow import parquet

    (folder / "icliniq").mkdir(parents=True)
    table = pa.table({"input": ["My knee hurts."], "answer_icliniq": ["Rest it."]})
    parquet.write_table(table, folder / "icliniq" / "a.parquet")
    item = only(folder)
    assert (item.question, item.answers) == ("My knee hurts.", ("Rest it.",))


def test_items_come_in_the_order_of_tasks_files_and_lines(folder):
    put(folder, "phee/b.jsonl", [{"context": "three"}, {"context": "four"}])
    put(folder, "phee/a.jsonl", [{"context": "one"}, {"context": "two"}])
    put(folder, "mednli/test.jsonl", [{"sentence1": "pre", "sentence2": "zero"}])
    assert [item.question for item in load_items(folder=folder).items] == [
        "zero",
        "one",
        "two",
        "three",
        "four",
    ]


def test_the_fingerprint_is_of_the_content(tmp_path, folder):
    put(folder, "phee/a.jsonl", [{"id": "1", "context": "one"}])
    first = load_items(folder=folder)
    put(tmp_path / "elsewhere", "phee/z.jsonl", [{"id": "1", "context": "one", "more": 1}])
    assert load_items(folder=tmp_path / "elsewhere").fingerprint == first.fingerprint
    put(folder, "phee/a.jsonl", [{"id": "1", "context": "another"}])
    assert load_items(folder=folder).fingerprint != first.fingerprint


GOOD = {"id": "x", "question": "Sees?", "opa": "a", "opb": "b", "opc": "c", "opd": "d", "cop": 1}


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([GOOD, {**GOOD, "cop": 0}], ["line 2", "cop", "0", "from 1 to 4"]),
        ([GOOD, {**GOOD, "cop": "B"}], ["line 2", "cop", "'B'"]),
        (
            [{key: value for key, value in GOOD.items() if key != "opc"}],
            ["line 1", "opc", "missing"],
        ),
        ([{**GOOD, "question": 7}], ["line 1", "question", "int, not text"]),
        ([{**GOOD, "question": " "}], ["line 1", "question", "empty"]),
        ([[1]], ["line 1", "no object"]),
    ],
)
def test_a_broken_item_is_named_by_file_line_and_field(folder, lines, said):
    path = put(folder, "medmcqa/dev.jsonl", lines)
    with pytest.raises(EvaluationFileError) as stated:
        load_items(folder=folder)
    for part in [str(path), "medmcqa", *said]:
        assert part in str(stated.value)


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
        load_items(listed(tmp_path, "question: q"), folder)
    put(folder, "quiz/a.xlsx", [{"q": "Sees?"}])
    assert only(folder, listed(tmp_path, "question: q, format: jsonl")).question == "Sees?"


@pytest.mark.skipif(not REAL.is_dir(), reason="real evaluation items are not here")
def test_the_shipped_list_fits_the_real_files():
    found = load_items(folder=REAL)
    present = {name: count for name, count in found.counts.items() if count}
    assert present == {
        "medqa": 100,
        "medmcqa": 4183,
        "pubmedqa": 500,
        "bioasq": 618,
        "nli4ct": 200,
        "phee": 484,
        "mts_dialog": 300,
    }
    assert all(item.question.strip() for item in found.items)
    for item in found.items:
        if item.task in {"medqa", "medmcqa"}:
            assert item.answers[0] in item.options
        if item.task in {"pubmedqa", "bioasq", "nli4ct"}:
            assert item.context
