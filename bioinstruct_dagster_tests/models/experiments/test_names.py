"""Names of experiments: their form, and the experiments that patterns stand for."""

import ast
from pathlib import Path

import pytest
from dagster._core.definitions.partitions.utils.base import (
    raise_error_on_invalid_partition_key_substring,
)
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

import bioinstruct_dagster
from bioinstruct_dagster.models.experiments.names import (
    UNNAMED_FILE,
    ExperimentId,
    UnknownExperimentError,
    experiments_named,
    partition_key,
)

FORM = TypeAdapter(ExperimentId)
BASES = ["llama-2-7b", "llama-2-13b", "olmo"]
RECIPES = ["all", "all-1k", "all-1k-s2", "generation+other"]
ALL = [(base, recipe) for base in BASES for recipe in RECIPES]


@pytest.mark.parametrize(
    "name", ["a", "A1", "all-1k-s2", "question_answering+other", "qwen3-1.7b", "x" * 100]
)
def test_a_name_of_letters_digits_and_marks_is_taken(name):
    assert FORM.validate_python(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "a b", "a|b", "a/b", "a\\b", "a:b", "a*", "-a", ".a", "+a", "a.", "a...b", "ä", "x" * 101,
     "a\n", "a?"],
)  # fmt: skip
def test_a_name_that_a_folder_or_dagster_refuses_is_refused(name):
    with pytest.raises(ValidationError, match="letters, digits and any of"):
        FORM.validate_python(name)


@given(st.text(alphabet="aZ09._+-|/: ", min_size=1, max_size=12))
def test_every_name_that_is_taken_is_a_partition_and_a_folder(name):
    try:
        FORM.validate_python(name)
    except ValidationError:
        return
    raise_error_on_invalid_partition_key_substring([name])
    assert not set(name) & set('<>:"/\\|?* ')  # what Windows refuses
    assert not name.endswith(".")


def test_names_and_patterns_stand_for_experiments_in_their_order():
    found = experiments_named(["olmo|all", "llama-2-*|all-1k*"], ALL)
    assert [partition_key(one) for one in found] == [
        "llama-2-7b|all-1k",
        "llama-2-7b|all-1k-s2",
        "llama-2-13b|all-1k",
        "llama-2-13b|all-1k-s2",
        "olmo|all",
    ]


def test_an_experiment_that_two_patterns_name_comes_once():
    assert experiments_named(["olmo|*", "*|all", "olmo|all"], ALL).count(("olmo", "all")) == 1


def test_the_sign_plus_of_a_name_stands_for_itself():
    assert experiments_named(["olmo|generation+other"], ALL) == [("olmo", "generation+other")]


def test_capital_letters_are_not_small_ones():
    with pytest.raises(UnknownExperimentError):
        experiments_named(["OLMO|all"], ALL)


def test_every_pattern_without_experiment_is_named_with_what_to_do():
    with pytest.raises(UnknownExperimentError) as refused:
        experiments_named(["olmo|all", "olmo|al", "llama", "zzz|yyyyyyyyyyyyyyyyyy"], ALL)
    lines = str(refused.value).splitlines()
    assert lines == [
        f"'olmo|al' stands for no experiment of {UNNAMED_FILE}; did you mean 'olmo|all'?",
        (
            f"'llama' stands for no experiment of {UNNAMED_FILE}: write base model and "
            "recipe, such as 'llama|*' or '*|llama'."
        ),
        (
            f"'zzz|yyyyyyyyyyyyyyyyyy' stands for no experiment of {UNNAMED_FILE}: there is "
            "no base model 'zzz', only llama-2-7b, llama-2-13b, olmo."
        ),
    ]


def test_a_name_that_is_not_near_is_not_suggested():
    with pytest.raises(UnknownExperimentError) as refused:
        experiments_named(["tiny|all"], [("rehearsal-llama", "all"), ("huge", "all")])
    assert "did you mean" not in str(refused.value)
    with pytest.raises(UnknownExperimentError) as refused:
        experiments_named(["rehearsal-llama|nope"], [("rehearsal-llama", "other")])
    assert "did you mean" not in str(refused.value)


def test_no_message_names_the_shipped_file_where_another_may_be_set():
    package = Path(bioinstruct_dagster.__file__).parent
    found = []
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        documented = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and isinstance(node.body[0], ast.Expr)
        }
        found += [
            f"{path}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant)
            and "data/experiments.yaml" in str(node.value)
            and id(node) not in documented
        ]
    assert found == []


def test_no_pattern_at_all_is_refused():
    with pytest.raises(UnknownExperimentError, match="No experiment is named; name at least one"):
        experiments_named([], ALL)


@given(st.lists(st.sampled_from(["*|*", "olmo|*", "*|all", "llama-2-7b|all-1k"]), min_size=1))
def test_patterns_choose_a_part_of_the_list_in_its_order(patterns):
    found = experiments_named(patterns, ALL)
    assert found == [one for one in ALL if one in found]
    assert len(set(found)) == len(found)
