"""What a person sees of an experiment's scores: tables for the UI and the report.

Belongs here: which rows and figures are shown, in words. Does not: computing them
(evaluation.scoring), or Dagster's metadata (evaluation.assets).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bioinstruct_dagster.evaluation.metrics.paper import SOURCE, quoted_gain
from bioinstruct_dagster.evaluation.scoring import is_task_wide
from bioinstruct_dagster.evaluation.selection import ChosenTasks
from bioinstruct_dagster.evaluation.statistics.comparisons import FEWEST_PAIRS
from bioinstruct_dagster.evaluation.statistics.families import ALL_ITEMS
from bioinstruct_dagster.evaluation.summaries.averages import AVERAGE, GAIN

MOST_ROWS = 30  # of a table that the UI shows; the store has all
_BESIDE = ("gain here", "over", "gain quoted", "of", "quoted from")  # columns of `paper_table`
NOT_BESIDE = {
    "gain here": "not shown",
    "over": "fixture items or a rehearsal: the gain has no meaning beside the paper's",
}
_COUNTED = ("true_positive", "false_positive", "false_negative")
_SHORT = ("task", "metric", "base", "adapter", "difference", "p (Holm)")


def score_table(scores: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Each task's main metric over all items, and the averages of categories.

    The three subjects stand side by side, each as `0.612 [0.583, 0.641]`.
    """
    return _side_by_side([row for row in _whole(scores) if row["main"] or row["task"] == AVERAGE])


def other_table(scores: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The other metrics of each task over all items, shortened."""
    rows = [row for row in _whole(scores) if not row["main"] and row["task"] != AVERAGE]
    return _short(_side_by_side(rows))


def _whole(scores: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [row for row in scores if row["items"] == ALL_ITEMS and is_task_wide(row)]


def clean_table(scores: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The same without the items that training rows repeat, main metrics first; empty if there are
    none.
    """
    rows = [row for row in scores if row["items"] != ALL_ITEMS]
    return _short(_side_by_side(sorted(rows, key=lambda row: not row["main"])))


def category_table(scores: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The same for the categories of the test split: the main metric of each."""
    return _short(
        _side_by_side([row for row in scores if not is_task_wide(row) and row["main"]]), "category"
    )


def paper_table(scores: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Our relative gain in each category of tasks, and beside it the one that the paper states.

    The paper's is a quotation: other base models, tasks, prompts and items lie behind it. A gain on
    fixture items, or of a rehearsal, is not set beside it. A line says so.
    """
    table: list[dict[str, str]] = []
    for row in scores:
        quoted = quoted_gain(row["category"])
        if (row["task"], row["metric"]) != (AVERAGE, GAIN) or quoted is None:
            continue
        if row["rehearsal"] or rests_on_fixtures(row["items_source"]):
            table.append({"category": row["category"]} | dict.fromkeys(_BESIDE, "") | NOT_BESIDE)
            continue
        table.append(
            {
                "category": row["category"],
                "gain here": _percent(row),
                "over": f"the main metrics of the tasks, {row['n']:,} items",
                "gain quoted": f"{quoted.gain:+.1%}",
                "of": quoted.metric,
                "quoted from": SOURCE,
            }
        )
    return table


def rests_on_fixtures(items_source: str) -> bool:
    """Whether some of the items are fixtures, whose scores mean nothing."""
    return "fixture" in items_source.split("+")


def class_table(counts: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The counts of each class that an F1 score rests on, base and adapter side by side."""
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for row in counts:
        name = (row["task"], row["metric"], row["class"])
        line = found.setdefault(name, dict(zip(("task", "metric", "class"), name, strict=True)))
        true, false, missed = (row[f"{kind}s"] for kind in _COUNTED)
        line[f"{row['subject']}: true, false, missed"] = f"{true:g}, {false:g}, {missed:g}"
    return list(found.values())


def _percent(row: Mapping[str, Any]) -> str:
    """A relative gain and its interval."""
    if row["ci_low"] is None or row["ci_high"] is None:
        return f"{row['score']:+.1%}"
    return f"{row['score']:+.1%} [{row['ci_low']:+.1%}, {row['ci_high']:+.1%}]"


def _short(rows: Sequence[dict[str, str]], *more: str) -> list[dict[str, str]]:
    """The first rows with the columns that one reads first, and where the rest is."""
    table = [{name: row[name] for name in (*_SHORT[:2], *more, *_SHORT[2:])} for row in rows]
    if len(table) <= MOST_ROWS:
        return table
    rest = f"{len(table) - MOST_ROWS + 1} more in the table eval_scores"
    return [*table[: MOST_ROWS - 1], dict.fromkeys(table[0], "") | {"task": rest}]


def _side_by_side(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    found: dict[tuple[str, ...], dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        name = (row["task"], row["metric"], row["category"])
        found.setdefault(name, {})[row["subject"]] = row
    table = []
    for (task, metric, category), subjects in found.items():
        difference = subjects.get("difference", {})
        table.append(
            {
                "task": task,
                "metric": metric,
                "category": category,
                **{
                    subject: interval(subjects[subject]) if subject in subjects else ""
                    for subject in ("base", "adapter", "difference")
                },
                "n": f"{next(iter(subjects.values()))['n']:,}",
                "method": difference.get("method", ""),
                "p": _number(difference.get("p_value")),
                "p (Holm)": _number(difference.get("p_holm")),
                "detectable": _detectable(difference),
                "items from": next(iter(subjects.values()))["items_source"],
            }
        )
    return table


def interval(row: Mapping[str, Any]) -> str:
    """A score and its interval; differences have a sign."""
    sign = "+" if row["subject"] == "difference" else ""
    if row["ci_low"] is None or row["ci_high"] is None:
        return f"{row['score']:{sign}.3f}"
    return f"{row['score']:{sign}.3f} [{row['ci_low']:{sign}.3f}, {row['ci_high']:{sign}.3f}]"


def _detectable(difference: Mapping[str, Any]) -> str:
    """The detectable difference, or why there is none."""
    if difference.get("detectable") is not None or difference.get("p_value") is None:
        return _number(difference.get("detectable"))
    few = difference["clusters"] < FEWEST_PAIRS
    return "unknown: too few items" if few else "unknown: all items differ alike"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def task_table(chosen: ChosenTasks, repeated: Mapping[str, Sequence[Any]]) -> list[dict[str, str]]:
    """Each task with its items, those that training rows repeat, and why it is not scored."""
    scored = [
        {
            "task": one.task.name,
            "category": one.task.category,
            "items": f"{len(one.items):,} of {one.total:,}",
            "from": one.source,
            "repeated by training rows": str(
                len({hit.item_id for hit in repeated.get(one.task.name, ())})
            ),
            "stands in for": one.task.stands_in_for or "",
            "note": "",
        }
        for one in chosen.tasks
    ]
    missing = [
        dict.fromkeys(scored[0] if scored else {"task": ""}, "")
        | {"task": name, "items": "none", "note": f"not scored: {reason}"}
        for name, reason in chosen.missing.items()
    ]
    return scored + missing
