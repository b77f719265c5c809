"""A key that a JSON object repeats is found in every object, however deep it lies."""

import json

import pytest

from bioinstruct_dagster.json_objects import RepeatedKeyError, object_of_distinct_keys


def read(text: str) -> object:
    return json.loads(text, object_pairs_hook=object_of_distinct_keys)


@pytest.mark.parametrize(
    "text",
    ["{}", '{"a": 1, "A": 2}', '[{"a": 1}, {"a": 2}]', '{"a": {"a": 1}, "b": {"a": 2}}'],
    ids=["empty", "by_case", "of_two_rows", "of_two_objects"],
)
def test_distinct_keys_are_read_as_by_the_plain_parser(text):
    assert read(text) == json.loads(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"a": 1, "a": 1}', "a"),
        ('{"b": 1, "a": 1, "a": 2, "b": 2}', "b"),
        ('{"a": [{"c": {"b": 1, "b": 2}}]}', "b"),
        ('{"é": 1, "\\u00e9": 2}', "é"),
    ],
    ids=["equal_values", "first_of_two", "inside", "escaped"],
)
def test_the_first_repeated_key_is_named(text, key):
    with pytest.raises(RepeatedKeyError) as raised:
        read(text)
    assert raised.value.key == key
    assert str(raised.value) == f"the key {key!r} is given twice in one object; keep one"
