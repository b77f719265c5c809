"""Training one LoRA adapter: a specification in, a folder with safetensors and a result out.

Knows nothing of Dagster: it runs in a process of its own (`python -m
bioinstruct_dagster.training`), or from a notebook. Belongs here: the training run. Does not:
scoring the adapter (evaluation).
"""

import json
import shutil
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from bioinstruct_dagster.dataset.build import read_split
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.encoding import IGNORED, Example, encode_all
from bioinstruct_dagster.models.experiments import BaseModelSpec, Recipe
from bioinstruct_dagster.models.prompt import PROMPT_VERSION
from bioinstruct_dagster.store.fingerprints import sha256_of, sha256_of_file

TRAINER_VERSION = 1  # raised when the same specification would give another adapter
WEIGHTS = "adapter_model.safetensors"
RESULT = "result.json"
_LOGGED_STEPS = 200  # at most, so that the loss curve of a long run stays a row in a table


class TrainingError(StatedError):
    """The specification can't be trained; the message says why."""


@dataclass(frozen=True)
class TrainingSpec:
    """All that determines an adapter, and where to put it."""

    experiment: str
    base: BaseModelSpec
    recipe: Recipe
    dataset_path: str
    dataset_fingerprint: str
    dataset_rehearsal: bool
    seed: int
    models_dir: str
    adapters_dir: str

    @property
    def rehearsal(self) -> bool:
        """Whether the data or the base model is rehearsal-made."""
        return self.dataset_rehearsal or self.base.rehearsal

    def key(self, base_fingerprint: str) -> str:
        """sha256 of what determines the adapter: equal keys, equal adapters."""
        return sha256_of(
            [
                TRAINER_VERSION,
                PROMPT_VERSION,
                base_fingerprint,
                self.recipe.model_dump(mode="json"),
                self.dataset_fingerprint,
                self.seed,
            ]
        )

    def folder(self, base_fingerprint: str) -> Path:
        """Where the adapter goes."""
        name = self.experiment.replace("|", "__")
        return Path(self.adapters_dir) / name / self.key(base_fingerprint)[:12]

    def to_json(self) -> str:
        """For the training process; `from_json` reads it back."""
        values = asdict(self)
        values["base"] = self.base.model_dump(mode="json")
        values["recipe"] = self.recipe.model_dump(mode="json")
        return json.dumps(values)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The specification that `to_json` wrote."""
        values = json.loads(text)
        values["base"] = BaseModelSpec.model_validate(values["base"])
        values["recipe"] = Recipe.model_validate(values["recipe"])
        return cls(**values)


def finished(spec: TrainingSpec) -> dict[str, Any] | None:
    """The result of an adapter trained before from this specification, if it is still intact."""
    fingerprint = base_models.local_fingerprint(spec.base)
    if fingerprint is None:
        return None
    folder = spec.folder(fingerprint)
    if not (folder / RESULT).is_file() or not (folder / WEIGHTS).is_file():
        return None
    result: dict[str, Any] = json.loads((folder / RESULT).read_text("utf-8"))
    if sha256_of_file(folder / WEIGHTS) != result["adapter_sha256"]:
        return None
    return result | {"adapter_path": str(folder)}  # where it is now: the data folder may have moved


def train(spec: TrainingSpec, log: Callable[[str], None]) -> dict[str, Any]:
    """Train and save the adapter; return its result, which also lies beside it as `result.json`."""
    import peft
    from transformers import set_seed

    base = base_models.load(spec.base, Path(spec.models_dir), log)
    rows = _train_rows(spec)
    examples, dropped = encode_all(rows, base.tokenizer, spec.recipe.max_length)
    if not examples:
        raise TrainingError(
            f"{spec.experiment}: no training rows of categories "
            f"{', '.join(spec.recipe.categories)} ({dropped} were too long). "
            "Generate more, or change the recipe."
        )
    log(
        f"{spec.experiment}: {len(examples)} rows to train on, {dropped} too long; "
        f"device {base.device}"
    )
    set_seed(spec.seed)
    modules = spec.recipe.target_modules
    model = peft.get_peft_model(
        base.model,
        peft.LoraConfig(
            task_type="CAUSAL_LM",
            r=spec.recipe.lora_rank,
            lora_alpha=spec.recipe.lora_alpha,
            lora_dropout=spec.recipe.lora_dropout,
            target_modules=modules if isinstance(modules, str) else list(modules),
        ),
    )
    started = time.monotonic()
    losses, steps = _optimize(model, base, examples, spec, log)
    seconds = time.monotonic() - started

    folder = spec.folder(base.fingerprint)
    fresh = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    try:
        model.save_pretrained(fresh, safe_serialization=True, save_embedding_layers=False)
        result = {
            "adapter_sha256": sha256_of_file(fresh / WEIGHTS),
            "adapter_path": str(folder),
            "base_path": base.path,
            "base_fingerprint": base.fingerprint,
            "dataset_fingerprint": spec.dataset_fingerprint,
            "recipe_sha256": sha256_of(spec.recipe.model_dump(mode="json")),
            "prompt_version": PROMPT_VERSION,
            "train_rows": len(examples),
            "train_tokens": round(sum(example.length for example in examples) * spec.recipe.epochs),
            "rows_too_long": dropped,
            "steps": steps,
            "first_loss": losses[0],
            "last_loss": losses[-1],
            "losses": losses,
            "train_seconds": seconds,
            "device": base.device,
            "rehearsal": spec.rehearsal,
            "trained_at": datetime.now(UTC).isoformat(),
        }
        (fresh / RESULT).write_text(json.dumps(result, indent=1), "utf-8")
        (fresh / "README.md").write_text(_card(spec, result), "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return result


def _train_rows(spec: TrainingSpec) -> list[dict[str, Any]]:
    rows = read_split(Path(spec.dataset_path), "train", spec.dataset_fingerprint)
    return [row for row in rows if row["category"] in spec.recipe.categories]


def _optimize(
    model: Any,
    base: base_models.LoadedBaseModel,
    examples: Sequence[Example],
    spec: TrainingSpec,
    log: Callable[[str], None],
) -> tuple[list[float], int]:
    """Run the optimizer; the loss by logged step, and the number of updates."""
    import tempfile

    from transformers import DataCollatorForSeq2Seq, Trainer, TrainerCallback, TrainingArguments

    recipe = spec.recipe
    updates = max(
        1, round(len(examples) * recipe.epochs / (recipe.batch_size * recipe.accumulation))
    )

    class TrainingProgress(TrainerCallback):  # type: ignore[misc]
        def on_log(self, _args: Any, state: Any, _control: Any, logs: Any = None, **_: Any) -> None:
            if logs and "loss" in logs and state.global_step % max(1, state.max_steps // 10) == 0:
                log(
                    f"{spec.experiment}: step {state.global_step} of {state.max_steps}, "
                    f"loss {logs['loss']:.3f}"
                )

    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=scratch,
                num_train_epochs=recipe.epochs,
                per_device_train_batch_size=recipe.batch_size,
                gradient_accumulation_steps=recipe.accumulation,
                learning_rate=recipe.learning_rate,
                lr_scheduler_type="cosine",
                warmup_steps=recipe.warmup,
                # Rows of like length together: of 16 random ones, 39 % of tokens are useful.
                train_sampling_strategy="group_by_length",
                length_column_name="length",
                bf16=base.device == "cuda",
                use_cpu=base.device == "cpu",
                seed=spec.seed,
                data_seed=spec.seed,
                logging_steps=max(1, updates // _LOGGED_STEPS),
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                dataloader_pin_memory=base.device == "cuda",
            ),
            train_dataset=_torch_rows(examples),
            data_collator=DataCollatorForSeq2Seq(
                base.tokenizer, label_pad_token_id=IGNORED, pad_to_multiple_of=8
            ),
            callbacks=[TrainingProgress()],
        )
        _silence_printed_logs(trainer)
        trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return [float(loss) for loss in losses], int(trainer.state.global_step)


def _torch_rows(examples: Sequence[Example]) -> Any:
    import datasets

    return datasets.Dataset.from_list(
        [
            {
                "input_ids": example.input_ids,
                "attention_mask": [1] * example.length,
                "labels": example.labels,
                "length": example.length,
            }
            for example in examples
        ]
    )


def _silence_printed_logs(trainer: Any) -> None:
    from transformers.trainer_callback import PrinterCallback

    trainer.remove_callback(PrinterCallback)  # `log` reports instead


def _card(spec: TrainingSpec, result: dict[str, Any]) -> str:
    note = (
        "> **Rehearsal.** Trained with the embedded base model or on rehearsal data. "
        "It shows that the chain works and must not be published.\n\n"
        if spec.rehearsal
        else ""
    )
    facts = {k: v for k, v in result.items() if k != "losses"}
    header = (
        "---\nlibrary_name: peft\ntags: [lora, biomedical"
        + (", rehearsal" * spec.rehearsal)
        + "]\n---\n\n"
    )
    body = "".join(f"- {name}: {value}\n" for name, value in facts.items())
    recipe = "".join(f"- {name}: {value}\n" for name, value in spec.recipe.model_dump().items())
    return f"{header}# {spec.experiment}\n\n{note}## Result\n\n{body}\n## Recipe\n\n{recipe}"
