"""The summary of a judge's scores: a sentence and a figure.

Belongs here: what a reader of Dagster's page sees first. Does not: the scores (rows).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bioinstruct_dagster.evaluation.judge.measured import JudgeState
from bioinstruct_dagster.evaluation.judge.scores.wins import WIN_RATE
from bioinstruct_dagster.evaluation.statistics.families import ALL_ITEMS
from bioinstruct_dagster.figures.forest import PlottedScore, differences
from bioinstruct_dagster.figures.sheet import summary
from bioinstruct_dagster.figures.values import interval

_STATES: Mapping[JudgeState, str] = {
    "proven": "human scores show that it is useful.",
    "not_better": "human scores show that it is no better than text lengths or the composite.",
    "not_measured": "no human scores show whether it is useful.",
    "rehearsal": "a stand-in for rehearsals, so its scores mean nothing.",
}


def judge_summary(rows: Sequence[Mapping[str, Any]]) -> str:
    """The Markdown of the summary: the judge, its state, and the adapter's win rates.

    Args:
        rows: of `judge_scores`, of one experiment.
    """
    shown = [row for row in rows if row["items"] == ALL_ITEMS and row["estimate"] == "judge"]
    state = _STATES[rows[0]["judge_state"]]
    wins = [
        f"{row['task']} {row['score']:.2f}{interval(row['ci_low'], row['ci_high'], 2)}"
        for row in shown
        if row["metric"] == WIN_RATE
    ]
    won = f" Win rate of the adapter: {', '.join(wins)}." if wins else ""
    found = {
        f"{row['task']} {row['metric'].removeprefix('judge_')}": PlottedScore(
            row["score"], row["ci_low"], row["ci_high"]
        )
        for row in shown
        if row["subject"] == "difference" and row["metric"] != WIN_RATE  # its tie is 0.5, not 0
    }
    drawing = differences("Adapter minus base, by the judge", found) if found else None
    return summary(f"Judge {rows[0]['judge_model']}: {state}{won}", drawing)
