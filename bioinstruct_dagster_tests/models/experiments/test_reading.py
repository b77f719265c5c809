"""The experiment file: its defaults and overrides, and every error named by file and field."""

import re

import pytest
import yaml

from bioinstruct_dagster.models.experiments import ExperimentFileError, read_experiments
from bioinstruct_dagster.seeds.tasks import CATEGORIES
from bioinstruct_dagster.settings import INPUTS

DEFAULTS = {
    "lora_rank": 8, "lora_alpha": 16, "lora_dropout": 0.05, "target_modules": "all-linear",
    "learning_rate": 3e-4, "epochs": 3, "rows_per_update": 8, "warmup": 0.03,
    "max_length": 512,
}  # fmt: skip


def matrix(**changes):
    return {
        "base_models": {"tiny": {"source": "rehearsal"}, "hub": {"source": "owner/name"}},
        "recipes": {"all": {}, "qa": {"categories": ["question_answering"]}},
        "defaults": DEFAULTS,
    } | changes


@pytest.fixture
def read(tmp_path):
    """Read a file with the given content: text, or what YAML is to be made of."""

    def run(content):
        path = tmp_path / "experiments.yaml"
        text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
        path.write_text(text, "utf-8")
        return read_experiments(path)

    return run


def message_of(read, content):
    with pytest.raises(ExperimentFileError) as raised:
        read(content)
    assert "experiments.yaml" in str(raised.value)
    return str(raised.value)


def test_the_model_overrides_the_recipe_and_it_the_defaults(read):
    models = {"tiny": {"source": "rehearsal", "training": {"epochs": 1}}, "big": {"source": "a/b"}}
    found = read(matrix(base_models=models, recipes={"all": {"epochs": 2, "lora_rank": 4}}))
    tiny, big = found.recipe("tiny", "all"), found.recipe("big", "all")
    assert (tiny.epochs, tiny.lora_rank, tiny.lora_alpha) == (1, 4, 16)
    assert (big.epochs, big.lora_rank, big.lora_alpha) == (2, 4, 16)
    assert tiny.categories == CATEGORIES


def test_a_learning_rate_in_any_notation_is_a_number(read):
    text = yaml.safe_dump(matrix()).replace("learning_rate: 0.0003", "learning_rate: 3e-4")
    assert "3e-4" in text
    assert read(text).recipe("tiny", "all").learning_rate == 3e-4


