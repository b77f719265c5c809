"""The small study of `make study`: its experiments, its runs, and the settings it names."""

import os
import re
import shutil
import subprocess

import pytest
import yaml

from bioinstruct_dagster.findings.families import ablation_families, scaling_families
from bioinstruct_dagster.models.experiments import read_experiments
from bioinstruct_dagster.seeds.tasks import CATEGORIES
from bioinstruct_dagster.settings import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "docs" / "study"
VARIABLE = re.compile(r"BIOINSTRUCT_[A-Z_]+")


@pytest.fixture(scope="module")
def matrix():
    return read_experiments(FOLDER / "experiments.yaml")


def experiments_of(run, matrix):
    """The experiments that a run's config stands for."""
    config = yaml.safe_load((FOLDER / run).read_text("utf-8"))
    return matrix.names_of(config["ops"]["train_and_score"]["config"]["experiments"])


def test_each_category_alone_and_all_in_three_sizes_under_two_seeds(matrix):
    recipes = [matrix.recipe(*one) for one in experiments_of("study.yaml", matrix)]
    assert len(recipes) == 14
    assert {recipe.seed for recipe in recipes} == {1, 2}
    alone = {recipe.categories for recipe in recipes if len(recipe.categories) == 1}
    assert alone == {(category,) for category in CATEGORIES}
    assert len({recipe.rows for recipe in recipes if len(recipe.categories) == 4}) == 3


def test_categories_are_compared_at_equal_size(matrix):
    every = [*experiments_of("study.yaml", matrix), *experiments_of("pairs.yaml", matrix)]
    assert set(every) == set(matrix.experiments())
    sizes = {
        matrix.recipe(*one).rows
        for one in every
        if len(matrix.recipe(*one).categories) < 4 and not one[1].startswith("other")
    }
    assert sizes == {64}
    assert 64 in {matrix.recipe(*one).rows for one in every if one[1].startswith("all")}


def test_a_copy_of_the_file_may_have_other_sizes_and_seeds(matrix, tmp_path):
    text = (FOLDER / "experiments.yaml").read_text("utf-8")
    copy = tmp_path / "experiments.yaml"
    smaller = text.replace("[32, 64, 128]", "[8, 16]").replace("rows: 64", "rows: 8")
    copy.write_text(smaller.replace("seed: [1, 2]", "seed: 1"), "utf-8")
    other = read_experiments(copy)
    chosen = [*experiments_of("study.yaml", other), *experiments_of("pairs.yaml", other)]
    assert set(chosen) == set(other.experiments())
    assert len(chosen) == 9


def test_experiments_differ_in_rows_and_seed_only(matrix):
    rest = {
        matrix.recipe(*one).model_dump_json(exclude={"categories", "rows", "seed"})
        for one in matrix.experiments()
    }
    assert len(rest) == 1


def test_the_command_names_settings_that_exist():
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    printed = subprocess.run(
        ["make", "-n", "study", "ROWS=rows.jsonl", "ITEMS=items", "PAIRS=yes"],
        check=True, capture_output=True, text=True, cwd=PROJECT_ROOT,
    ).stdout  # fmt: skip
    known = set(VARIABLE.findall((PROJECT_ROOT / ".env.example").read_text("utf-8")))
    assert set(VARIABLE.findall(printed)) <= known
    assert "pairs.yaml" in printed
    for run in re.findall(r"-c (docs/study/\S+)", printed):
        assert (PROJECT_ROOT / run).is_file()


@pytest.mark.parametrize("target", ["demo", "study"])
def test_the_commands_pin_the_rehearsal_and_refuse_a_file_that_undoes_it(target):
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    # -p prints the variables of each target, -n runs nothing.
    printed = subprocess.run(
        ["make", "-np", target],
        check=True, capture_output=True, text=True, cwd=PROJECT_ROOT,
        env=dict(os.environ, BIOINSTRUCT_TEACHER="openai", BIOINSTRUCT_DATA_DIR="/elsewhere"),
    ).stdout  # fmt: skip
    pins = re.findall(rf"^{target}: (BIOINSTRUCT_\w+ :=.*)$", printed, re.MULTILINE)
    assert "BIOINSTRUCT_TEACHER := rehearsal" in pins
    if target == "study":
        assert f"BIOINSTRUCT_DATA_DIR := {PROJECT_ROOT}/data" in pins
    recipe = printed[: printed.index("# GNU Make")]
    # What `.env` would undo is refused before anything runs.
    assert recipe.index("settings.pinned BIOINSTRUCT_TEACHER") < recipe.index("asset materialize")


def test_the_findings_find_an_ablation_and_a_curve_in_it(matrix):
    ablation = ablation_families(matrix)
    assert {one.rows for one in ablation} == {64}
    assert [len(one.categories) for one in ablation] == [1, 1, 1, 2, 2, 2, 4]
    assert [one.rows for one in scaling_families(matrix)] == [32, 64, 128]
