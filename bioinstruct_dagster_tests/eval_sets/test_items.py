"""Loading evaluation items: the layouts that the sources have, what is missing, what is broken."""

import json
from collections import Counter

import pytest

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.eval_sets.items import (
    EvaluationFileError,
    items_of,
    load_items,
    options_of,
)
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster_tests.eval_sets.task_files import (
    CHOICE,
    LABELS,
    TEXT,
    changed,
    put,
    read_task,
    tasks_folder,
)

REAL = PROJECT_ROOT.parent / "shared" / "data" / "eval"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "eval"


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
    fields = {"answer": {"letter": "key"}, "gold": None}
    tasks = tasks_folder(tmp_path, quiz=changed(CHOICE, fields=fields))
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
    ("pattern", "name"),
    [
        ("**/*.jsonl", "a/b/x.jsonl"),
        ("a/[[]x].jsonl", "a/[x].jsonl"),
        ("a/[!b-z]?.jsonl", "a/ax.jsonl"),
        ("a/[]x].jsonl", "a/].jsonl"),
        ("./a/x~.jsonl", "a/x~.jsonl"),
    ],
)
def test_a_pattern_that_can_match_a_file_matches_it(tmp_path, folder, pattern, name):
    put(folder, name, [{"q": "Which drug?"}])
    tasks = tasks_folder(tmp_path, quiz=changed(LABELS, source={"files": [pattern]}))
    assert load_items(tasks, folder).counts == {"quiz": 1}


OF_EACH_TASK = {
    "medqa/a.jsonl": [
        {
            "question": "Sees?",
            "options": {"A": "iris", "B": "retina"},
            "answer": "retina",
            "answer_idx": "B",
        }
    ],
    "medmcqa/a.jsonl": [
        {
            "id": "m",
            "question": "Hears?",
            "opa": "ear",
            "opb": "eye",
            "opc": "nose",
            "opd": "toe",
            "cop": 1,
        }
    ],
    "pubmedqa/a.jsonl": [
        {
            "pmid": "7",
            "QUESTION": "Does it?",
            "CONTEXTS": ["One.", "Two."],
            "LONG_ANSWER": "So-so.",
            "final_decision": "maybe",
        }
    ],
    "bioasq/a.jsonl": [
        {
            "id": "b",
            "body": "Is it?",
            "type": "yesno",
            "exact_answer": "yes",
            "ideal_answer": ["It is."],
            "snippets": ["One."],
        }
    ],
    "mednli/a.jsonl": [
        {
            "pairID": "p",
            "sentence1": "He coughs.",
            "sentence2": "He is ill.",
            "gold_label": "entailment",
        }
    ],
    "nli4ct/a.jsonl": [
        {
            "id": "n",
            "premise": [{"trial": "N1", "lines": ["One", "two"]}],
            "statement": "It did.",
            "label": "Entailment",
        }
    ],
    "phee/a.jsonl": [{"id": "1_1", "context": "Aspirin made him itch.", "annotations": []}],
    "mts_dialog/x-TestSet.csv": "ID,section_text,dialogue\n0,Well.,Doctor: How?\n",
    "icliniq/a.jsonl": [{"input": "My knee hurts.", "answer_icliniq": "Rest it."}],
}


def test_decontamination_compares_the_same_items_as_before_tasks_had_files_of_their_own(folder):
    """The hash is what the reader of the one list of all tasks gave for these files."""
    for name, content in OF_EACH_TASK.items():
        put(folder, name, content)
    found = load_items(folder=folder)
    assert len(found.items) == 9
    assert found.fingerprint == "5f85eba744179fdff9526e0de89beb6ea53d3f67aaabe477d2a836574ff8a989"


def scored(tmp_path, folder, rows, task=CHOICE, **options):
    put(folder, "quiz/a.jsonl", rows)
    return items_of(read_task(tmp_path, task), folder, **options)


ROW = {"id": "1", "q": "Sees?", "o": {"A": "iris", "B": "retina"}, "key": "B"}


def test_scored_items_have_their_answers(tmp_path, folder):
    found = scored(tmp_path, folder, [ROW, {**ROW, "id": "2", "key": "A"}])
    assert [(item.id, item.gold) for item in found.items] == [("1", 1), ("2", 0)]
    assert (found.source, found.unscored) == ("files", 0)


def test_scored_items_change_with_the_right_answer_and_not_with_other_fields(tmp_path, folder):
    first = scored(tmp_path, folder, [ROW]).items
    assert scored(tmp_path, folder, [{**ROW, "key": "A"}]).items != first
    assert scored(tmp_path, folder, [{**ROW, "more": 1}]).items == first


def test_items_without_a_published_answer_are_counted_and_left_out(tmp_path, folder):
    found = scored(tmp_path, folder, [ROW, {**ROW, "id": "2", "key": None}])
    assert [item.id for item in found.items] == ["1"]
    assert found.unscored == 1
    text = scored(tmp_path, folder, [{"q": "How?", "a": None}, {"q": "Who?", "a": "I."}], TEXT)
    assert (len(text.items), text.unscored) == (1, 1)


def test_two_items_with_one_identifier_are_refused(tmp_path, folder):
    with pytest.raises(EvaluationFileError) as stated:
        scored(tmp_path, folder, [ROW, ROW])
    said = str(stated.value)
    assert "quiz/a.jsonl:2 in" in said
    assert "task quiz: field id?: the identifier '1' is also that of quiz/a.jsonl:1" in said
    assert "quiz.yaml" in said


