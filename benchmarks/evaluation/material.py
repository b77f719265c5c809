"""The material of a session: items as both tools read them, base models, and eight adapters.

Belongs here: writing the files that all runs read. Does not: running a tool (runs), or what is
measured (measures).
"""

import json
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.base_models import CheckedBaseModel
from bioinstruct_dagster.models.experiments import BaseModelSpec
from bioinstruct_dagster.models.prompts import RowTokenizer
from bioinstruct_dagster.models.shortening import LEAST_PARTS, ShortenedInput
from bioinstruct_dagster.rehearsal.base_model import CORPUS

SETS = ("letters", "texts", "pubmedqa")
SEED = 7
ADAPTERS = 8
_LETTERS = "ABCD"
_ROOM_FOR_OPTION = 96  # tokens that the longest option needs
# Means and standard deviations of the logarithm of the numbers of words, counted in the dev split
# of MedMCQA (4,183 items) and in the test split of PubMedQA (500).
_QUESTION, _OPTION = (2.417, 0.654), (0.848, 0.692)
_PASSAGE, _PUBMED_QUESTION = (5.274, 0.276), (2.520, 0.333)


@dataclass(frozen=True)
class Item:
    """One item of a set: the task, and the options after its prompt."""

    id: str
    instruction: str
    input: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Material:
    """A base model, and sets of items in its prompt.

    Attributes:
        spec: the base model, as the experiment file names it.
        models: the folder of models.
        base: the base model's folder, as the harness reads it.
        context: the most tokens of a text.
        tasks: the folder with the items and the harness's tasks.
    """

    spec: BaseModelSpec
    models: Path
    base: Path
    context: int
    tasks: Path


def material(
    folder: Path,
    spec: BaseModelSpec,
    models: Path,
    items: Path | None,
    counts: Mapping[str, int],
) -> Material:
    """Write sets of items for a base model.

    Args:
        folder: a new folder for the sets.
        spec: the base model.
        models: the folder of models, where the embedded one is built if it is missing.
        items: the folder of real items; None for made ones.
        counts: how many items each set has.
    """
    folder.mkdir(parents=True)
    checked = base_models.check(spec, models, print)
    for name, count in counts.items():
        chosen = _items(name, items)[:count] if items else list(_made(name, count))
        write_set(folder, name, _fitting(checked, chosen), checked)
    return Material(spec, models, checked.folder, min(checked.context, 4_096), folder)


def write_set(folder: Path, name: str, items: Sequence[Item], base: CheckedBaseModel) -> None:
    """Write the items, and the harness's task that reads them."""
    lines = [
        {
            "id": item.id,
            "instruction": item.instruction,
            "input": item.input,
            "options": list(item.options),
            "prompt": base.prompt.prompt_of(item.instruction, item.input),
        }
        for item in items
    ]
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    task = {
        "task": name,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(path)}},
        "test_split": "test",
        "output_type": "multiple_choice",
        # Names of columns, and no templates: an item may hold a template's signs.
        "doc_to_text": "prompt",
        "doc_to_choice": "options",
        "doc_to_target": 0,
        "target_delimiter": "",
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    }
    (folder / f"{name}.yaml").write_text(json.dumps(task), "utf-8")  # JSON is YAML


def has_items(folder: Path | None) -> bool:
    """Whether a folder holds the real items."""
    return folder is not None and all(
        (folder / name).is_file() for name in ("medmcqa/dev.jsonl", "pubmedqa/test.jsonl")
    )


def _items(name: str, folder: Path) -> list[Item]:
    """Real items, in an order that a seed decides."""
    path = "pubmedqa/test.jsonl" if name == "pubmedqa" else "medmcqa/dev.jsonl"
    with (folder / path).open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    random.Random(SEED).shuffle(rows)  # noqa: S311
    if name == "pubmedqa":
        return [_pubmedqa(row["pmid"], "\n".join(row["CONTEXTS"]), row["QUESTION"]) for row in rows]
    options = [tuple(str(row[f"op{letter}"]) for letter in "abcd") for row in rows]
    return [
        _medmcqa(name, row["id"], row["question"], own)
        for row, own in zip(rows, options, strict=True)
        if all(map(str.strip, own))
    ]


def _medmcqa(name: str, item_id: str, question: str, options: tuple[str, ...]) -> Item:
    if name == "texts":
        return Item(item_id, "Answer the question.", question, options)
    listed = "\n".join(f"{letter}. {text}" for letter, text in zip(_LETTERS, options, strict=True))
    task = "Answer the multiple-choice question. Give the letter of the right option only."
    return Item(item_id, task, f"{question}\n{listed}", tuple(_LETTERS))


