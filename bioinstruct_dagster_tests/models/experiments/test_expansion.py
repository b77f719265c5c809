"""The rule by which recipes expand into names, and the faults of sizes, seeds and sets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioinstruct_dagster.models.experiments.expansion import (
    MOST_RECIPES,
    ExpandedRecipe,
    expand,
    size_name,
)

SETS = {"modern": {}, "alpaca-lora": {}}
DEFAULTS = {"hyperparameters": "modern"}


def names_of(recipes, defaults=DEFAULTS, sets=SETS):
    """The names that recipes without faults expand into."""
    found = expand(recipes, defaults, sets)
    assert not found.faults
    return list(found.recipes)


def faults_of(recipes, defaults=DEFAULTS, sets=SETS):
    return [(fault.place, fault.message) for fault in expand(recipes, defaults, sets).faults]


def test_a_recipe_without_lists_keeps_its_name():
    found = expand({"all": {"epochs": 2}}, {}, {})
    assert found.recipes == {"all": ExpandedRecipe("all", None, 1, None, {"epochs": 2})}
    assert not found.faults


def test_lists_expand_into_all_combinations_in_a_steady_order():
    recipe = {"rows": ["all", "1k"], "seed": [1, 2], "hyperparameters": ["modern", "alpaca-lora"]}
    assert names_of({"all": recipe}) == [
        "all",
        "all-s2",
        "all-alpaca-lora",
        "all-alpaca-lora-s2",
        "all-1k",
        "all-1k-s2",
        "all-1k-alpaca-lora",
        "all-1k-alpaca-lora-s2",
    ]


def test_a_single_value_is_in_the_name_too_so_that_no_name_hides_a_size():
    assert names_of({"few": {"rows": 500, "seed": 7}}) == ["few-500-s7"]


def test_the_defaults_hold_for_recipes_that_say_nothing():
    defaults = {"hyperparameters": "alpaca-lora", "seed": [1, 2], "rows": "2k"}
    recipes = {"all": {}, "own": {"seed": 1, "rows": "all", "hyperparameters": "modern"}}
    assert names_of(recipes, defaults) == ["all-2k", "all-2k-s2", "own-modern"]


def test_without_a_default_set_every_set_is_in_the_name():
    recipes = {"all": {"hyperparameters": ["modern", "alpaca-lora"]}, "plain": {}}
    assert names_of(recipes, {}) == ["all-modern", "all-alpaca-lora", "plain"]


@pytest.mark.parametrize(
    ("size", "rows", "name"),
    [("1k", 1000, "1k"), (1000, 1000, "1k"), ("20k", 20_000, "20k"), (1500, 1500, "1500"),
     (1, 1, "1")],
)  # fmt: skip
def test_a_size_is_a_number_or_thousands(size, rows, name):
    found = expand({"all": {"rows": size}}, {}, {}).recipes
    assert {one: made.rows for one, made in found.items()} == {f"all-{name}": rows}


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (0, "must be 1 to 1000000000 rows, not 0"),
        (-5, "must be 1 to 1000000000 rows, not -5"),
        (10**12, "must be 1 to 1000000000 rows, not 1000000000000"),
        ("1000", "must be a number of rows, such as 1500 or 2k, or all, not '1000'"),
        ("0k", "not '0k'"),
        ("1K", "not '1K'"),
        ("1.5k", "not '1.5k'"),
        ("most", "not 'most'"),
        (1.5, "not 1.5"),
        (True, "not true"),
        (None, "not empty"),
        ({}, "not a mapping"),
        ([[1]], "not a list"),
    ],
)
def test_a_size_that_is_none_is_refused_where_it_stands(size, said):
    ((place, message),) = faults_of({"all": {"rows": size}})
    assert place[:3] == ("recipes", "all", "rows")
    assert said in message


def test_a_fault_of_a_list_names_the_entry():
    faults = faults_of({"all": {"rows": ["1k", "few", 1000], "seed": [1, 0, 1]}})
    assert [place for place, _ in faults] == [
        ("recipes", "all", "rows", 1),
        ("recipes", "all", "rows", 2),
        ("recipes", "all", "seed", 1),
        ("recipes", "all", "seed", 2),
    ]
    assert [message for _, message in faults][1::2] == [
        "1000 is there twice; remove one of them",
        "1 is there twice; remove one of them",
    ]


@pytest.mark.parametrize("field", ["rows", "seed", "hyperparameters"])
def test_an_empty_list_is_refused(field):
    ((place, message),) = faults_of({"all": {field: []}})
    assert place == ("recipes", "all", field)
    assert message == "has no entries; add some, or remove the key"


@pytest.mark.parametrize("seed", [0, -1, 1.0, "2", True, None, 10**10])
def test_a_seed_that_is_none_is_refused(seed):
    ((place, message),) = faults_of({"all": {"seed": seed}})
    assert place == ("recipes", "all", "seed")
    assert message.startswith("must be ")


@pytest.mark.parametrize(
    ("name", "sets", "said"),
    [
        ("modrn", SETS, "there is no set 'modrn' under `hyperparameters`; use one of: modern, alp"),
        ("modern", {}, "there is no set 'modern' under `hyperparameters`; there are none; add it"),
        (3, SETS, "must be the name of a set, not 3"),
    ],
)
def test_a_set_that_is_not_there_is_refused(name, sets, said):
    ((place, message),) = faults_of({"all": {"hyperparameters": name}}, {}, sets)
    assert place == ("recipes", "all", "hyperparameters")
    assert message.startswith(said)


def test_the_default_set_is_one():
    faults = faults_of({"all": {}}, {"hyperparameters": ["modern", "alpaca-lora"]})
    assert faults == [
        (
            ("defaults", "hyperparameters"),
            "must be one set, because no name holds it; write further sets in recipes",
        )
    ]


def test_a_fault_of_the_defaults_is_named_once():
    ((place, _),) = faults_of({"all": {}, "other": {}}, {"seed": 0})
    assert place == ("defaults", "seed")


def test_two_recipes_of_one_name_are_refused():
    faults = faults_of({"all": {"rows": ["all", "1k", "2k"]}, "all-1k": {"seed": [1, 2]}})
    assert faults == [
        (
            ("recipes", "all-1k"),
            "stands for the name all-1k, as recipes.all does; rename one",
        )
    ]


def test_names_that_differ_only_in_case_are_refused():
    ((place, message),) = faults_of({"all": {}, "ALL": {"seed": [1, 2]}})
    assert place == ("recipes", "ALL")
    assert "stands for the name ALL, which differs from all (recipes.all) only in case" in message


def test_a_set_whose_name_looks_like_a_seed_is_refused_if_the_names_meet():
    recipe = {"hyperparameters": ["modern", "s2"], "seed": [1, 2]}
    ((place, message),) = faults_of({"all": recipe}, sets={"modern": {}, "s2": {}})
    assert place == ("recipes", "all")
    assert message == "stands for the name all-s2 twice; rename the set of hyper-parameters"


def test_a_name_that_expands_past_a_folders_name_is_refused():
    ((place, message),) = faults_of({"a" * 99: {"rows": "1k"}})
    assert place == ("recipes", "a" * 99)
    assert "has more than 100 characters; shorten the recipe's name" in message


def test_more_recipes_than_a_grid_can_show_are_refused_at_once():
    faults = faults_of({"all": {"rows": list(range(1, 3000)), "seed": list(range(1, 3000))}})
    assert faults == [
        (
            ("recipes", "all"),
            f"is more than the {MOST_RECIPES} recipes that a grid can show; remove some",
        )
    ]


SIZES = st.sampled_from(["all", 1, 500, 1500, "1k", "2k", "20k"])
LISTS = st.fixed_dictionaries(
    {},
    optional={
        "rows": st.one_of(SIZES, st.lists(SIZES, min_size=1, max_size=4, unique=True)),
        "seed": st.one_of(st.integers(1, 9), st.lists(st.integers(1, 9), min_size=1, unique=True)),
        "hyperparameters": st.sampled_from(["modern", "alpaca-lora", ["alpaca-lora", "modern"]]),
    },
)
WRITTEN = st.dictionaries(st.sampled_from(["all", "qa", "all-1k", "qa-s2", "x"]), LISTS)
ONE_SET = LISTS.filter(lambda one: not isinstance(one.get("hyperparameters"), list))


def listed(value):
    return value if isinstance(value, list) else [value]


@given(WRITTEN, ONE_SET)
def test_every_combination_has_a_name_of_its_own_or_the_file_a_fault(recipes, defaults):
    names = []
    for written, recipe in recipes.items():
        choices = {"rows": "all", "seed": 1, "hyperparameters": ""} | defaults | recipe
        for rows in listed(choices["rows"]):
            for of_set in listed(choices["hyperparameters"]):
                for seed in listed(choices["seed"]):
                    name = written if rows == "all" else f"{written}-{rows}"
                    name += f"-{of_set}" * (of_set not in {"", defaults.get("hyperparameters")})
                    names.append(name if seed == 1 else f"{name}-s{seed}")
    found = expand(recipes, defaults, SETS)
    assert set(found.recipes) == set(names)
    assert bool(found.faults) == (len(set(names)) < len(names))


@given(WRITTEN, ONE_SET)
def test_a_name_tells_what_its_recipe_holds(recipes, defaults):
    default_set = defaults.get("hyperparameters")
    for name, one in expand(recipes, defaults, SETS).recipes.items():
        assert name == one.name(default_set)
        rest = name.removeprefix(one.written_as)
        assert (f"-{size_name(one.rows)}" in rest) if one.rows else True
        assert rest.endswith(f"-s{one.seed}") or one.seed == 1
        if rest == "":
            assert (one.rows, one.seed) == (None, 1)
            assert one.hyperparameters == default_set


@given(WRITTEN, st.permutations(["all", "qa", "all-1k", "qa-s2", "x"]))
def test_the_order_of_recipes_changes_no_name(recipes, order):
    turned = {name: recipes[name] for name in order if name in recipes}
    there, here = expand(recipes, DEFAULTS, SETS), expand(turned, DEFAULTS, SETS)
    assert bool(there.faults) == bool(here.faults)
    if not there.faults:
        assert there.recipes == here.recipes
