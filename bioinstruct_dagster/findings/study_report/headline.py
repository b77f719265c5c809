"""What the study found in one sentence for each base model, and how sure that is.

The sentence is about the largest training set of a base model, and about all its measures, so that
no measure is chosen for its result. Belongs here: the choice of the training set, the verdicts, and
the sentence. Does not: the scores (findings.family_rows), or drawing (study_report.forest).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bioinstruct_dagster.evaluation.statistics.closed_forms import holm
from bioinstruct_dagster.figures.values import number_of
from bioinstruct_dagster.findings.family_rows import measures
from bioinstruct_dagster.findings.figures.ablation import training_set
from bioinstruct_dagster.findings.stored_scores import HELD_OUT, interval_of, measure_key
from bioinstruct_dagster.findings.summaries import Lines
from bioinstruct_dagster.findings.wording import (
    amount,
    difference_ends,
    difference_unit,
    has_interval,
    measure_name,
    plotted_difference,
    span,
)

LEVEL = 0.05  # of the corrected p-value below which a difference is called real
Verdict = Literal["better", "worse", "not shown", "unknown"]
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class HeadlineMeasure:
    """One measure of the headline's training set.

    Attributes:
        row: of `data_scaling`, `category_ablation` or `leaderboard`.
        p_holm: of no difference, corrected over the measures of the headline; None if unknown.
        verdict: better, worse, or that no difference is shown.
    """

    row: Mapping[str, Any]
    p_holm: float | None
    verdict: Verdict

    @property
    def repeated(self) -> int:
        """How many of its items training rows repeat; of several seeds, the most."""
        return self.row.get("items_trained_on") or 0

    @property
    def name(self) -> str:
        """The measure in words."""
        loss = " loss" if self.row["task"] == HELD_OUT else ""
        return f"{measure_name(self.row)}{loss}"


@dataclass(frozen=True)
class Headline:
    """What the largest training set of a base model did.

    Attributes:
        base_model: its name.
        trained_on: the training set in words, such as `all categories, 128 instructions`.
        seeds: how many seeds were trained.
        recipes: the names of their recipes.
        measures: averages of categories, tasks of categories without one, and the held-out loss.
        older: why the scores are not of the present data set; empty if they are.
        rehearsal: whether a score is a rehearsal.
    """

    base_model: str
    trained_on: str
    seeds: int
    recipes: Sequence[str]
    measures: Sequence[HeadlineMeasure]
    older: str
    rehearsal: bool

    def sentence(self) -> str:
        """What was found, in one sentence."""
        seeds = f"mean of {self.seeds} seeds" if self.seeds > 1 else "one seed"
        begin = f"{self.base_model}, trained on {self.trained_on} ({seeds}),"
        parts = []
        for verdict, words in (("better", "became better on"), ("worse", "became worse on")):
            if found := [one for one in self.measures if one.verdict == verdict]:
                parts.append(f"{words} {_joined([_with_interval(one) for one in found])}")
        unsure = [one for one in self.measures if one.verdict in {"not shown", "unknown"}]
        if unsure:
            named = _joined([one.name for one in unsure])
            parts.append(f"showed no certain difference on {named}{_unseen(unsure)}")
        return f"{begin} {'; it '.join(parts)}.{self._repeats()}"

    def _repeats(self) -> str:
        """Which figures include items that training rows repeat; empty if none does."""
        found = [
            f"{number_of(one.repeated, 'item')} of {one.row['n']:,} of {one.name}"
            for one in self.measures
            if one.repeated
        ]
        return f" Training rows repeat {_joined(found)}: the figures include them." if found else ""

    def certainty(self) -> str:
        """How sure the sentence is."""
        n = sorted({one.row["n"] for one in self.measures})
        items = f"{n[0]:,}" if len(n) == 1 else f"{n[0]:,} to {n[-1]:,}"
        seeds = (
            "The intervals count other items and other seeds."
            if self.seeds > 1
            else "One seed was trained, so the intervals count other items only. Another seed may "
            "give another result."
        )
        return (
            f"“Better” and “worse” mean p < {LEVEL:g}, corrected over the "
            f"{number_of(len(self.measures), 'measure')} of this sentence by Holm's method, with "
            f"{items} items a measure. Brackets hold 95 % intervals. A difference “can stay "
            f"unseen” if such a study would show it with a power below 80 %. {seeds}"
        )


def headlines(leaderboard: Rows, ablation: Rows, scaling: Rows) -> list[Headline]:
    """A headline for each base model, that with the most scored experiments first.

    Args:
        leaderboard: rows of that table.
        ablation: rows of `category_ablation`.
        scaling: rows of `data_scaling`.
    """
    experiments: dict[str, set[str]] = {}
    for row in leaderboard:
        experiments.setdefault(row["base_model"], set()).add(row["recipe"])
    order = sorted(experiments, key=lambda name: (-len(experiments[name]), name))
    found = []
    for base_model in order:
        rows = [_as_family(row) for row in (*scaling, *ablation, *measures(leaderboard))
                if row["base_model"] == base_model]  # fmt: skip
        if rows:
            found.append(_headline(base_model, rows))
    return found


def lines_of(headline: Headline) -> Lines:
    """The title and the lines of a drawing of the measures of one unit: of tasks, unless only the
    held-out loss has changed for certain. Measures without an interval are left out.
    """
    known = [one for one in headline.measures if has_interval(one.row)]
    tasks = [one for one in known if one.row["metric"] != "loss"]
    certain = {one.row["metric"] == "loss" for one in known if one.verdict in {"better", "worse"}}
    if certain == {True}:
        tasks = []
    shown = tasks or [one for one in known if one.row["metric"] == "loss"]
    side = "points" if tasks else "nats, less is better"
    return f"Adapter minus base ({side})", {one.name: plotted_difference(one.row) for one in shown}


def _as_family(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of any of the three tables, with the columns of a family of seeds."""
    return {"recipes": [row.get("recipe", "")], "seeds": 1, "categories": None, **row}


