"""The summary of an experiment's scores: a sentence, forest plots, and numbers over the runs.

Belongs here: what a reader of Dagster's page sees first. Does not: tables of scores
(evaluation.shown), or computing a score (evaluation.scoring).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bioinstruct_dagster.evaluation.metrics.texts import LOSS
from bioinstruct_dagster.evaluation.scoring import is_task_wide
from bioinstruct_dagster.evaluation.statistics.families import ALL_ITEMS
from bioinstruct_dagster.evaluation.summaries.averages import AVERAGE
from bioinstruct_dagster.figures.forest import ForestRow, PlottedScore, differences, forest
from bioinstruct_dagster.figures.sheet import summary
from bioinstruct_dagster.figures.values import interval, number_of, signed

# How many digits a score has as a number that Dagster plots: more would be noise.
_DIGITS = 4


def scores_summary(scores: Iterable[Mapping[str, Any]]) -> str:
    """The Markdown of the summary: how many tasks gained or lost, the held-out loss, and a figure.

    A task counts as better or worse if the 95 % confidence interval of its difference excludes
    zero.

    Args:
        scores: of one experiment.
    """
    main = _main(scores)
    found = {
        row["task"]: _estimate(row)
        for row in main
        if row["subject"] == "difference" and row["metric"] != LOSS
    }
    better = sum(one.low is not None and one.low > 0 for one in found.values())
    worse = sum(one.high is not None and one.high < 0 for one in found.values())
    parts = []
    if found:
        tied = len(found) - better - worse
        parts.append(
            f"{number_of(len(found), 'task')}: adapter better on {better}, tied on {tied}, worse "
            f"on {worse}."
        )
    parts += [
        f"Held-out loss, difference: {signed(one.value, 2)}{interval(one.low, one.high, 2)} "
        "nats/token."
        for one in (
            _estimate(row)
            for row in main
            if row["subject"] == "difference" and row["metric"] == LOSS
        )
    ]
    if any("fixture" in row["items_source"].split("+") for row in main):
        parts.append("Fixture items mean nothing.")
    drawing = differences("Adapter minus base", found) if found else None
    return summary(" ".join(parts) or "No score was computed.", drawing)


def forest_plot(scores: Iterable[Mapping[str, Any]]) -> str | None:
    """The forest plot of all tasks: base model, adapter and difference; None without any."""
    rows: dict[str, dict[str, PlottedScore]] = {}
    for row in _main(scores):
        if row["metric"] != LOSS:
            name = f"{row['task']}, {row['metric']}"
            rows.setdefault(name, {})[row["subject"]] = _estimate(row)
    if not rows:
        return None
    title = "Main metric of each task, with 95 % confidence intervals"
    return forest(title, [ForestRow(name, subjects) for name, subjects in rows.items()])


def plotted_scores(scores: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """The main metric of each task and its difference, by a name of words.

    The base model's scores are the same in each run, so they are not among them.
    """
    return {
        f"{row['task']} {row['metric']} {row['subject']}".replace("_", " "): round(
            row["score"], _DIGITS
        )
        for row in _main(scores)
        if row["subject"] != "base"
    }


def _main(scores: Iterable[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    return [
        row
        for row in scores
        if row["main"]
        and row["items"] == ALL_ITEMS
        and is_task_wide(row)
        and row["task"] != AVERAGE
    ]


def _estimate(row: Mapping[str, Any]) -> PlottedScore:
    return PlottedScore(row["score"], row["ci_low"], row["ci_high"])
