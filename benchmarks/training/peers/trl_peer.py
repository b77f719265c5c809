"""TRL's SFTTrainer: its defaults, and its packing with attention within each segment."""

from typing import Any

import datasets
import segments
from measured import Job, Marks, Trained, base_model, lora_config, reset, run
from trainer_peer import MarkUpdates, shared_arguments
from transformers import AutoTokenizer
from trl import SFTConfig, SFTTrainer

PACKED = 1_024  # TRL's default for max_length
_FILLED = 0.985  # of the packs, as its best-fit packing was measured to fill them


def _trained(job: Job, attention: str, **arguments: Any) -> Trained:
    marks = Marks()
    rows = job.read(job.rows)
    trainer = SFTTrainer(
        model=base_model(job, attention),
        args=SFTConfig(**(shared_arguments(job) | arguments)),
        train_dataset=datasets.Dataset.from_list(
            [
                {
                    "input_ids": row["input_ids"],
                    "completion_mask": [
                        int(at >= row["prompt_tokens"]) for at in range(len(row["input_ids"]))
                    ],
                }
                for row in rows
            ]
        ),
        processing_class=AutoTokenizer.from_pretrained(job.base),
        peft_config=lora_config(job),
        callbacks=[MarkUpdates(marks)],
    )
    reset(trainer.model)
    marks.counts(trainer.model)
    trainer.train()
    return Trained(trainer.model, marks)


def defaults(job: Job) -> Trained:
    """Its defaults, which checkpoint activations and pad; only the learning rate is set."""
    return _trained(job, "sdpa", completion_only_loss=True)


def packed(job: Job) -> Trained:
    """Best-fit packing, one pack a pass, no recomputation, and attention within each segment."""
    tokens = sum(len(row["input_ids"]) for row in job.read(job.rows))
    packs = tokens / (PACKED * _FILLED)
    return _trained(
        job,
        segments.register(),
        completion_only_loss=True,
        packing=True,
        max_length=PACKED,
        gradient_checkpointing=False,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=max(1, round(packs / job.updates)),
    )


if __name__ == "__main__":
    run(
        {"defaults": defaults, "packed": packed},
        ("trl", "torch", "transformers", "peft", "accelerate"),
    )
