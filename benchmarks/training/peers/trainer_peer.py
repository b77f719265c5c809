"""transformers' Trainer with its collator that pads: its own order, or rows grouped by length."""

from typing import Any

import datasets
import torch
from measured import Job, Marks, Trained, labels_of, lora_model, run
from transformers import (
    AutoTokenizer,
    DataCollatorForSeq2Seq,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

ROWS_PER_PASS = 8  # the default of both trainers


class MarkUpdates(TrainerCallback):
    """Marks the end of each update."""

    def __init__(self, marks: Marks) -> None:
        self.marks = marks

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """After the optimizer's step."""
        self.marks.update_ended()


class InGivenOrder(Trainer):
    """The Trainer over batches that its own sampler has made of the whole set."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return torch.utils.data.SequentialSampler(train_dataset or self.train_dataset)


def shared_arguments(job: Job) -> dict[str, Any]:
    """The arguments that are equal in all modes, and those that keep a trainer quiet."""
    return {
        "output_dir": str(job.folder / "trainer"),
        "num_train_epochs": 1,
        "per_device_train_batch_size": ROWS_PER_PASS,
        "gradient_accumulation_steps": max(1, job.rows_per_update // ROWS_PER_PASS),
        "learning_rate": job.options["learning_rate"],
        "lr_scheduler_type": "constant",
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "use_cpu": job.device == "cpu",
        "bf16": job.device == "cuda",
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "dataloader_pin_memory": job.device == "cuda",
        "seed": 1,
    }


def _trained(job: Job, kind: type[Trainer], **arguments: Any) -> Trained:
    model, marks = lora_model(job), Marks()
    marks.counts(model)
    rows = job.read(job.rows)
    trainer = kind(
        model=model,
        args=TrainingArguments(**shared_arguments(job), **arguments),
        train_dataset=datasets.Dataset.from_list(
            [
                {
                    "input_ids": row["input_ids"],
                    "attention_mask": [1] * len(row["input_ids"]),
                    "labels": labels_of(row),
                }
                for row in rows
            ]
        ),
        data_collator=DataCollatorForSeq2Seq(
            AutoTokenizer.from_pretrained(job.base), pad_to_multiple_of=8
        ),
        callbacks=[MarkUpdates(marks)],
    )
    trainer.train()
    return Trained(trainer.model, marks)


def padding(job: Job) -> Trained:
    """The Trainer's defaults: rows in random order, each pass padded to its longest row."""
    return _trained(job, Trainer)


def grouped(job: Job) -> Trained:
    """`train_sampling_strategy="group_by_length"`.

    The sampler needs far more rows than a run of minutes trains: it sorts within 50 batches, and
    puts the longest first. So the material holds batches that this sampler made of the whole set.
    """
    return _trained(job, InGivenOrder)


if __name__ == "__main__":
    run({"padding": padding, "grouped": grouped}, ("torch", "transformers", "peft", "accelerate"))
