"""The matrix: which values win, and the shipped experiments, which are those of the paper."""

from itertools import combinations

import pytest

from bioinstruct_dagster.models.experiments import UnknownExperimentError, read_experiments
from bioinstruct_dagster.models.experiments.matrix import layers
from bioinstruct_dagster.seeds.tasks import CATEGORIES
from bioinstruct_dagster.settings import INPUTS

FILE = """
base_models:
  plain: {source: a/b}
  tuned:
    source: a/b
    hyperparameters: {modern: {epochs: 4, warmup: 0.4}}
    training: {warmup: 0.5}
recipes:
  all: {hyperparameters: [modern, old], rows: [all, 1k], seed: [1, 2]}
  long: {epochs: 5}
hyperparameters:
  modern: {source: a study, deviations: [none], values: {epochs: 3, warmup: 0.3}}
  old: {source: a script, values: {epochs: 2, warmup: 0.2}}
defaults: {hyperparameters: modern, lora_rank: 4, lora_alpha: 8, lora_dropout: 0.0,
           target_modules: all-linear, learning_rate: 1e-3, rows_per_update: 4, epochs: 1,
           warmup: 0.1, max_length: 64}
"""


@pytest.fixture
def matrix(tmp_path):
    path = tmp_path / "experiments.yaml"
    path.write_text(FILE, "utf-8")
    return read_experiments(path)


@pytest.fixture(scope="module")
def shipped():
    return read_experiments(INPUTS / "experiments.yaml")


@pytest.mark.parametrize(
    ("base_model", "recipe", "epochs", "warmup"),
    [
        ("plain", "all", 3, 0.3),  # the set before the defaults
        ("plain", "all-old", 2, 0.2),
        ("tuned", "all", 4, 0.5),  # the base model's values for a set, and for every recipe
        ("tuned", "all-old", 2, 0.5),
        ("plain", "long", 5, 0.3),  # the recipe's own before the set
        ("tuned", "long", 5, 0.5),
    ],
)
def test_the_nearer_value_wins(matrix, base_model, recipe, epochs, warmup):
    found = matrix.recipe(base_model, recipe)
    assert (found.epochs, found.warmup) == (epochs, warmup)
    assert found.lora_rank == 4


def test_size_and_seed_reach_the_recipe(matrix):
    recipe = matrix.recipe("plain", "all-1k-old-s2")
    assert (recipe.rows, recipe.seed) == (1000, 2)


@pytest.mark.parametrize(("base_model", "recipe"), [("plain", "none"), ("none", "all")])
def test_an_experiment_that_is_not_there_is_refused_in_words(matrix, base_model, recipe):
    with pytest.raises(UnknownExperimentError, match=rf"no experiment {base_model}\|{recipe}"):
        matrix.recipe(base_model, recipe)


def test_the_source_of_hyperparameters_can_be_shown(matrix):
    name, found = matrix.hyperparameters_of("all-1k")
    assert (name, found.source, found.deviations) == ("modern", "a study", ("none",))
    assert matrix.hyperparameters_of("all-old")[1].source == "a script"


def test_each_value_names_its_origin(matrix):
    plain, tuned = (
        {name: one.shown() for name, one in matrix.origins(base, "all").items()}
        for base in ("plain", "tuned")
    )
    assert (plain["epochs"], plain["warmup"]) == ("set modern", "set modern")
    assert tuned["epochs"] == "base model tuned, instead of 3 of set modern"
    assert tuned["warmup"] == "base model tuned, instead of 0.3 of set modern"
    assert matrix.origins("plain", "long")["epochs"].shown() == "recipe, instead of 3 of set modern"
    assert (plain["lora_rank"], plain["seed"]) == ("defaults", "recipe")
    assert plain["weight_decay"] == "the project's default"
    assert plain.keys() == type(matrix.recipe("plain", "all")).model_fields.keys()


def test_a_value_that_repeats_the_set_is_the_sets(tmp_path):
    path = tmp_path / "experiments.yaml"
    path.write_text(FILE.replace("training: {warmup: 0.5}", "training: {warmup: 0.3}"), "utf-8")
    origin = read_experiments(path).origins("tuned", "long")["warmup"]
    assert origin.shown() == "set modern"


