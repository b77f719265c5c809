"""A tiny real base model with a trained-looking adapter, and a copy of its folder for each test."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from bioinstruct_dagster.models.adapter_proof import open_proven, prove
from bioinstruct_dagster.models.adapters import CONFIG_FILE, RESULT_FILE, WEIGHTS_FILE, sealed
from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.models.prompts import PromptTemplate
from bioinstruct_dagster.store.fingerprints import sha256_of, sha256_of_file

RECIPE = Recipe(
    lora_rank=4,
    lora_alpha=8,
    lora_dropout=0.05,
    target_modules="all-linear",
    learning_rate=1e-3,
    epochs=1,
    rows_per_update=4,
    warmup=0.0,
    max_length=64,
)


class WordTokenizer:
    """A tokenizer of 90 made tokens, because these tests need no words."""

    eos_token_id = 1

    def __call__(self, text: str, **_: Any) -> dict[str, Any]:
        return {"input_ids": torch.tensor([[2 + ord(one) % 88 for one in text[:24]]])}


def llama(layers: int = 2, hidden: int = 32, seed: int = 0) -> LoadedBaseModel:
    """A Llama with random weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=90,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=48,
        max_position_embeddings=64,
    )
    config._name_or_path = "made/llama"
    model = LlamaForCausalLM(config).eval()
    fingerprint = sha256_of([layers, hidden, seed])
    return LoadedBaseModel(
        model=model,
        tokenizer=WordTokenizer(),
        path="made/llama",
        fingerprint=fingerprint,
        device="cpu",
        prompt=PromptTemplate(
            "made/1", lambda instruction, _: instruction, end_id=1, stop_ids=(1,)
        ),
        context=64,
    )


def lora(model: Any, recipe: Recipe = RECIPE, **changes: Any) -> Any:
    """The model with an adapter whose matrices B are drawn, as if it had been trained."""
    import peft

    modules = recipe.target_modules
    values = {
        "task_type": "CAUSAL_LM",
        "r": recipe.lora_rank,
        "lora_alpha": recipe.lora_alpha,
        "lora_dropout": recipe.lora_dropout,
        "use_rslora": recipe.rslora,
        "target_modules": modules if isinstance(modules, str) else list(modules),
    }
    torch.manual_seed(7)
    adapted = peft.get_peft_model(model, peft.LoraConfig(**values | changes))
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.3)
    return adapted


def save(base: LoadedBaseModel, model: Any, folder: Path, recipe: Recipe = RECIPE) -> Path:
    """The adapter's folder as training leaves it."""
    model.save_pretrained(folder, save_embedding_layers=False)
    (folder / "README.md").unlink()
    proof = prove(model, base, folder, recipe=recipe)
    result = {
        "adapter_sha256": proof.adapter_sha256,
        "adapter_path": str(folder),
        "base_path": base.path,
        "base_fingerprint": base.fingerprint,
        "recipe_sha256": sha256_of(recipe.model_dump(mode="json")),
        "last_loss": 1.5,
        "proof": proof.to_json(),
    }
    (folder / RESULT_FILE).write_text(json.dumps(sealed(result)), "utf-8")
    return folder


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a good adapter. Do not change it."""
    torch.set_num_threads(1)
    base = llama()
    return save(base, lora(base.model), tmp_path_factory.mktemp("original") / "adapter")


@dataclass
class Planted:
    """A copy of the folder in which a fault is planted, and the base that opens it."""

    folder: Path
    base: LoadedBaseModel = field(default_factory=llama)
    recipe: Recipe | None = RECIPE
    adapter_sha256: str | None = None

    def open(self) -> Any:
        return open_proven(
            self.base, self.folder, recipe=self.recipe, adapter_sha256=self.adapter_sha256
        )

    def config(self, **changes: Any) -> None:
        path = self.folder / CONFIG_FILE
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")

    def result(self, **changes: Any) -> None:
        """Change the result and seal it, as a program would that writes a wrong result."""
        path = self.folder / RESULT_FILE
        path.write_text(json.dumps(sealed(json.loads(path.read_text("utf-8")) | changes)), "utf-8")

    def weights(self, change: Any) -> None:
        """Replace the tensors by what `change` makes of them, with a result that fits."""
        from safetensors.torch import load_file, save_file

        path = self.folder / WEIGHTS_FILE
        tensors = change(dict(load_file(path)))
        save_file({name: one.contiguous() for name, one in tensors.items()}, path)
        self.result(adapter_sha256=sha256_of_file(path))

    def bytes(self, change: Any) -> None:
        """Replace the bytes of the weights file, with a result that fits."""
        path = self.folder / WEIGHTS_FILE
        path.write_bytes(change(path.read_bytes()))
        self.result(adapter_sha256=sha256_of_file(path))


@pytest.fixture
def planted(original: Path, tmp_path: Path) -> Planted:
    """A fresh copy of the good adapter with its base model."""
    return Planted(Path(shutil.copytree(original, tmp_path / "adapter")))
