"""Lists and objects in cells are named by what they hold."""

import pytest

from bioinstruct_dagster.generation.imports.shapes import is_history, is_tree, shape_of


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (["Q", "A"], "a list of texts"),
        ([None, "A"], "a list of texts"),
        ([["Q", "A"]], "a list of lists"),
        ([{"human": "Q", "assistant": "A"}], "a list with an object with 'human', 'assistant'"),
        ({"question": "Q"}, "an object with 'question'"),
        (dict.fromkeys("abcde"), "an object with 'a', 'b', 'c', 'd', …"),
        ({}, "an object"),
        ([], "a list"),
        ([1], "a list"),
        ("Q", ""),
        (None, ""),
        (7, ""),
    ],
)
def test_a_shape_has_a_name(value, shape):
    assert shape_of(value) == shape


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ([["q", "a"]], True),
        ([["q", "a"], ["q2", "a2"]], True),
        ([], False),
        ([["q"]], False),
        (["qa"], False),
        ([[1, 2]], False),
        (None, False),
    ],
)
def test_pairs_of_texts_are_a_history(value, found):
    assert is_history(value) is found


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ("message_id parent_id text role lang", True),
        ("id parent_id role content", True),
        ("id role text", False),
        ("instruction output", False),
    ],
)
def test_a_tree_of_messages_is_known_by_its_columns(names, found):
    assert is_tree(dict.fromkeys(names.split())) is found
