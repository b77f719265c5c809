"""Paths into an evaluation item: what they lead to, and what is no path."""

import pydantic
import pytest

from bioinstruct_dagster.eval_sets.field_paths import FieldPath, PathError, values_at

ITEM = {
    "a": {"b": 1, "list": [{"c": 2}, {"c": 3}, {"d": 4}]},
    "texts": ["x", "y"],
    "none": [],
    "null": None,
}


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("a.b", [1]),
        ("texts", [["x", "y"]]),
        ("texts[]", ["x", "y"]),
        ("a.list[].c", [2, 3]),
        ("absent|a.b", [1]),
        ("a.b|texts[]", [1]),
        ("null", [None]),
        ("none[]", []),
        ("absent?", []),
        ("a.absent|absent.b?", []),
        ("a.b[]?", []),
    ],
)
def test_a_path_leads_to_its_values(path, values):
    assert values_at(ITEM, path) == values


@pytest.mark.parametrize("path", ["absent", "a.absent|b", "a.b.c", "a.b[]"])
def test_a_path_that_leads_nowhere_is_refused(path):
    with pytest.raises(PathError, match="is missing"):
        values_at(ITEM, path)


PATH = pydantic.TypeAdapter(FieldPath)


@pytest.mark.parametrize("path", ["a", "a_b-c.d1", "a[].b|c[]?", "größe.x", "_id?"])
def test_a_path_may_be_written_so(path):
    assert PATH.validate_python(path) == path


@pytest.mark.parametrize("path", ["", "a b", "1a", "a.", "a||b", "a?|b", "a[0]", "a\n", "a??"])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(pydantic.ValidationError, match="is no path to a field"):
        PATH.validate_python(path)
