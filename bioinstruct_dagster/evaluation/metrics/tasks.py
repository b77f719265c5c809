"""The metrics of a task, from its item results.

No model is needed: a score can be computed again at any time. Belongs here: which metrics a task
has. Does not: the metrics (choices, spans, texts), or intervals (evaluation.statistics).
"""

from collections.abc import Mapping, Sequence

from bioinstruct_dagster.eval_sets.item import EvaluationItem
from bioinstruct_dagster.eval_sets.scoring import ChoiceScoring, SpanScoring, TextScoring
from bioinstruct_dagster.eval_sets.task import EvaluationTask
from bioinstruct_dagster.evaluation.metrics.choices import ACCURACY, choice_metrics
from bioinstruct_dagster.evaluation.metrics.measured import Measured, measured_mean
from bioinstruct_dagster.evaluation.metrics.spans import STRICT, span_metrics
from bioinstruct_dagster.evaluation.metrics.texts import (
    COMPOSITE,
    LOSS,
    ROUGE,
    loss_metrics,
    text_metrics,
)
from bioinstruct_dagster.evaluation.tasks.item_results import ItemResult
from bioinstruct_dagster.evaluation.tasks.keys import OWN_TASK

NOT_ASKED = "not_asked"  # the share of items whose prompt does not fit, even without its passage
SHORTENED = "shortened"  # the share of items whose passage was cut


def main_metric(task: EvaluationTask) -> str:
    """The metric that stands for a task in averages and in Holm's correction over tasks."""
    if task.name == OWN_TASK:
        return LOSS
    match task.scoring:
        case ChoiceScoring():
            return ACCURACY
        case SpanScoring():
            return STRICT
        case TextScoring(composite=True):
            return COMPOSITE
        case _:
            return ROUGE["rougeL"]


def measured_of(
    task: EvaluationTask,
    items: Sequence[EvaluationItem],
    results: Mapping[str, Sequence[ItemResult]],
    bertscores: Mapping[str, float] | None = None,
) -> list[Measured]:
    """All metrics of one subject.

    A metric covers the items that have the result it is computed from. An item that could not be
    asked is in none but `not_asked`. `not_asked` and `shortened` are there if they are above 0.

    Args:
        task: the task.
        items: of the task.
        results: of one subject by item.
        bertscores: by item, if they were computed (evaluation.metrics.bertscore).
    """
    scoring = task.scoring
    if isinstance(scoring, ChoiceScoring):
        found = choice_metrics(task, scoring, items, results)
    elif isinstance(scoring, SpanScoring):
        found = span_metrics(scoring, items, results)
    else:
        found = text_metrics(scoring, items, results, bertscores)
    found += loss_metrics(items, results)
    answered = {item.id: each for item in items if (each := results.get(item.id))}
    for name, shares in (
        (NOT_ASKED, {key: float(not any(r.asked for r in rs)) for key, rs in answered.items()}),
        (SHORTENED, {key: float(any(r.tokens_lost for r in rs)) for key, rs in answered.items()}),
    ):
        if any(shares.values()):
            found.append(measured_mean(name, shares, higher_is_better=None, right_or_wrong=True))
    return found
