"""The scores of an experiment that are given to others, with what a reader must know of each.

Belongs here: which scores, and the meaning of each metric. Does not: a format
(exchange.card_scores, exchange.hub_results, exchange.every_eval_ever).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from bioinstruct_dagster.eval_sets.task import EvaluationTask, HubSource
from bioinstruct_dagster.evaluation.held_out import HELD_OUT
from bioinstruct_dagster.evaluation.scoring import is_task_wide
from bioinstruct_dagster.evaluation.statistics.families import ALL_ITEMS
from bioinstruct_dagster.evaluation.tasks.keys import OWN_TASK


class MetricMeaning(NamedTuple):
    """What a metric is.

    Attributes:
        kind: its family, by which others join scores.
        what: in a sentence.
        unit: of its values.
        lower_is_better: whether a lower value is better.
        least: its least possible value.
        most: its greatest possible value; None without a bound.
    """

    kind: str
    what: str
    unit: str = "proportion"
    lower_is_better: bool = False
    least: float = 0.0
    most: float | None = 1.0


# Metrics that have a better end and a meaning without this project. The others stay in the store.
METRICS: Mapping[str, MetricMeaning] = {
    "accuracy": MetricMeaning("accuracy", "Items whose likeliest option is right."),
    "accuracy_generated": MetricMeaning("accuracy", "Items whose written answer is right."),
    "macro_f1": MetricMeaning("f1", "Mean F1 over classes, by the likeliest option."),
    "macro_f1_generated": MetricMeaning("f1", "Mean F1 over classes, by the written answer."),
    "invalid_answers": MetricMeaning(
        "error_rate", "Written answers that can't be read as an answer.", lower_is_better=True
    ),
    "span_f1_strict": MetricMeaning("f1", "F1 of spans with equal text and label."),
    "span_f1_relaxed": MetricMeaning("f1", "F1 of spans that overlap and have an equal label."),
    "composite": MetricMeaning("composite", "A score of facts, form and relations of a text."),
    "rouge_1": MetricMeaning("rouge", "ROUGE-1 F1 of the written text with the reference."),
    "rouge_2": MetricMeaning("rouge", "ROUGE-2 F1 of the written text with the reference."),
    "rouge_l": MetricMeaning("rouge", "ROUGE-L F1 of the written text with the reference."),
    "empty_answers": MetricMeaning(
        "error_rate", "Answers without any text.", lower_is_better=True
    ),
    "cut_answers": MetricMeaning(
        "error_rate", "Answers that reached the limit of tokens.", lower_is_better=True
    ),
    "loss": MetricMeaning(
        "loss", "Negative log-likelihood of the reference.", "nats per token",
        lower_is_better=True, most=None,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class SharedScore:
    """One metric of one task: of the adapter, of its base model, and their difference.

    Attributes:
        task: in the catalogue, or `held_out`.
        meaning: of the metric.
        adapter: the row of `eval_scores`.
        base: likewise; None if the base model was not scored.
        difference: likewise.
        without_repeated: of the adapter, without items that training rows repeat; None if training
            rows repeat none.
    """

    task: EvaluationTask
    meaning: MetricMeaning
    adapter: Mapping[str, Any]
    base: Mapping[str, Any] | None
    difference: Mapping[str, Any] | None
    without_repeated: Mapping[str, Any] | None

    @property
    def metric(self) -> str:
        """The metric's name."""
        return str(self.adapter["metric"])

    @property
    def main(self) -> bool:
        """Whether it is the task's main metric."""
        return bool(self.adapter["main"])

    @property
    def rehearsal(self) -> bool:
        """Whether items, data or base model are a rehearsal's, so that it must not be published."""
        return bool(self.adapter["rehearsal"])

    @property
    def hub(self) -> HubSource | None:
        """The hub's data set that the items are those of; None if they are others."""
        return self.task.source.hub if self.adapter["items_source"] == "hub" else None


def shared_scores(
    rows: Iterable[Mapping[str, Any]], tasks: Iterable[EvaluationTask]
) -> Iterator[SharedScore]:
    """The scores of one experiment over whole tasks, by metrics that others know.

    Args:
        rows: of `eval_scores`, of one experiment.
        tasks: of the catalogue. A score of a task that is not there is left out.
    """
    known = {OWN_TASK: HELD_OUT} | {task.name: task for task in tasks}
    found: dict[tuple[str, str], dict[tuple[str, str], Mapping[str, Any]]] = {}
    for row in rows:
        if row["task"] in known and row["metric"] in METRICS and is_task_wide(row):
            name = (row["task"], row["metric"])
            found.setdefault(name, {})[row["subject"], row["items"]] = row
    for (task, metric), by in found.items():
        if ("adapter", ALL_ITEMS) not in by:
            continue
        yield SharedScore(
            known[task],
            METRICS[metric],
            by["adapter", ALL_ITEMS],
            by.get(("base", ALL_ITEMS)),
            by.get(("difference", ALL_ITEMS)),
            by.get(("adapter", "without_contaminated")),
        )
