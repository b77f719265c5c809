"""The material of a session: base models, rows as token ids, and rows held out from all modes.

Belongs here: writing files that all modes read. Does not: lengths and tokens (law).
"""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.training.law import ROWS, VOCABULARY, TokenRow, drawn_batches, made_rows
from bioinstruct_dagster.settings import INPUTS

ROWS_PER_UPDATE = 16
HELD_OUT = 16
_LONGEST_REAL = 1_024
SEED = 7


@dataclass(frozen=True)
class Material:
    """The files that every mode of a measure reads.

    Attributes:
        base: the base model's folder.
        rows: in the order in which a sampler that groups by length gives them.
        held_out: rows that no mode trains.
        count: of the rows.
        tokens: of all rows.
    """

    base: Path
    rows: Path
    held_out: Path
    count: int
    tokens: int


def made_material(folder: Path, count: int, shape: dict[str, int]) -> Material:
    """Made rows, and a Llama of this shape with random weights."""
    folder.mkdir(parents=True)
    base = write_base(folder / "base", shape, weights=True)
    rows = list(made_rows(ROWS + HELD_OUT, SEED))
    return _written(folder, base, rows[:ROWS], rows[ROWS:], count)


def real_material(folder: Path, base: Path, count: int) -> Material:
    """The rows of the shipped recordings, in the tokens of a real base model."""
    folder.mkdir(parents=True)
    rows = _real_rows(base, count + HELD_OUT)
    return _written(folder, base, rows[HELD_OUT:], rows[:HELD_OUT], count)


def write_base(folder: Path, shape: dict[str, int], *, weights: bool) -> Path:
    """A base model's folder: configuration, tokenizer of one token a word, and random weights."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    config = LlamaConfig(
        **({"vocab_size": VOCABULARY, "max_position_embeddings": 1_024} | shape),
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )
    padding, begin, end = special = ("<pad>", "<s>", "</s>")
    names = [*special, *(f"w{number}" for number in range(len(special), config.vocab_size))]
    words = {name: number for number, name in enumerate(names)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token=names[len(special)]))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=padding, bos_token=begin, eos_token=end
    ).save_pretrained(folder)
    if weights:
        torch.manual_seed(0)
        LlamaForCausalLM(config).save_pretrained(folder)
    else:
        config.architectures = ["LlamaForCausalLM"]
        config.save_pretrained(folder)
    return folder


def write_rows(path: Path, rows: Iterable[TokenRow]) -> Path:
    """The rows as JSON Lines."""
    path.write_text("".join(json.dumps(row.as_json()) + "\n" for row in rows), "utf-8")
    return path


def _written(
    folder: Path, base: Path, rows: Sequence[TokenRow], held_out: Sequence[TokenRow], count: int
) -> Material:
    grouped = _grouped(rows)
    batches = [grouped[at : at + ROWS_PER_UPDATE] for at in range(0, len(grouped), ROWS_PER_UPDATE)]
    whole = [batch for batch in batches if len(batch) == ROWS_PER_UPDATE] or batches
    sizes = [[len(row.input_ids) for row in batch] for batch in whole]
    flat = [row for batch in whole for row in batch]
    drawn = drawn_batches(sizes, max(1, count // ROWS_PER_UPDATE), SEED)
    chosen = [flat[place] for batch in drawn for place in batch]
    return Material(
        base=base,
        rows=write_rows(folder / "rows.jsonl", chosen),
        held_out=write_rows(folder / "held_out.jsonl", held_out),
        count=len(chosen),
        tokens=sum(len(row.input_ids) for row in chosen),
    )


def _grouped(rows: Sequence[TokenRow]) -> list[TokenRow]:
    """The rows in the order of transformers' sampler that groups by length."""
    import torch
    from transformers.trainer_pt_utils import get_length_grouped_indices

    generator = torch.Generator().manual_seed(SEED)
    sizes = [len(row.input_ids) for row in rows]
    order = get_length_grouped_indices(sizes, ROWS_PER_UPDATE, generator=generator)
    return [rows[place] for place in order]


def _real_rows(base: Path, count: int) -> list[TokenRow]:
    from transformers import AutoTokenizer

    from bioinstruct_dagster.models.encoding import encode_rows
    from bioinstruct_dagster.models.experiments import BaseModelSpec
    from bioinstruct_dagster.models.prompts import template_of

    tokenizer = AutoTokenizer.from_pretrained(base)
    tasks = _recorded_tasks()
    random.Random(SEED).shuffle(tasks)  # noqa: S311
    rows = [{"row_id": f"real-{number:04d}", **task} for number, task in enumerate(tasks)]
    template = template_of(BaseModelSpec(source=str(base)), tokenizer)
    encoded = encode_rows(rows, _Tokenizing(tokenizer, template), _LONGEST_REAL)
    return [
        TokenRow(one.row_id, list(one.input_ids), one.prompt_tokens)
        for one in encoded.examples[:count]
    ]


@dataclass(frozen=True)
class _Tokenizing:
    """What turns rows into tokens."""

    tokenizer: Any
    prompt: Any
    context: int = 1 << 20


def _recorded_tasks() -> list[dict[str, Any]]:
    """The tasks of the recordings whose three fields are text."""
    tasks = []
    for line in (INPUTS / "recorded_completions.jsonl").read_text("utf-8").splitlines():
        try:
            listed = json.loads(json.loads(line)["content"])["tasks"]
        except (ValueError, KeyError, TypeError):
            continue  # recordings of refusals and of truncated replies
        for task in listed:
            fields = [task.get(name) for name in ("instruction", "input", "output")]
            if all(isinstance(text, str) for text in fields) and task["output"].strip():
                tasks.append(task)
    return tasks
