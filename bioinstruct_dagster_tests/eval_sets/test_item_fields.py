"""Items from rows: right options, spans and clusters, and how a wrong value is named."""

import pytest

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.eval_sets.items import EvaluationFileError, items_of, load_items
from bioinstruct_dagster_tests.eval_sets.task_files import (
    CHOICE,
    LABELS,
    SPANS,
    changed,
    put,
    tasks_folder,
)

ROW = {"id": "1", "q": "Sees?", "o": {"A": "iris", "B": "retina"}, "key": "B"}


@pytest.fixture
def scored(tmp_path):
    def make(row, task=CHOICE):
        put(tmp_path / "eval", "quiz/a.jsonl", [row])
        (read,) = read_tasks(tasks_folder(tmp_path, quiz=task)).tasks
        return items_of(read, tmp_path / "eval").items[0]

    return make


@pytest.mark.parametrize(
    ("gold", "key", "place"),
    [
        ({"letter": "key"}, "B", 1),
        ({"index": "key"}, 1, 1),
        ({"index": "key", "first": 1}, 1, 0),
        ({"index": "key"}, "1", 1),
        ("key", "retina", 1),
        ("key", " Iris", 0),
        ("key", ["retina"], 1),
    ],
)
def test_the_right_option_is_named_in_many_ways(scored, gold, key, place):
    task = changed(CHOICE, fields={"gold": None})
    task["fields"]["gold"] = gold
    assert scored({**ROW, "key": key}, task).gold == place


@pytest.mark.parametrize(("key", "place"), [("1", 0), (1, 0), ("0", 1), (["0"], 1)])
def test_labels_are_the_options_of_all_items(scored, key, place):
    item = scored({"q": "Is it?", "key": key}, LABELS)
    assert (item.gold, item.options) == (place, ())


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"key": "C"}, "line 1: field key: is 'C', not one of A, B"),
        ({"key": 1}, "field key: is 1, not one of A, B"),
        ({"o": {"A": "iris", "B": " "}}, "field o: option 2 is empty"),
        ({"o": ["iris"], "key": "A"}, "field o: has 1 options, not 2 to 26"),
        ({"o": [], "key": None}, "field o: has 0 options"),
        ({"o": ["iris", 2]}, "field o: an option is not text"),
        ({"q": " "}, "field q: is empty"),
    ],
)
def test_a_wrong_value_is_named_by_line_and_field(scored, tmp_path, row, said):
    with pytest.raises(EvaluationFileError) as stated:
        scored({**ROW, **row})
    assert said in str(stated.value)
    assert str(tmp_path / "eval" / "quiz" / "a.jsonl") in str(stated.value)
    assert "quiz.yaml" in str(stated.value)


@pytest.mark.parametrize("column", ["q", "o", "key"])
def test_a_missing_column_is_named(scored, column):
    row = {name: value for name, value in ROW.items() if name != column}
    with pytest.raises(EvaluationFileError, match=f"line 1: field {column}: is missing"):
        scored(row)


@pytest.mark.parametrize("key", ["2", "yes", ["1", "0"], True])
def test_a_value_that_is_no_label_is_named(scored, key):
    with pytest.raises(EvaluationFileError, match=r"field key: is .*, not one of 1, 0"):
        scored({"q": "Is it?", "key": key}, LABELS)


def test_an_answer_in_words_that_is_not_the_right_option_is_refused(scored, tmp_path):
    task = changed(CHOICE, fields={"answer": "words"})
    assert scored({**ROW, "words": "retina"}, task).answers == ("retina",)
    with pytest.raises(EvaluationFileError, match="is 'iris', but `gold` picks 'retina'"):
        scored({**ROW, "words": "iris"}, task)
    # Decontamination compares texts alone, so it does not depend on the key.
    assert len(load_items(tmp_path / "tasks", tmp_path / "eval").items) == 1


@pytest.mark.parametrize(
    ("drugs", "spans"),
    [
        ("aspirin", ["aspirin"]),
        ('["aspirin", "heparin"]', ["aspirin", "heparin"]),
        ("['aspirin', \"St John's wort\"]", ["aspirin", "St John's wort"]),
        ("[aspirin, heparin]", ["aspirin", "heparin"]),
        ("[]", []),
        ("", []),
        (None, []),
        (["high-dose", "12 g"], ["high-dose 12 g"]),
        ([], []),
    ],
)
def test_spans_are_read_in_the_forms_of_the_sources(scored, drugs, spans):
    item = scored({"q": "Note.", "drugs": drugs}, SPANS)
    assert item.spans == tuple(("Drug", text) for text in spans)


def test_spans_stand_in_the_order_of_labels_and_once(scored):
    task = changed(SPANS, fields={"spans": {"Dose": "doses[]?", "Drug": "drugs[]?"}})
    row = {"q": "Note.", "drugs": ["b", "a", "b"], "doses": ["1 mg"]}
    assert scored(row, task).spans == (("Drug", "b"), ("Drug", "a"), ("Dose", "1 mg"))


LISTED = changed(
    SPANS,
    fields={"spans": None, "span_list": {"each": "e[]", "text": "t", "label": "l"}},
)


def test_spans_may_be_a_list_of_objects(scored):
    row = {"q": "Note.", "e": [{"t": "5 mg", "l": "Dose"}, {"t": "aspirin", "l": "Drug"}]}
    assert scored(row, LISTED).spans == (("Drug", "aspirin"), ("Dose", "5 mg"))


@pytest.mark.parametrize(
    ("row", "task", "said"),
    [
        ({"e": [{"t": "x", "l": "Route"}]}, LISTED, "label 'Route' is not one of Drug, Dose"),
        ({"e": ["x"]}, LISTED, "field e\\[\\]: holds something that is no object"),
        ({"e": [{"l": "Drug"}]}, LISTED, "field t: is missing"),
        ({}, LISTED, "field e\\[\\]: is missing"),
        ({"drugs": 5}, SPANS, "field drugs\\?: is int, not text or a list of texts"),
        ({"drugs": [["x"]]}, SPANS, "field drugs\\?: is list, not text or a list of texts"),
    ],
)
def test_wrong_spans_are_named(scored, row, task, said):
    with pytest.raises(EvaluationFileError, match=said):
        scored({"q": "Note.", **row}, task)


@pytest.mark.parametrize(
    ("cluster", "value", "name"),
    [
        ("trial", "N1", "N1"),
        ("trial", 7, "7"),
        ({"field": "trial", "until": "_"}, "37_1", "37"),
        ("trial[]", ["N2", "N1"], "N1"),
        ("trial", ["N2", "N1"], "N1"),
        ("trial", None, ""),
        ("trial?", " ", ""),
    ],
)
def test_a_cluster_is_named_by_what_is_shared(tmp_path, cluster, value, name):
    task = changed(CHOICE, fields={"cluster": None})
    task["fields"]["cluster"] = cluster
    rows = [{**ROW, "id": n, "trial": value} for n in ("1", "2")]
    put(tmp_path / "eval", "quiz/a.jsonl", rows)
    (read,) = read_tasks(tasks_folder(tmp_path, quiz=task)).tasks
    assert [item.cluster for item in items_of(read, tmp_path / "eval").items] == [name, name]