def test_the_projects_own_file_is_sound():
    found = read_experiments(INPUTS / "experiments.yaml")
    assert found.base_models["rehearsal-llama"].rehearsal
    assert set(found.recipes) >= {"all", "information_extraction"}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"base_models": {}}, ["base_models"]),
        ({"recipes": {}}, ["recipes"]),
        ({"surplus": 1}, ["surplus"]),
        (
            {"base_models": {"a b": {"source": "x"}}},
            ["base_models.'a b': 'a b' must be"],
        ),
        ({"base_models": {"a|b": {"source": "x"}}}, ["base_models.a|b"]),
        ({"base_models": {"tiny": {"source": ""}}}, ["base_models.tiny.source"]),
        ({"base_models": {"tiny": {}}}, ["base_models.tiny.source"]),
        ({"base_models": {"tiny": {"source": "x", "reversion": "1"}}}, ["tiny.reversion"]),
        (
            {"base_models": {"tiny": {"source": "rehearsal", "pretraining_steps": 0}}},
            ["base_models.tiny.pretraining_steps"],
        ),
        ({"base_models": {"tiny": {"source": "x", "training": None}}}, ["tiny.training"]),
        ({"recipes": {"a/b": {}}}, ["recipes.a/b"]),
        ({"recipes": {"..": {}}}, ["recipes.'..': '..' must be"]),
        ({"recipes": {"a.": {}}}, ["recipes.'a.': 'a.' must be"]),
        ({"recipes": {"a" * 101: {}}}, ["must be at most 100 letters"]),
        ({"base_models": {"tiny": {"source": " rehearsal"}}}, ["source: ' rehearsal' has blanks"]),
        ({"base_models": {"tiny": {"source": "x", "revision": ""}}}, ["revision: is empty"]),
        ({"base_models": {"tiny": {"source": "x", "revision": " "}}}, ["revision: ' ' has blanks"]),
        (
            {"base_models": {"tiny": {"source": "x", "pretraining_steps": True}}},
            ["pretraining_steps: must be a whole number, not true"],
        ),
        ({"recipes": {"all": ["epochs"]}}, ["recipes.all"]),
        (
            {"base_models": {"a": {"source": ""}, "b": {"source": "x", "training": 3}}},
            ["base_models.a.source", "base_models.b.training"],
        ),
    ],
)
def test_a_malformed_file_is_refused_by_field(read, change, named):
    message = message_of(read, matrix(**change))
    for field in named:
        assert field in message


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("lora_rank", 0),
        ("lora_alpha", "high"),
        ("lora_dropout", 1),
        ("lora_dropout", -0.1),
        ("target_modules", 3),
        ("learning_rate", 0),
        ("epochs", -1),
        ("rows_per_update", 0),
        ("warmup", 1),
        ("max_length", 15),
        ("categories", []),
        ("categories", ["summarization"]),
        ("categories", ["other", "other"]),
        ("target_modules", ""),
        ("target_modules", " "),
        ("target_modules", []),
        ("target_modules", ["q_proj", ""]),
        ("target_modules", ["q_proj", "q_proj"]),
        ("learning_rate", float("inf")),
        ("learning_rate", float("nan")),
        ("learning_rate", "0.0003"),
        ("learning_rate", True),
        ("epochs", float("inf")),
        ("epochs", "3"),
        ("lora_rank", True),
        ("lora_rank", 16.0),
        ("lora_dropout", False),
        ("rows_per_update", 10**30),
        ("rows_per_update", "8"),
        ("rows_per_update", 2.5),
        ("surplus", 1),
    ],
)
def test_a_bad_value_is_named_where_it_stands(read, field, value):
    in_recipe = message_of(read, matrix(recipes={"all": {}, "odd": {field: value}}))
    assert re.search(rf"yaml:\d+: recipes\.odd\.{field}", in_recipe)
    assert len(in_recipe.splitlines()) == 1  # although two base models are trained with it
    as_default = message_of(read, matrix(defaults=DEFAULTS | {field: value}))
    assert re.search(rf"yaml:\d+: defaults\.{field}", as_default)
    overriding = {
        "tiny": {"source": "rehearsal"},
        "hub": {"source": "x", "training": {field: value}},
    }
    message = message_of(read, matrix(base_models=overriding))
    assert re.search(rf"yaml:\d+: base_models\.hub\.training\.{field}", message)


def test_a_value_that_nothing_sets_is_named(read):
    incomplete = {name: value for name, value in DEFAULTS.items() if name != "epochs"}
    message = message_of(read, matrix(defaults=incomplete))
    assert "recipes.all.epochs: missing for tiny, hub; add it here, or to defaults" in message
    assert "recipes.qa.epochs: missing for tiny, hub" in message
    own = {"tiny": {"source": "a", "training": {"epochs": 1}}, "hub": {"source": "b"}}
    message = message_of(read, matrix(defaults=incomplete, base_models=own))
    assert "recipes.all.epochs: missing for hub; add it" in message


def test_a_bad_value_is_named_although_it_is_overridden(read):
    models = {"tiny": {"source": "rehearsal", "training": {"epochs": 2, "warmup": 0}}}
    recipes = {"all": {"epochs": 1, "warmup": 3}}
    message = message_of(
        read,
        matrix(defaults=DEFAULTS | {"epochs": 0}, recipes=recipes, base_models=models),
    )
    assert "defaults.epochs: must be greater than 0, not 0" in message
    assert "recipes.all.warmup: must be less than 1, not 3" in message
    assert len(message.splitlines()) == 2


def test_a_name_as_long_as_a_folder_allows_is_read(read):
    name = "a" * 100
    assert read(matrix(recipes={name: {}})).recipe("tiny", name).epochs == 3


def test_all_faults_of_the_matrix_are_named_at_once(read):
    models = {"tiny": {"sorce": "rehearsal"}}
    message = message_of(read, matrix(base_models=models, recipes={"all": {"epochs": 0}}))
    assert "base_models.tiny.sorce: unknown key 'sorce'; did you mean 'source'?" in message
    assert "recipes.all.epochs: must be greater than 0, not 0" in message


def test_every_bad_field_is_named_at_once(read):
    odd = {"all": {"epochs": 0, "warmup": 2}, "qa": {"lora_rank": 0}}
    message = message_of(read, matrix(recipes=odd))
    for field in ("epochs", "warmup", "lora_rank"):
        assert field in message


@pytest.mark.parametrize("text", ["", "just text", "- a\n- b\n", "a: [1", "a: b: c", "\tx: 1"])
def test_what_is_no_mapping_or_no_yaml_is_refused(read, text):
    message_of(read, text)


