"""Our mode: `training.loop.optimize` on the same rows, model and first weights as its peers.

It runs in a process of its own (`python -m benchmarks.training.ours JOB`), with the progress that a
user sees: a line every ten seconds, and the counted limit.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from benchmarks.training.peers.measured import Job, Marks, Trained, lora_model, run
from bioinstruct_dagster.models.encoding import Example
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.training.loop import optimize
from bioinstruct_dagster.training.progress import TrainingProgress
from bioinstruct_dagster.training.throughput import flops_per_token, measured_limit

if TYPE_CHECKING:
    from bioinstruct_dagster.models.base_models import CheckedBaseModel, LoadedBaseModel


@dataclass(frozen=True)
class Execution:
    """How updates are computed."""

    tokens_per_pass: int
    activation_checkpointing: bool = False


class MarkUpdates:
    """Marks the end of each update, after the project's own progress has reported it."""

    def __init__(self, marks: Marks, progress: TrainingProgress) -> None:
        self.marks = marks
        self.progress = progress

    def update(self, *args: Any, tokens: int, padding: int, **more: Any) -> None:
        """After each update."""
        self.progress.update(*args, tokens=tokens, padding=padding, **more)
        self.marks.saw(tokens, tokens + padding)
        self.marks.update_ended()

    def validation(self, update: int, loss: float) -> None:
        """There are no validation rows."""
        self.progress.validation(update, loss)


@dataclass(frozen=True)
class Base:
    """What `optimize` reads of a loaded base model, and `plan` of one that is not loaded yet."""

    device: str
    dtype: str
    config: Any = None
    model: Any = None
    fingerprint: str = "made"
    quantization: str = "none"


def ours(job: Job) -> Trained:
    """Train as the project does."""
    marks = Marks()
    examples = [
        Example(
            row_id=row["row_id"],
            input_ids=row["input_ids"],
            prompt_tokens=row["prompt_tokens"],
        )
        for row in job.read(job.rows)
    ]
    more: dict[str, Any] = {}
    if job.options.get("plan"):
        execution = planned(job, examples)
        more["estimated_bytes"] = execution.estimated_bytes
    else:
        execution = Execution(int(job.options["tokens_per_pass"]))
    model = lora_model(job)
    more["flops_per_token"] = flops_per_token(model, examples)
    optimized = optimize(
        model,
        cast("LoadedBaseModel", Base(job.device, str(job.dtype), model=model.get_base_model())),
        examples,
        [],
        recipe(job),
        seed=1,
        plan=execution,
        checkpoints=None,
        progress=MarkUpdates(marks, report(more["flops_per_token"], job)),
    )
    more |= {"packed": optimized.packed, "tokens_per_pass": execution.tokens_per_pass}
    return Trained(model, marks, more | {"checkpointing": execution.activation_checkpointing})


def planned(job: Job, examples: list[Example]) -> Any:
    """How the project would compute updates on this machine, and the memory that it estimates."""
    from transformers import AutoConfig

    from bioinstruct_dagster.training.memory import plan

    dtype = str(job.dtype).removeprefix("torch.")
    base = Base(job.device, dtype, config=AutoConfig.from_pretrained(job.base))
    return plan(cast("CheckedBaseModel", base), recipe(job), examples, print)


def report(flops: float | None, job: Job) -> TrainingProgress:
    """The progress that a user sees."""
    dtype = str(job.dtype).removeprefix("torch.")
    limit = measured_limit(job.device, dtype)
    return TrainingProgress("bench", print, flops_per_token=flops, limit=limit)


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
