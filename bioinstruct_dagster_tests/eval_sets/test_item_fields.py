"""Items from rows: identifiers, characters and clusters, and how a wrong value is named."""

import re

import pytest

from bioinstruct_dagster.eval_sets.items import EvaluationFileError, items_of, load_items
from bioinstruct_dagster_tests.eval_sets.task_files import (
    CHOICE,
    LABELS,
    SPANS,
    TEXT,
    changed,
    put,
    read_task,
)

ROW = {"id": "1", "q": "Sees?", "o": {"A": "iris", "B": "retina"}, "key": "B"}
LISTED = changed(
    SPANS,
    fields={"spans": None, "span_list": {"each": "e[]", "text": "t", "label": "l"}},
)


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
    read = read_task(tmp_path, task)
    assert [item.cluster for item in items_of(read, tmp_path / "eval").items] == [name, name]


@pytest.mark.parametrize("own", [{}, {"id": None}, {"id": ""}, {"id": " "}])
def test_file_and_line_identify_a_row_without_identifier(tmp_path, own):
    row = {"q": "Sees?", "o": ["iris", "retina"], "key": "B", **own}
    put(tmp_path / "eval", "quiz/a.jsonl", [row, row])
    read = read_task(tmp_path, CHOICE)
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