def test_a_missing_file_and_the_setting_for_it_are_named(tmp_path):
    with pytest.raises(ExperimentFileError, match="BIOINSTRUCT_EXPERIMENTS") as raised:
        read_experiments(tmp_path / "nowhere.yaml")
    assert str(tmp_path / "nowhere.yaml") in str(raised.value)


def test_a_file_that_is_not_utf_8_is_named(tmp_path):
    path = tmp_path / "experiments.yaml"
    path.write_bytes(b"recipes: \xff\xfe")
    with pytest.raises(ExperimentFileError, match=r"experiments\.yaml"):
        read_experiments(path)


def test_a_file_that_is_there_is_a_prompt(read, tmp_path):
    path = tmp_path / "prompt.txt"
    path.write_text("{instruction}", "utf-8")
    models = {"tiny": {"source": "x", "prompt": str(path)}}
    assert read(matrix(base_models=models)).base_models["tiny"].prompt == str(path)


# --- Named sets, sizes and seeds ------------------------------------------------------------------


SETS = {"modern": {"source": "a study", "values": {"epochs": 2}}}


def test_a_file_of_categories_and_defaults_alone_is_read(read):
    found = read(matrix())
    assert list(found.recipes) == ["all", "qa"]
    assert found.recipe("hub", "qa").categories == ("question_answering",)
    assert found.hyperparameters_of("qa") is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"recipes": {"all": {"rows": ["1k", "lots"]}}},
            "recipes.all.rows.2: must be a number of rows, such as 1500 or 2k, or all, not 'lots'",
        ),
        ({"recipes": {"all": {"seed": 0}}}, "recipes.all.seed: must be 1 to 1000000000, not 0"),
        ({"recipes": {"all": {"seeds": 2}}}, "unknown key 'seeds'; did you mean 'seed'?"),
        (
            {"recipes": {"all": {"hyperparameters": "modrn"}}},
            "recipes.all.hyperparameters: there is no set 'modrn' under `hyperparameters`",
        ),
        (
            {"defaults": DEFAULTS | {"hyperparameters": "x"}},
            "defaults.hyperparameters: there is no set 'x'",
        ),
        (
            {"hyperparameters": {"modern": {"source": "x"}}},
            "hyperparameters.modern.values: missing; add it",
        ),
        (
            {"hyperparameters": {"modern": {"values": {"epochs": 1}}}},
            "hyperparameters.modern.source: missing; add it",
        ),
        (
            {"hyperparameters": {"modern": {"source": "x", "values": {"epoch": 1}}}},
            "hyperparameters.modern.values.epoch: unknown key 'epoch'; did you mean 'epochs'?",
        ),
        (
            {"hyperparameters": {"modern": {"source": "x", "values": {"rows": 10}}}},
            "hyperparameters.modern.values.rows: belongs to a recipe",
        ),
        (
            {"hyperparameters": {"modern": {"source": "x", "values": {"categories": ["other"]}}}},
            "hyperparameters.modern.values.categories: belongs to a recipe",
        ),
        (
            {"base_models": {"tiny": {"source": "x", "training": {"seed": 2}}}},
            "base_models.tiny.training.seed: belongs to a recipe",
        ),
        (
            {"base_models": {"tiny": {"source": "x", "hyperparameters": {"x": {"epochs": 1}}}}},
            "base_models.tiny.hyperparameters.x: there is no set 'x' of hyper-parameters; use one",
        ),
        (
            {
                "base_models": {
                    "tiny": {"source": "x", "hyperparameters": {"modern": {"epochs": 0}}}
                }
            },
            "base_models.tiny.hyperparameters.modern.epochs: must be greater than 0, not 0",
        ),
        (
            {"base_models": {"tiny": {"source": "x"}, "Tiny": {"source": "x"}}},
            "base_models.Tiny: differs from tiny only in case",
        ),
        (
            {"base_models": {"tiny": {"source": "x", "dtype": "float8"}}},
            "base_models.tiny.dtype: must be one of auto, float32, bfloat16, float16, not 'float8'",
        ),
        (
            {"base_models": {"tiny": {"source": "x", "prompt": "alpacca"}}},
            "base_models.tiny.prompt: is neither alpaca nor chat, and ",
        ),
        (
            {"base_models": {"tiny": {"source": "x", "prompt": "alpacca"}}},
            "/alpacca does not exist; did you mean 'alpaca'?",
        ),
        (
            {"base_models": {"tiny": {"source": "x", "prompt": "./no/such/template.txt"}}},
            "template.txt does not exist; write alpaca or chat, or a file",
        ),
        ({"base_models": {"tiny": {"source": "x", "prompt": 3}}}, "tiny.prompt: must be text"),
        (
            {"base_models": {"tiny": {"source": "x", "prompt": "~nobody-at-all/x"}}},
            "tiny.prompt: ",
        ),
        (
            {"base_models": {"tiny": {"source": "x", "local": "../x"}}},
            "tiny.local: '../x' must be",
        ),
        (
            {"base_models": {"tiny": {"source": "x", "context": 8}}},
            "base_models.tiny.context: must be at least 16, not 8",
        ),
        (
            {"recipes": {"all": {"rows": ["all", "1k"]}, "all-1k": {}}},
            "recipes.all-1k: stands for the name all-1k, as recipes.all does; rename one",
        ),
        ({"recipes": {"a...b": {}}}, "nor hold three dots in a row"),
        ({"recipes": {"all": {"quantization": "int8"}}}, "must be one of none, nf4, not 'int8'"),
    ],
)
def test_a_mistake_is_named_with_line_and_field(read, change, said):
    message = message_of(read, matrix(hyperparameters=SETS) | change)
    assert said in message
    assert len(message.splitlines()) == 1
    assert re.search(r"yaml:\d+: ", message)


