"""A tiny, complete model with its tokenizer, made once. Each test damages a copy."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.base_checks.findings import BaseModelError
from bioinstruct_dagster.models.experiments import BaseModelSpec

TEXT = (
    "The patient was given 5 mg of the drug twice a day. Below is an instruction that describes "
    "a task. Write a response that appropriately completes the request. Summarize the discharge "
    "note. No fever, no cough. ### Instruction: ### Response:"
)
ROWS = 300  # of the embedding; the tokenizer has fewer tokens


def tiny_config(**changes: Any) -> Any:
    """The config of a Llama of two layers."""
    from transformers import LlamaConfig

    values = {
        "vocab_size": ROWS,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 256,
        "tie_word_embeddings": False,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": 2,
    }
    return LlamaConfig(**{**values, **changes})


def tiny_tokenizer() -> Any:
    """A byte-level BPE tokenizer that prepends `<s>`, as Llama's does."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=290,
        special_tokens=["<s>", "</s>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([TEXT], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 0)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )


@pytest.fixture(scope="session")
def whole_model(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Path:
    """The folder of a model without faults. Do not change it."""
    import torch
    from transformers import LlamaForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("whole") / "model"
    LlamaForCausalLM(tiny_config()).save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture
def folder(whole_model: Path, tmp_path: Path) -> Path:
    """A copy of the model, to damage."""
    return Path(shutil.copytree(whole_model, tmp_path / "model"))


def edit_json(path: Path, **changes: Any) -> None:
    """Change fields of a JSON file; None removes a field."""
    values = {**json.loads(path.read_text("utf-8")), **changes}
    kept = {name: value for name, value in values.items() if value is not None}
    path.write_text(json.dumps(kept), "utf-8")


def edit_weights(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Write the weights anew as `change` makes them."""
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    weights = {name: weight.clone() for name, weight in load_file(path).items()}
    save_file(change(weights), path, metadata={"format": "pt"})


def in_parts(folder: Path) -> list[Path]:
    """Write the weights as several files with an index. Returns the files."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="30KB")
    return sorted(folder.glob("model-*-of-*.safetensors"))


def check(folder: Path, **values: Any) -> tuple[base_models.CheckedBaseModel, list[str]]:
    """The checked model, and the lines that were logged."""
    lines: list[str] = []
    spec = BaseModelSpec(source=str(folder), **values)
    return base_models.check(spec, folder.parent / "models", lines.append), lines


def refusal(folder: Path, **values: Any) -> str:
    """The message with which the folder is refused."""
    with pytest.raises(BaseModelError) as raised:
        check(folder, **values)
    message = str(raised.value)
    assert str(folder) in message
    return message
