"""Our mode: `training.loop.optimize` on the same rows, model and first weights as its peers.

It runs in a process of its own (`python -m benchmarks.training.ours JOB`), with the progress that a
user sees: a line every ten seconds, and the counted limit.
"""

from dataclasses import dataclass
from typing import Any

from benchmarks.training.peers.measured import Job, Marks, Trained, labels_of, lora_model, run
from bioinstruct_dagster.models.encoding import Example
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.training.loop import optimize


@dataclass(frozen=True)
class Execution:
    """How updates are computed."""

    tokens_per_pass: int
    activation_checkpointing: bool = False


class MarkUpdates:
    """Marks the end of each update, and passes it on to the project's own progress."""

    def __init__(self, marks: Marks) -> None:
        self.marks = marks

    def update(self, *_: Any, tokens: int, padding: int, **__: Any) -> None:
        """After each update."""
        self.marks.saw(tokens, tokens + padding)
        self.marks.update_ended()

    def validation(self, *_: Any) -> None:
        """There are no validation rows."""


@dataclass(frozen=True)
class Base:
    """What `optimize` reads of a loaded base model."""

    model: Any
    device: str
    fingerprint: str = "made"


def ours(job: Job) -> Trained:
    """Train as the project does."""
    model = lora_model(job)
    marks = Marks()
    examples = [
        Example(
            row_id=row["row_id"],
            input_ids=row["input_ids"],
            labels=labels_of(row),
            prompt_tokens=row["prompt_tokens"],
        )
        for row in job.read(job.rows)
    ]
    optimized = optimize(
        model,
        Base(model.get_base_model(), job.device),
        examples,
        [],
        recipe(job),
        seed=1,
        plan=Execution(int(job.options["tokens_per_pass"])),
        checkpoints=None,
        progress=MarkUpdates(marks),
    )
    return Trained(model, marks, {"packed": optimized.packed})


def recipe(job: Job) -> Recipe:
    """The values that all modes share."""
    rank = int(job.options["rank"])
    return Recipe(
        lora_rank=rank,
        lora_alpha=rank,
        lora_dropout=0.0,
        target_modules="all-linear",
        learning_rate=job.options["learning_rate"],
        schedule="constant",
        epochs=1,
        rows_per_update=job.rows_per_update,
        warmup=0.0,
        max_length=4_096,
        validations_per_epoch=0,
    )


if __name__ == "__main__":
    run({"ours": ours}, ("torch", "transformers", "peft"))
