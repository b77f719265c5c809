"""The settings of evaluation: which tasks are scored, on how many items, and how much at once.

Belongs here: settings of the stage `evaluation`. Does not: the folder of the tasks, which the
contamination gate reads too (curation).
"""

from pathlib import Path
from typing import Literal

from bioinstruct_dagster.settings.fields import MAX_ROWS, SettingsGroup, setting

ALL_TASKS = "all"


class EvaluationSettings(SettingsGroup):
    """Evaluation."""

    tasks: str = setting(
        ALL_TASKS,
        "BIOINSTRUCT_EVALUATE_TASKS",
        "The tasks on which adapters are scored. `held_out` is the test split of the data set; the "
        "others are those of `BIOINSTRUCT_EVALUATION_TASKS` whose items are at hand.",
        unit="names, with commas between them, or `all`",
    )
    items: int | None = setting(
        None,
        "BIOINSTRUCT_EVALUATION_ITEMS",
        "The most items of a task that are scored. They are a random sample by `BIOINSTRUCT_SEED`, "
        "and a larger number adds items to those of a smaller one.",
        unit="items",
        empty="all items",
        ge=1,
        le=MAX_ROWS,
    )
    answers: int | None = setting(
        None,
        "BIOINSTRUCT_EVALUATION_ANSWERS",
        "Of how many items of a task an answer is written. They are drawn as the items are. On a "
        "CPU, an answer takes much longer than a log-likelihood. With 0, tasks that are scored by "
        "answers alone are left out.",
        unit="items",
        empty="all items that are scored",
        ge=0,
        le=MAX_ROWS,
    )
    tokens_per_pass: int | None = setting(
        None,
        "BIOINSTRUCT_EVALUATION_TOKENS",
        "How many tokens a forward pass of the evaluation holds. It changes the time and the "
        "memory, not the scores.",
        unit="tokens",
        empty="2,048 on a CPU, 16,384 on a GPU",
        ge=64,
        le=1 << 20,
    )
    answer_rows: int | None = setting(
        None,
        "BIOINSTRUCT_EVALUATION_ROWS",
        "How many answers are generated at the same time. It changes the time and the memory, not "
        "the answers.",
        unit="answers",
        empty="by the machine's memory",
        ge=1,
        le=4_096,
    )
    answer_engine: Literal["transformers", "vllm"] = setting(
        "transformers",
        "BIOINSTRUCT_EVALUATION_ENGINE",
        "What generates answers. `vllm` needs that package and a GPU; it rounds in another way, so "
        "its answers are kept apart from those of `transformers`.",
    )
    bertscore_model: Path | None = setting(
        None,
        "BIOINSTRUCT_BERTSCORE_MODEL",
        "An encoder model, such as a copy of PubMedBERT. With it, generated texts also get a "
        "BERTScore.",
        unit="folder",
        empty="no BERTScore",
    )

    @property
    def task_names(self) -> list[str]:
        """The names in `tasks`; empty for all tasks."""
        names = [name.strip() for name in self.tasks.split(",") if name.strip()]
        return [] if ALL_TASKS in names else list(dict.fromkeys(names))
