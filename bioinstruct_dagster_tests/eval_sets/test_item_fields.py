"""Items from rows: right options, spans and clusters, and how a wrong value is named."""

import re

import pytest

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.eval_sets.items import EvaluationFileError, items_of, load_items
from bioinstruct_dagster_tests.eval_sets.task_files import (
    CHOICE,
    LABELS,
    SPANS,
    TEXT,
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


def with_gold(gold, **parts):
    task = changed(CHOICE, fields={"gold": None}, **parts)
    task["fields"]["gold"] = gold
    return task


@pytest.mark.parametrize(
    ("options", "key", "place"),
    [(["mg", "Mg", "K"], "Mg", 1), (["mg", "Mg", "K"], "k", 2), ([" Mg", "mg", "Mg"], "Mg", 2)],
)
def test_options_that_differ_in_case_are_told_apart(scored, options, key, place):
    assert scored({**ROW, "o": options, "key": key}, with_gold("key")).gold == place


@pytest.mark.parametrize(("options", "key"), [(["mg", "Mg"], "MG"), (["x", "y", "x"], "x")])
def test_an_answer_that_fits_two_options_is_refused(scored, options, key):
    with pytest.raises(EvaluationFileError, match=rf"line 1: field key: '{key}' is more than one"):
        scored({**ROW, "o": options, "key": key}, with_gold("key"))


def test_labels_that_differ_in_case_are_told_apart(scored):
    task = changed(LABELS, scoring={"labels": {"b": "benign", "B": "bad"}})
    assert scored({"q": "Is it?", "key": "B"}, task).gold == 1
    assert scored({"q": "Is it?", "key": "b"}, task).gold == 0


def test_a_truth_value_names_a_label_as_in_json(scored):
    task = changed(LABELS, scoring={"labels": {"true": "yes", "false": "no"}})
    assert scored({"q": "Is it?", "key": False}, task).gold == 1


@pytest.mark.parametrize("key", [1.9, 0.99, -0.5, "1_0", float("inf"), True])
def test_a_place_that_is_no_whole_number_is_refused(scored, key):
    with pytest.raises(EvaluationFileError, match=r"line 1: field key: is .*, not a whole number"):
        scored({**ROW, "key": key}, with_gold({"index": "key"}))


@pytest.mark.parametrize("key", [1.0, "1.0"])
def test_a_place_may_have_a_fraction_of_zero(scored, key):
    assert scored({**ROW, "key": key}, with_gold({"index": "key"})).gold == 1


@pytest.mark.parametrize("gold", ["key", {"letter": "key"}, {"index": "key"}])
@pytest.mark.parametrize("key", [None, "", " ", "\n"])
def test_a_blank_answer_is_not_published(tmp_path, gold, key):
    put(tmp_path / "eval", "quiz/a.jsonl", [{**ROW, "key": key}])
    (read,) = read_tasks(tasks_folder(tmp_path, quiz=with_gold(gold))).tasks
    found = items_of(read, tmp_path / "eval")
    assert (found.items, found.unscored) == ((), 1)


@pytest.mark.parametrize("own", [{}, {"id": None}, {"id": ""}, {"id": " "}])
def test_file_and_line_identify_a_row_without_identifier(tmp_path, own):
    row = {"q": "Sees?", "o": ["iris", "retina"], "key": "B", **own}
    put(tmp_path / "eval", "quiz/a.jsonl", [row, row])
    (read,) = read_tasks(tasks_folder(tmp_path, quiz=CHOICE)).tasks
    ids = ["quiz/a.jsonl:1", "quiz/a.jsonl:2"]
    assert [item.id for item in items_of(read, tmp_path / "eval").items] == ids
    assert [item.id for item in load_items(tmp_path / "tasks", tmp_path / "eval").items] == ids


@pytest.mark.parametrize("half", ["\ud800", "\0"])
@pytest.mark.parametrize(
    ("name", "task", "row"),
    [
        ("q", CHOICE, {"q": "Q{} x"}),
        ("o", CHOICE, {"o": ["iris", "{}"]}),
        ("id?", CHOICE, {"id": "{}"}),
        ("c?", LABELS, {"key": "1", "c": ["One.", "{}"]}),
        ("a", TEXT, {"a": "x{}"}),
        ("doses?", SPANS, {"drugs": "x", "doses": ["{}"]}),
        ("t", LISTED, {"e": [{"t": "{}", "l": "Drug"}]}),
        ("trial", changed(CHOICE, fields={"cluster": "trial"}), {"trial": "N{}"}),
        ("b", changed(CHOICE, fields={"options": ["a", "b"]}), {"a": "iris", "b": "{}"}),
    ],
)
def test_characters_that_no_tokenizer_takes_are_named(scored, half, name, task, row):
    def filled(value):
        if isinstance(value, list):
            return [filled(one) for one in value]
        if isinstance(value, dict):
            return {key: filled(one) for key, one in value.items()}
        return value.replace("{}", half)

    said = rf"line 1: field {re.escape(name)}: holds a lone surrogate or NUL"
    with pytest.raises(EvaluationFileError, match=said) as stated:
        scored({**ROW, **filled(row)}, task)
    str(stated.value).encode()


@pytest.mark.parametrize("value", ["_0", " _0"])
def test_a_cluster_whose_beginning_is_empty_is_refused(scored, value):
    task = changed(CHOICE, fields={"cluster": {"field": "trial", "until": "_"}})
    said = f"line 1: field trial: '{value}' has nothing before '_', which `cluster` needs"
    with pytest.raises(EvaluationFileError, match=said):
        scored({**ROW, "trial": value}, task)
