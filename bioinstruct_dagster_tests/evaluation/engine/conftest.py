"""Adapters of one base model that differ in rank, alpha, scaling and layers."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bioinstruct_dagster.evaluation.engine.subjects import AdapterSource, Subjects
from bioinstruct_dagster.models.adapter_removal import adapter_removed_after
from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster_tests.models.adapter_proof.conftest import RECIPE, lora, save

ATTENTION = ("q_proj", "v_proj")
RECIPES: dict[str, Recipe] = {
    "plain": RECIPE,
    "other draw": RECIPE,
    "rank 8": RECIPE.model_copy(update={"lora_rank": 8, "lora_alpha": 4}),
    "rank 1": RECIPE.model_copy(update={"lora_rank": 1}),
    "rslora": RECIPE.model_copy(update={"lora_rank": 6, "rslora": True}),
    "attention": RECIPE.model_copy(update={"target_modules": ATTENTION, "lora_alpha": 32}),
    "down": RECIPE.model_copy(update={"target_modules": ("down_proj",), "lora_alpha": 48}),
    "dropout": RECIPE.model_copy(update={"lora_dropout": 0.5}),
}


def made_adapter(base: LoadedBaseModel, folder: Path, recipe: Recipe, seed: int) -> Path:
    """The folder of an adapter with drawn weights; the base model is as before."""
    with adapter_removed_after(base.model):
        model = lora(base.model, recipe)
        torch.manual_seed(seed)
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=0.05)
        return save(base, model.eval(), folder, recipe)


@pytest.fixture(scope="session")
def own_base(tiny_base: LoadedBaseModel) -> LoadedBaseModel:
    """The tiny base model with drawn weights, which these tests may change.

    After a few steps of pre-training, two tokens are often equally likely but for rounding. With
    drawn weights they are not, and answers differ. The layers are weak, so that they do not amplify
    what is rounded.
    """
    import copy

    model = copy.deepcopy(tiny_base.model)
    model.config.tie_word_embeddings = False
    model.lm_head.weight = torch.nn.Parameter(torch.empty_like(model.lm_head.weight))
    torch.manual_seed(5)
    for name, weight in model.named_parameters():
        if weight.ndim > 1:
            scale = 1.0 if "embed" in name else 0.5 * weight.shape[1] ** -0.5
            torch.nn.init.normal_(weight, std=scale)
    return replace(tiny_base, model=model)


@pytest.fixture(scope="session")
def sources(
    own_base: LoadedBaseModel, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, AdapterSource]:
    """The adapters' folders, by name."""
    folder = tmp_path_factory.mktemp("adapters")
    return {
        name: AdapterSource(made_adapter(own_base, folder / str(at), recipe, at), recipe)
        for at, (name, recipe) in enumerate(RECIPES.items())
    }


@pytest.fixture(scope="module")
def subjects(own_base: LoadedBaseModel, sources: dict[str, AdapterSource]) -> Iterator[Subjects]:
    """All of them, open."""
    with Subjects(own_base, sources) as opened:
        assert not opened.failures, opened.failures
        yield opened