def test_the_line_is_that_of_the_entry(read):
    text = yaml.safe_dump(matrix()) + "\n"
    text = text.replace("  all: {}", "  all:\n    rows:\n    - 1k\n    - few")
    line = text.splitlines().index("    - few") + 1
    assert f"yaml:{line}: recipes.all.rows.2:" in message_of(read, text)


def test_a_value_that_a_set_lacks_is_named_with_the_set(read):
    incomplete = {name: value for name, value in DEFAULTS.items() if name != "epochs"}
    sets = SETS | {"old": {"source": "x", "values": {"warmup": 0.1}}}
    recipes = {"all": {"hyperparameters": ["modern", "old"]}}
    message = message_of(read, matrix(defaults=incomplete, hyperparameters=sets, recipes=recipes))
    assert "recipes.all.epochs: missing for tiny, hub with the hyper-parameters old; add" in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"batch_size": 8, "accumulation": 4}, "write rows_per_update: 32, the product of"),
        ({"batch_size": 8}, "write rows_per_update, the product of batch_size and accumulation"),
        ({"batch_size": "8", "accumulation": True}, "write rows_per_update, the product of"),
    ],
)
def test_keys_of_earlier_versions_are_refused_with_what_to_write(read, values, said):
    old = {name: value for name, value in DEFAULTS.items() if name != "rows_per_update"} | values
    lines = message_of(read, matrix(defaults=old)).splitlines()
    assert len(lines) == len(values)  # and none that rows_per_update is missing
    assert all(said in line for line in lines)
    assert f"defaults.{next(iter(values))}: is a key of earlier versions" in "\n".join(lines)


def test_a_set_that_nobody_uses_is_checked_too(read):
    sets = {"modern": {"source": "a study", "values": {"epochs": -1}}}
    message = message_of(read, matrix(hyperparameters=sets))
    assert "hyperparameters.modern.values.epochs: must be greater than 0, not -1" in message


@pytest.mark.parametrize("field", ["categories", "rows", "seed", "hyperparameters"])
def test_a_base_model_may_not_replace_what_the_name_of_a_recipe_tells(read, field):
    value = {"categories": ["other"], "rows": 5, "seed": 2, "hyperparameters": "x"}[field]
    models = {"tiny": {"source": "rehearsal", "training": {field: value}}}
    message = message_of(read, matrix(base_models=models))
    assert f"base_models.tiny.training.{field}: belongs to a recipe" in message


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("pretraining_steps", {"source": "owner/name", "pretraining_steps": 9}),
        ("pretraining_steps", {"source": "/folder", "pretraining_steps": 9}),
        ("revision", {"source": "rehearsal", "revision": "abc"}),
        ("local", {"source": "rehearsal", "local": "folder"}),
    ],
)
def test_a_value_that_nothing_would_read_is_refused(read, field, values):
    message = message_of(read, matrix(base_models={"tiny": values}))
    assert re.search(rf"experiments\.yaml:\d+: base_models\.tiny\.{field}: .*; remove it", message)


def test_a_hand_written_name_that_reads_as_another_size_is_refused(read):
    message = message_of(read, matrix(recipes={"all-1k": {"rows": 50}}))
    assert "recipes.all-1k: reads as 1k rows, but the recipe has 50 rows" in message