def _headline(base_model: str, rows: list[dict[str, Any]]) -> Headline:
    sets: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        if row["task"] == HELD_OUT and row["category"] != "all":
            continue
        key = (tuple(row["recipes"]), row["dataset_fingerprint"], row["prompt_version"])
        sets.setdefault(key, []).append(row)
    best = max(sets.values(), key=_rank)
    by_measure: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in best:  # the same measure stands in two tables
        by_measure.setdefault(measure_key(row), row)
    mine = sorted(by_measure.values(), key=lambda row: (row["task"] == HELD_OUT, row["category"]))
    p_values = holm([_p_value(row) for row in mine])
    first = best[0]
    return Headline(
        base_model=base_model,
        trained_on=_training_set(first),
        seeds=first["seeds"],
        recipes=first["recipes"],
        measures=[_measure(row, p) for row, p in zip(mine, p_values, strict=True)],
        older=next((row["older"] for row in mine if row["older"]), ""),
        rehearsal=any(row["rehearsal"] for row in mine),
    )


def _rank(rows: list[dict[str, Any]]) -> tuple[Any, ...]:
    """The present data set first, then the most rows, the most seeds, and the most measures."""
    first = rows[0]
    of_set = {(row["task"], row["category"]) for row in rows}
    return (
        not any(row["older"] for row in rows),
        first["train_rows"] or 0,
        first["seeds"],
        first["categories"] is not None,
        len(of_set),
        first["recipes"][0],
    )


def _training_set(row: Mapping[str, Any]) -> str:
    size = f"{row['train_rows']:,.0f} instructions" if row["train_rows"] else "the instructions"
    if row["categories"] is None:
        return f"{size} of the recipe {row['recipe']}"
    return f"{size} of {training_set(row)}"


def _measure(row: Mapping[str, Any], p_holm: float) -> HeadlineMeasure:
    if math.isnan(p_holm):
        return HeadlineMeasure(row, None, "unknown")
    if p_holm >= LEVEL:
        return HeadlineMeasure(row, p_holm, "not shown")
    gained = (row["difference"] < 0) == row["lower_is_better"]
    return HeadlineMeasure(row, p_holm, "better" if gained else "worse")


def _p_value(row: Mapping[str, Any]) -> float:
    """Of no difference, two-sided, from the interval by the normal distribution.

    An interval over few seeds is wider than a normal one, so the value is then too large, and never
    too small. NaN without an interval.
    """
    if row["difference"] is None:
        return math.nan
    error = interval_of(row, "difference").error
    if not error:
        return math.nan
    return math.erfc(abs(row["difference"]) / error / math.sqrt(2))


def _with_interval(one: HeadlineMeasure) -> str:
    row, metric = one.row, one.row["metric"]
    return (
        f"{one.name} ({amount(row['difference'], metric, sign=True)} {difference_unit(metric)} "
        f"{difference_ends(row)})"
    )


def _unseen(unsure: Sequence[HeadlineMeasure]) -> str:
    """How large a difference could have gone unseen, by unit."""
    by_unit: dict[str, list[Mapping[str, Any]]] = {}
    for one in unsure:
        if one.row["detectable"] is not None:
            by_unit.setdefault(difference_unit(one.row["metric"]), []).append(one.row)
    parts = [
        span((row["detectable"] for row in rows), rows[0]["metric"]) for rows in by_unit.values()
    ]
    return f", where differences below {' and '.join(parts)} can stay unseen" if parts else ""


def _joined(parts: Sequence[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    return f"{', '.join(parts[:-1])} and {parts[-1]}"