def _pubmedqa(item_id: str, passage: str, question: str) -> Item:
    task = "Answer the question about the abstract with yes, no or maybe."
    return Item(item_id, task, f"{passage}\n\nQuestion: {question}", ("yes", "no", "maybe"))


def _made(name: str, count: int) -> Iterator[Item]:
    """Items of the law of lengths of the real ones, of words of the rehearsal corpus."""
    draw = random.Random(f"{SEED} {name}")  # noqa: S311
    words = CORPUS.read_text("utf-8").split()

    def text(law: tuple[float, float]) -> str:
        length = max(1, round(math.exp(draw.gauss(*law))))
        start = draw.randrange(len(words) - length)
        return " ".join(words[start : start + length])

    for number in range(count):
        item_id = f"made-{number:04d}"
        if name == "pubmedqa":
            yield _pubmedqa(item_id, text(_PASSAGE), text(_PUBMED_QUESTION))
        else:
            options = tuple(text(_OPTION) for _ in _LETTERS)
            yield _medmcqa(name, item_id, text(_QUESTION), options)


def _fitting(base: CheckedBaseModel, items: Sequence[Item]) -> list[Item]:
    """The items, those that are too long with a shortened input."""
    encoder = RowTokenizer(base.tokenizer, base.prompt)
    room = min(base.context, 4_096) - _ROOM_FOR_OPTION
    prompts = encoder.prompts([(item.instruction, item.input) for item in items])
    fitting = []
    for item, prompt in zip(items, prompts, strict=True):
        one, size = item, len(prompt)
        shortened = ShortenedInput(item.input)
        parts = shortened.most
        while size > room and parts > LEAST_PARTS:
            parts = max(LEAST_PARTS, parts * room // size - 1)
            one = replace(item, input=shortened.keep(parts))
            size = len(encoder.prompts([(one.instruction, one.input)])[0])
        fitting.append(one)
    return fitting


def adapters(folder: Path, base: BaseModelSpec, models: Path, number: int) -> dict[str, Path]:
    """Train adapters of a base model for a few updates. They differ in their seed.

    Args:
        folder: a new folder for data set and adapters.
        base: the base model.
        models: the folder of models.
        number: how many.

    Returns:
        The folder of each adapter, by its name.
    """
    from bioinstruct_dagster.dataset.build import build_dataset
    from bioinstruct_dagster.dataset.card import Card
    from bioinstruct_dagster.models.experiments import Recipe
    from bioinstruct_dagster.training.spec import TrainingSpec
    from bioinstruct_dagster.training.train import train

    folder.mkdir(parents=True)
    card = Card(teacher="rehearsal", template="bench", seeds_fingerprint="none")
    built = build_dataset(_training_rows(), folder / "data_set", card)
    found = {}
    for seed in range(1, number + 1):
        recipe = Recipe(
            lora_rank=16,
            lora_alpha=16,
            lora_dropout=0.0,
            target_modules="all-linear",
            learning_rate=2e-3,
            epochs=1,
            rows_per_update=8,
            warmup=0.0,
            max_length=512,
            seed=seed,
        )
        spec = TrainingSpec(
            experiment=f"bench|s{seed}",
            base=base,
            recipe=recipe,
            dataset_path=str(built.path),
            dataset_fingerprint=built.fingerprint,
            dataset_rehearsal=True,
            seed=SEED,
            models_dir=str(models),
            adapters_dir=str(folder / "adapters"),
        )
        result = train(spec, lambda _: None)
        found[f"adapter-{seed}"] = Path(result["adapter_path"])
    return found


def _training_rows(count: int = 48) -> list[dict[str, Any]]:
    from bioinstruct_dagster.generation.replies.reading import read_reply
    from bioinstruct_dagster.rehearsal.recordings import read_recordings

    tasks = [
        (task, category)
        for one in read_recordings()
        for task, category in zip(
            read_reply(one.content, one.finish_reason, one.refusal).tasks,
            one.categories,
            strict=False,
        )
    ]
    return [
        {
            "row_id": f"row-{number:02d}",
            **task,
            "category": category,
            "labelled_by": "teacher:rehearsal-teacher",
            "source": "completion",
            "completion_id": f"completion-{number}",
            "rehearsal": True,
        }
        for number, (task, category) in enumerate(tasks[:count])
    ]
