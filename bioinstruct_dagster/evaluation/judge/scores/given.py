"""The grades of some items, what is missing, and what all rows of scores have in common.

Belongs here: grades by subject and item, counts of items without one, and the form of a row. Does
not: which scores there are (rows, corrected, wins).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bioinstruct_dagster.evaluation.judge.answers import AnsweredItem
from bioinstruct_dagster.evaluation.judge.grades import Grade, Share
from bioinstruct_dagster.evaluation.metrics.measured import SHARE, Measured
from bioinstruct_dagster.evaluation.statistics.estimates import ScoreEstimate

SUBJECTS = ("base", "adapter")
UNREADABLE = "judge_unreadable"
_LOWER_IS_BETTER = {UNREADABLE, "judge_hallucination_rate", "judge_omission_rate"}


@dataclass(frozen=True)
class GivenGrades:
    """The grades of the items that were drawn, by subject and item; None if there is none."""

    items: Sequence[AnsweredItem]
    grades: Mapping[str, Mapping[str, Grade | None]]
    asked: Mapping[str, frozenset[str]]

    def graded(self, subject: str, name: Share) -> dict[str, float]:
        """The share of each item with a valid grade that gives one."""
        found = {
            item: grade.share(name)
            for item, grade in self.grades[subject].items()
            if grade is not None
        }
        return {item: share for item, share in found.items() if share is not None}

    def counts(self, *subjects: str) -> dict[str, int]:
        """How many items were drawn, and of how many there is no grade, and why."""
        ids = [item.id for item in self.items]
        left_out = {one for one in ids if any(one not in self.asked[s] for s in subjects)}
        unreadable = {
            one
            for one in ids
            if one not in left_out and any(self.grades[s][one] is None for s in subjects)
        }
        return {
            "drawn": len(ids),
            "unreadable": len(unreadable),
            "not_asked": len(left_out),
            "human": 0,
        }


def values_of(metric: str, values: Mapping[str, float], *, proportion: bool = False) -> Measured:
    """A metric of shares, from its value by item.

    Args:
        metric: its name.
        values: by item.
        proportion: whether each value is 0 or 1.
    """
    ids = tuple(values)
    return Measured(
        metric,
        ids,
        np.array([values[one] for one in ids]),
        proportion=proportion,
        bounds=SHARE,
        higher_is_better=metric not in _LOWER_IS_BETTER,
    )


def score_row(metric: str, subject: str, kind: str, found: ScoreEstimate) -> dict[str, Any]:
    """The columns of `judge_scores` that hold a score.

    Args:
        metric: its name.
        subject: base, adapter or difference.
        kind: `judge` for the judge's own mean, `corrected` for one corrected by human scores.
        found: the score and its interval.
    """
    return {
        "metric": metric,
        "subject": subject,
        "estimate": kind,
        **found.columns(),
    }