def test_a_message_names_the_file_that_was_read(matrix, tmp_path):
    for wrong in (lambda: matrix.recipe("none", "all"), lambda: matrix.names_of(["none|all"])):
        with pytest.raises(UnknownExperimentError, match=str(tmp_path / "experiments.yaml")):
            wrong()


def test_experiments_come_one_base_model_after_the_other(matrix):
    bases = [base for base, _ in matrix.experiments()]
    assert bases == ["plain"] * 9 + ["tuned"] * 9
    assert matrix.names_of(["tuned|*", "plain|long"])[0] == ("plain", "long")


def test_values_of_a_set_come_only_with_the_set():
    given = {"defaults": {"epochs": 1, "seed": [1, 2]}, "sets": {"a": {"epochs": 2}}, "own": {}}
    of_base = {"hyperparameters": {"a": {"epochs": 3}}, "training": {}}
    assert list(layers(None, **given, of_base=of_base)) == [{"epochs": 1}, {}, {}]
    assert list(layers("a", **given, of_base=of_base))[1:3] == [{"epochs": 2}, {"epochs": 3}]


# --- The shipped file ---------------------------------------------------------------------------


def test_the_papers_base_models_and_current_ones_ship(shipped):
    assert list(shipped.base_models) == [
        "rehearsal-llama", "smollm2-135m", "llama-1-7b", "llama-1-13b", "llama-2-7b",
        "llama-2-13b", "qwen3-1.7b", "smollm3-3b", "olmo3-7b",
    ]  # fmt: skip
    for name, spec in shipped.base_models.items():
        assert spec.licence, name
        assert "/" not in spec.source or len(spec.revision) == 40, name


def test_the_papers_recipes_ship_with_three_seeds_each(shipped):
    pairs = {"+".join(pair) for pair in combinations(CATEGORIES, 2)}
    sizes = {f"all-{size}k" for size in (1, 2, 5, 10, 15, 20)}
    wanted = {"all", *CATEGORIES, *pairs, *sizes}
    wanted |= {f"{name}-alpaca-lora" for name in {"all", *sizes}}
    seeds = {f"{name}{seed}" for name in wanted for seed in ("", "-s2", "-s3")}
    assert set(shipped.recipes) == seeds
    for pair in pairs:
        assert shipped.recipe("rehearsal-llama", pair).categories == tuple(pair.split("+"))
    for one in ("all", *sizes):
        assert shipped.recipe("rehearsal-llama", one).categories == CATEGORIES


def test_the_shipped_hyperparameters_are_those_of_their_sources(shipped):
    old = shipped.recipe("llama-2-7b", "all-alpaca-lora")
    # Defaults of tloen/alpaca-lora, finetune.py; the deviations are listed in the file.
    assert (old.lora_rank, old.lora_alpha, old.lora_dropout) == (8, 16, 0.05)
    assert (old.learning_rate, old.epochs, old.rows_per_update) == (3e-4, 3, 128)
    assert old.target_modules == ("q_proj", "v_proj")
    modern = shipped.recipe("llama-2-7b", "all")
    assert modern.target_modules == "all-linear"
    assert modern.rows_per_update <= 32
    assert shipped.recipe("qwen3-1.7b", "all").learning_rate > modern.learning_rate
    for name in ("modern", "alpaca-lora"):
        assert shipped.hyperparameters[name].source
        assert shipped.hyperparameters[name].deviations


def test_no_row_of_a_shipped_recipe_is_longer_than_its_base_models_context(shipped):
    for base_model, recipe in shipped.experiments():
        context = shipped.base_models[base_model].context
        assert context is None or shipped.recipe(base_model, recipe).max_length <= context


def test_a_base_model_that_is_nowhere_does_not_stop_the_project_from_loading(tmp_path):
    text = (INPUTS / "experiments.yaml").read_text("utf-8")
    path = tmp_path / "experiments.yaml"
    path.write_text(text.replace("huggyllama/llama-7b", "./no/such/folder"), "utf-8")
    assert read_experiments(path).base_models["llama-1-7b"].source == "./no/such/folder"
