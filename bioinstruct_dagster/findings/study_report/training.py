"""The section on training: experiments, recipes, tokens, time and device.

Belongs here: this section. Does not: the scores of the adapters (study_report.scores).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bioinstruct_dagster.dataset.older_results import made_results, older_experiments
from bioinstruct_dagster.figures.values import number_of
from bioinstruct_dagster.findings.stored_scores import experiment_name
from bioinstruct_dagster.findings.study_report.blocks import (
    Block,
    NumberSource,
    ReportNote,
    ReportSection,
    ReportTable,
    ReportText,
)
from bioinstruct_dagster.findings.study_report.sources import ReportSources
from bioinstruct_dagster.findings.wording import marks
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.models.experiments.names import UnknownExperimentError

MOST_ADAPTERS = 200
ADAPTERS = """
    select base_model, recipe, train_rows, rows_left_out, rows_shortened, train_tokens, steps,
        first_loss, last_loss, train_seconds, train_tokens / train_seconds as tokens_per_second,
        device, (run_facts ->> 'threads')::int as threads,
        list_min([one.loss for one in validation_losses]) as best_validation_loss,
        prompt_version, dataset_fingerprint, rehearsal, trained_at
    from lora_adapter
    order by base_model, train_rows desc, recipe
"""
# The values of a recipe that readers ask for, in their order, with the words for them.
_VALUES = {
    "epochs": "epochs",
    "learning_rate": "learning rate",
    "rows_per_update": "rows per update",
    "lora_rank": "LoRA rank",
    "lora_alpha": "LoRA alpha",
    "lora_dropout": "LoRA dropout",
    "target_modules": "target modules",
    "max_length": "longest row, tokens",
}


def training_section(sources: ReportSources) -> ReportSection:
    """What was trained, how, and how long it took."""
    return ReportSection("training", "Training", list(_blocks(sources)))


def _blocks(sources: ReportSources) -> Iterator[Block]:
    rows = sources.store.rows(ADAPTERS)
    if not rows:
        yield ReportNote(
            "No adapter: nothing is trained. Materialize key:lora_adapter for a partition, such as "
            "rehearsal-llama|all.",
            "missing",
        )
        return
    older = older_experiments(made_results(sources.store), "lora_adapter")
    hours = sum(row["train_seconds"] for row in rows) / 3600
    devices = ", ".join(sorted({row["device"] for row in rows}))
    yield ReportText(
        f"{len(rows):,} adapters were trained for {hours:,.2f} hours in total, on {devices}. Each "
        "learns by LoRA from the responses of the train split. The base model's weights stay as "
        "they are."
    )
    if older:
        yield ReportNote(
            f"Older: {len(older):,} of the {len(rows):,} adapters are not of the present data set: "
            f"{', '.join(older)}.",
            "older",
        )
    yield _adapters(rows, older)
    yield from _recipes(sources, rows)


def _adapters(rows: list[dict[str, Any]], older: Mapping[str, str]) -> ReportTable:
    lines = [
        [
            experiment_name(row),
            f"{row['train_rows']:,}",
            f"{row['train_tokens']:,}",
            f"{row['steps']:,}",
            f"{row['first_loss']:.2f}",
            f"{row['last_loss']:.2f}",
            None if row["best_validation_loss"] is None else f"{row['best_validation_loss']:.2f}",
            f"{row['train_seconds'] / 60:,.1f}",
            f"{row['tokens_per_second']:,.0f}",
            _device(row),
            f"{row['trained_at']:%Y-%m-%d}",
            marks(row | {"older": experiment_name(row) in older}) or None,
        ]
        for row in rows[:MOST_ADAPTERS]
    ]
    left = len(rows) - len(lines)
    return ReportTable(
        "Adapters. Loss: mean over the tokens of responses, in nats per token.",
        ["experiment", "rows", "tokens", "updates", "first loss", "last loss", "best validation",
         "minutes", "tokens/s", "device", "trained", "marks"],
        lines,
        NumberSource.of(ADAPTERS),
        "Tokens count all epochs, without padding. “First” and “last” are of single updates on "
        "training rows; the held-out loss is under Scores."
        + (f" {left:,} more adapters are in the table lora_adapter." if left > 0 else ""),
    )  # fmt: skip


def _device(row: Mapping[str, Any]) -> str:
    if row["device"] != "cpu" or not row["threads"]:
        return str(row["device"])
    return f"cpu, {number_of(row['threads'], 'thread')}"


def _recipes(sources: ReportSources, rows: list[dict[str, Any]]) -> Iterator[Block]:
    """The values of training that the experiments of each base model share or differ in."""
    groups: dict[tuple[Any, ...], list[str]] = {}
    unknown = []
    for row in rows:
        try:
            recipe = sources.findings.matrix.recipe(row["base_model"], row["recipe"])
        except UnknownExperimentError:
            unknown.append(experiment_name(row))
            continue
        values = tuple(_value(recipe, name) for name in _VALUES)
        groups.setdefault((row["base_model"], *values), []).append(row["recipe"])
    if groups:
        yield ReportTable(
            "Recipes: the values of training. Experiments on one line differ only in categories, "
            "rows and seed.",
            ["base model", *_VALUES.values(), "experiments"],
            [[*key, f"{len(names):,}: {_few(names)}"] for key, names in groups.items()],
            None,
            "From the experiment file (BIOINSTRUCT_EXPERIMENTS), as it is now.",
        )
    if unknown:
        yield ReportText(
            f"The experiment file no longer holds {', '.join(unknown)}, so their values are not "
            "known here. The file result.json in the folder of an adapter holds them."
        )


def _value(recipe: Recipe, name: str) -> str | None:
    value = getattr(recipe, name)
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else None if value is None else str(value)


def _few(names: list[str], most: int = 6) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
