"""The adapter's win rate against the base model, and how often the first place won.

Belongs here: these rows of `judge_scores`. Does not: the outcome of one pair (pairwise).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bioinstruct_dagster.evaluation.judge.answers import AnsweredItem
from bioinstruct_dagster.evaluation.judge.judging import Judgement
from bioinstruct_dagster.evaluation.judge.pairwise import outcome
from bioinstruct_dagster.evaluation.judge.scores.given import score_row, values_of
from bioinstruct_dagster.evaluation.metrics.measured import SHARE, Measured
from bioinstruct_dagster.evaluation.statistics.estimates import estimate

WIN_RATE = "judge_win_rate"
FIRST_PREFERRED = "judge_first_preferred"


def win_rows(
    drawn: Sequence[AnsweredItem],
    judgement: Judgement,
    clusters: Mapping[str, str],
    seed: int,
) -> list[dict[str, Any]]:
    """The adapter's win rate against the base model, and how often the first place won."""
    outcomes = {item.id: outcome(item.pair, judgement.choices) for item in drawn}
    asked = {
        item.id
        for item in drawn
        if item.pair.needs_no_judge or all(order in judgement.choices for order in item.pair.orders)
    }
    counts = {
        "drawn": len(drawn),
        "unreadable": sum(outcomes[one] is None for one in asked),
        "not_asked": len(drawn) - len(asked),
        "human": 0,
    }
    valid = {one: found for one, found in outcomes.items() if found is not None}
    rows = []
    if valid:
        points = {one: found.points for one, found in valid.items()}
        won = estimate(values_of(WIN_RATE, points), clusters, seed)
        rows.append(score_row(WIN_RATE, "difference", "judge", won) | counts)
    chosen = {one: found for one, found in valid.items() if found.choices}
    if chosen:
        places = np.array([[found.first_places, found.choices] for found in chosen.values()])
        measured = Measured(
            FIRST_PREFERRED,
            tuple(chosen),
            places.astype(np.float64),
            combine="ratio",
            bounds=SHARE,
            higher_is_better=None,
        )
        rows.append(
            score_row(FIRST_PREFERRED, "difference", "judge", estimate(measured, clusters, seed))
            | counts
        )
    return rows
