"""The embedded base model: a small Llama and its BPE tokenizer, pre-trained on the project's prose.

It is built once, from `data/rehearsal_corpus.txt` alone. The corpus is textbook-like prose without
instructions and holds no row of any data set. So an adapter can learn its task only from the train
split.

Belongs here: building the model and its tokenizer. Does not: training adapters on it (training).
"""

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from bioinstruct_dagster.new_folders import new_folder
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.store.fingerprints import sha256_of, sha256_of_file

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

CORPUS = INPUTS / "rehearsal_corpus.txt"
BUILDER_VERSION = 1  # raise it when the same corpus and shape would give another model


@dataclass(frozen=True)
class ModelShape:
    """Size of the model and its pre-training. With the defaults, two cores need about a minute."""

    steps: int = 200
    vocabulary: int = 3_000
    hidden: int = 192
    layers: int = 4
    heads: int = 6
    intermediate: int = 512
    context: int = 1_024
    block: int = 128  # tokens of a training row
    batch: int = 16  # rows of a step
    learning_rate: float = 2e-3
    seed: int = 0


def fingerprint(shape: ModelShape) -> str:
    """sha256 of the builder version, corpus and shape.

    The build is deterministic, so equal fingerprints mean equal weights.
    """
    return sha256_of([BUILDER_VERSION, sha256_of_file(CORPUS), asdict(shape)])


def build(folder: Path, shape: ModelShape, log: Callable[[str], None]) -> Path:
    """The model's folder, `folder/rehearsal-llama-<fingerprint>`; builds the model if needed."""
    target = folder / f"rehearsal-llama-{fingerprint(shape)[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    # Two partitions may start at the same time: the first builds the model, and the second waits.
    with FileLock(f"{target}.lock"):
        if not target.exists():
            with new_folder(target) as fresh:
                _pretrain(fresh, shape, log)
    return target


def _pretrain(folder: Path, shape: ModelShape, log: Callable[[str], None]) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, set_seed
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    set_seed(shape.seed)
    tokenizer = _train_tokenizer(shape)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=shape.hidden,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            intermediate_size=shape.intermediate,
            max_position_embeddings=shape.context,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    stream = _token_stream(tokenizer)  # (tokens,)
    optimizer = torch.optim.AdamW(model.parameters(), lr=shape.learning_rate, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, shape.learning_rate, total_steps=shape.steps, pct_start=0.1
    )
    generator = torch.Generator().manual_seed(shape.seed)
    model.train()
    for step in range(1, shape.steps + 1):
        starts = torch.randint(len(stream) - shape.block, (shape.batch,), generator=generator)
        # Shape (batch, block).
        rows = torch.stack([stream[start : start + shape.block] for start in starts])
        loss = model(input_ids=rows, labels=rows, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        if step % max(1, shape.steps // 10) == 0 or step == 1:
            log(
                f"pre-training the embedded base model: step {step} of {shape.steps}, "
                f"loss {loss.item():.3f}"
            )
    model.eval()
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)


def _train_tokenizer(shape: ModelShape) -> "PreTrainedTokenizerFast":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    begin, end, padding = special = ["<s>", "</s>", "<pad>"]
    trainer = trainers.BpeTrainer(
        vocab_size=shape.vocabulary,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_paragraphs(), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=begin, eos_token=end, pad_token=padding
    )


def _token_stream(tokenizer: "PreTrainedTokenizerFast") -> Any:
    import torch

    ids: list[int] = []
    for paragraph in _paragraphs():
        ids += [*tokenizer(paragraph)["input_ids"], tokenizer.eos_token_id]
    return torch.tensor(ids)


def _paragraphs() -> list[str]:
    return [part for part in CORPUS.read_text("utf-8").split("\n\n") if part.strip()]