def test_items_that_share_a_passage_form_a_cluster(tmp_path, folder):
    task = changed(CHOICE, fields={"cluster": "note?"})
    rows = [{**ROW, "id": str(n), "note": note} for n, note in enumerate(["x", "y", "x"])]
    found = scored(tmp_path, folder, [*rows, {**ROW, "id": "9"}], task)
    assert [item.cluster for item in found.items] == ["x", "", "x", ""]


def test_only_some_items_are_scored_but_all_are_compared(tmp_path, folder):
    task = changed(CHOICE, source={"where": {"type": ["yesno", "list"]}})
    rows = [{**ROW, "id": kind, "type": kind} for kind in ("yesno", "factoid", "list")]
    found = scored(tmp_path, folder, [*rows, {"id": "4", "q": "Odd?", "o": [], "type": "x"}], task)
    assert [item.id for item in found.items] == ["yesno", "list"]
    assert len(load_items(tmp_path / "tasks", folder).items) == 4


@pytest.mark.parametrize(("wanted", "ids"), [("true", ["1"]), ("false", ["2"]), ("null", ["3"])])
def test_where_compares_truth_values_as_json_writes_them(tmp_path, folder, wanted, ids):
    task = changed(CHOICE, source={"where": {"use": [wanted]}})
    uses = enumerate([True, False, None], 1)
    rows = [{**ROW, "id": str(number), "use": use} for number, use in uses]
    found = scored(tmp_path, folder, rows, task)
    assert ([item.id for item in found.items], found.rows) == (ids, 3)


@pytest.mark.parametrize(
    ("rows", "where", "said"),
    [
        (
            [ROW, ROW, ROW],
            {"id": ["X"]},
            "3 rows in quiz/* in {}, none passes `where` in quiz.yaml (id is X)",
        ),
        ([{**ROW, "key": " "}], {}, "1 row in quiz/* in {}, none has a published answer"),
        (
            [{**ROW, "key": None}, {**ROW, "id": "2"}],
            {"id": ["1"]},
            "2 rows in quiz/* in {}, none that passes `where` has a published answer",
        ),
        ([], {}, "no rows in quiz/* in {}"),
        ([ROW], {}, ""),
    ],
)
def test_why_there_are_no_items_is_said(tmp_path, folder, rows, where, said):
    task = changed(CHOICE, source={"where": where})
    found = scored(tmp_path, folder, rows, task)
    (read,) = read_tasks(tmp_path / "tasks").tasks
    assert found.absence(read, folder) == said.format(folder)


def test_a_file_with_a_header_alone_and_a_missing_file_are_told_apart(tmp_path, folder):
    read = read_task(tmp_path, LABELS)
    said = items_of(read, folder).absence(read, folder)
    assert said == f"{folder} has none of quiz/* (BIOINSTRUCT_EVAL_DIR)"
    put(folder, "quiz/a.csv", "q,key\n")
    assert items_of(read, folder).absence(read, folder) == f"no rows in quiz/* in {folder}"


def test_a_fixture_stands_in_only_where_it_may_and_no_file_is_there(tmp_path, folder):
    fixtures = tmp_path / "tasks" / "fixtures"
    put(fixtures, "small.jsonl", [ROW])
    folder.mkdir()
    task = changed(CHOICE, fixture="small.jsonl")
    read = read_task(tmp_path, task)
    nothing = items_of(read, folder)
    assert (nothing.items, nothing.source) == ((), "none")
    assert items_of(read, folder, fixtures=fixtures).source == "fixture"
    found = scored(tmp_path, folder, [ROW, {**ROW, "id": "2"}], task, fixtures=fixtures)
    assert (len(found.items), found.source) == (2, "files")
    assert load_items(tmp_path / "tasks", tmp_path / "nowhere").missing == ("quiz",)


def test_a_fixture_that_is_missing_is_named(tmp_path, folder):
    folder.mkdir()
    read = read_task(tmp_path, changed(CHOICE, fixture="gone.jsonl"))
    with pytest.raises(EvaluationFileError, match=r"gone\.jsonl: task quiz: does not exist"):
        items_of(read, folder, fixtures=tmp_path)


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


# By task: items, items in the largest class (or spans), clusters, items in the largest cluster.
REAL_COUNTS = {
    "medqa": (100, 27, 100, 1),
    "medmcqa": (4183, 1348, 4183, 1),
    "pubmedqa": (500, 276, 500, 1),
    "bioasq": (618, 395, 595, 4),
    "nli4ct": (200, 100, 70, 8),
    "phee": (484, 596, 269, 6),
    "mts_dialog": (300, 0, 300, 1),
}


@pytest.mark.skipif(not REAL.is_dir(), reason="real evaluation items are not here")
def test_the_real_items_can_be_scored():
    for task in read_tasks().tasks:
        found = items_of(task, REAL)
        if task.name not in REAL_COUNTS:
            assert found.source == "none"
            continue
        classes = Counter(item.gold for item in found.items if item.gold is not None)
        classes += Counter(label for item in found.items for label, _ in item.spans)
        clusters = Counter(item.cluster or item.id for item in found.items)
        assert (
            len(found.items),
            max(classes.values(), default=0),
            len(clusters),
            max(clusters.values()),
        ) == REAL_COUNTS[task.name]
        assert (found.source, found.unscored) == ("files", 0)
        assert all(options_of(task, item)[item.gold] for item in found.items if item.gold)
