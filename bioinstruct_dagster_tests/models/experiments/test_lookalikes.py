"""Written names that read like names of the rule are only taken if they are true."""

import pytest

from bioinstruct_dagster.models.experiments.expansion import expand
from bioinstruct_dagster.models.experiments.lookalikes import lookalike_faults

SETS = {"modern": {}, "alpaca-lora": {}}


def faults(recipes, defaults=None, sets=SETS):
    defaults = {"hyperparameters": "modern"} | (defaults or {})
    return [
        (*one.place, one.message)
        for one in lookalike_faults(expand(recipes, defaults, sets).recipes, recipes, sets)
    ]


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("gen-1k", {}, "reads as 1k rows, but the recipe has all rows"),
        ("gen-1K", {"rows": 500}, "reads as 1k rows, but the recipe has 500 rows"),
        ("gen-2k", {"rows": ["all", "2k"]}, "reads as 2k rows, but the recipe has all rows"),
        ("all-s2", {}, "reads as seed 2, but the recipe has seed 1, which is the usual one"),
        ("all-S3", {"seed": [2, 3]}, "reads as seed 3, but the recipe has seed 2"),
        ("all-1k-s2", {"seed": 2}, "reads as 1k rows, but the recipe has all rows"),
        (
            "gen-alpaca-lora",
            {},
            "reads as the hyper-parameters alpaca-lora, but the recipe has modern",
        ),
        ("gen-1k-alpaca-lora-s2", {"hyperparameters": "alpaca-lora", "seed": 2}, "reads as 1k"),
    ],
)
def test_a_name_that_tells_something_else_is_a_fault(name, values, told):
    (fault,) = faults({name: values})
    assert fault[:2] == ("recipes", name)
    assert fault[2].startswith(told)


def test_a_bare_number_reads_as_rows_only_behind_the_name_of_a_recipe():
    assert faults({"rank-16": {}, "epochs-3": {}}) == []
    (fault,) = faults({"gen": {}, "gen-50": {}})
    assert fault[2].startswith("reads as 50 rows")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("gen-1k", {"rows": 1000}),
        ("all-s2", {"seed": 2}),
        ("all-s1", {}),
        ("gen-modern", {}),
        ("gen-alpaca-lora", {"hyperparameters": "alpaca-lora"}),
        ("all", {"rows": ["all", "1k"], "seed": [1, 2]}),
        ("models", {}),
        ("modern", {}),
    ],
)
def test_a_true_name_is_taken(name, values):
    assert faults({name: values}) == []


@pytest.mark.parametrize("name", ["1k", "50", "s2", "fast-s2", "fast-1k"])
def test_a_set_whose_name_reads_as_size_or_seed_is_a_fault(name):
    (fault,) = faults({"all": {}}, {"hyperparameters": name}, {name: {}})
    assert fault[:2] == ("hyperparameters", name)


@pytest.mark.parametrize("name", ["rank-16", "modern", "k", "s", "sets2"])
def test_other_names_of_sets_are_taken(name):
    assert faults({"all": {}}, {"hyperparameters": name}, {name: {}}) == []
