"""A recipe: what it holds if nothing is said, and that it names nothing twice."""

import re

import pytest
from pydantic import ValidationError

from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.seeds.tasks import CATEGORIES

VALUES = {
    "lora_rank": 8, "lora_alpha": 16, "lora_dropout": 0.05, "target_modules": "all-linear",
    "learning_rate": 3e-4, "epochs": 3, "rows_per_update": 8, "warmup": 0.03,
    "max_length": 512,
}  # fmt: skip


def test_what_nobody_says_is_plain_lora_on_all_rows():
    recipe = Recipe(**VALUES)
    assert (recipe.categories, recipe.rows, recipe.seed) == (CATEGORIES, None, 1)
    assert (recipe.rslora, recipe.lora_plus_ratio, recipe.quantization) == (False, None, "none")
    assert (recipe.too_long, recipe.patience) == ("leave_out", None)


@pytest.mark.parametrize("field", ["categories", "target_modules"])
def test_a_list_that_names_one_twice_is_refused(field):
    with pytest.raises(ValidationError, match=r"1: other is there twice; remove one of them"):
        Recipe(**VALUES | {field: ("other", "other")})


def test_a_recipe_survives_the_way_to_the_model_process():
    recipe = Recipe(**VALUES | {"rows": 1000, "seed": 2, "target_modules": ("q_proj", "v_proj")})
    assert Recipe.model_validate_json(recipe.model_dump_json()) == recipe


@pytest.mark.parametrize("decay", [1.1, 1e6, -0.1])
def test_a_weight_decay_that_would_shape_the_adapter_by_itself_is_refused(decay):
    with pytest.raises(ValidationError, match="weight_decay"):
        Recipe(**VALUES | {"weight_decay": decay})


@pytest.mark.parametrize("text", ["q_proj", "all_linear", "All-Linear", ".*_proj"])
def test_a_text_for_layers_is_refused_with_the_list_to_write(text):
    with pytest.raises(ValidationError, match=re.escape(f"write a list: [{text}]")):
        Recipe(**VALUES | {"target_modules": text})


def test_a_dropout_that_leaves_nothing_is_refused():
    assert Recipe(**VALUES | {"lora_dropout": 0.95}).lora_dropout == 0.95
    with pytest.raises(ValidationError, match=r"0\.95"):
        Recipe(**VALUES | {"lora_dropout": 0.999999})
