"""Right options by letter, place, label and text; those that fit none or several are refused."""

import pytest

from bioinstruct_dagster.eval_sets.items import EvaluationFileError, items_of, load_items
from bioinstruct_dagster_tests.eval_sets.task_files import CHOICE, LABELS, changed, put, read_task

ROW = {"id": "1", "q": "Sees?", "o": {"A": "iris", "B": "retina"}, "key": "B"}


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
    read = read_task(tmp_path, with_gold(gold))
    found = items_of(read, tmp_path / "eval")
    assert (found.items, found.unscored) == ((), 1)
