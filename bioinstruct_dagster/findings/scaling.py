"""Score against number of instructions, with the spread of the seeds: the paper's Figure 3.

Belongs here: the rows of the table `data_scaling`. Does not: which experiments belong to a curve
(families), or the figure (figures.scaling).
"""

from datetime import UTC, datetime
from typing import Any

from bioinstruct_dagster.findings.families import scaling_families
from bioinstruct_dagster.findings.family_rows import (
    groups_of_equals,
    measures,
    pooled_over,
    row_of_family,
)
from bioinstruct_dagster.findings.published import PublishedFigures
from bioinstruct_dagster.findings.stored_scores import HELD_OUT, measured_on, stored_scores
from bioinstruct_dagster.models.experiments import ExperimentMatrix
from bioinstruct_dagster.store.database import Store

# The statement for a reader who wants the numbers of the figure from the store.
DATA_SCALING = """
    select base_model, hyperparameters, trained_on, measured_on, task, category, metric,
        train_rows, rows_asked, seeds, seed_scores, score, ci_low, ci_high, spread, base_score,
        difference, difference_low, difference_high, detectable, n, rehearsal
    from data_scaling
    order by base_model, hyperparameters, trained_on, measured_on, task, category, train_rows
"""
NO_RECIPES = (
    "the experiment file has no recipe of several sizes. Give one a list of rows, such as "
    "rows: [all, 1k, 2k]."
)


def scaling_rows(
    store: Store, matrix: ExperimentMatrix, published: PublishedFigures
) -> list[dict[str, Any]]:
    """The rows of the table `data_scaling`: one for each size, curve and measure.

    Args:
        store: with the scores.
        matrix: the experiments; scores of recipes that it has no more are left out.
        published: figures that are quoted beside ours.
    """
    scores = [
        row
        for row in measures(stored_scores(store))
        if row["task"] != HELD_OUT or row["category"] == "all"
    ]
    made_at = datetime.now(UTC)
    rows = []
    for entries in groups_of_equals(scaling_families(matrix), scores, by_categories=True):
        pooled = pooled_over(entries)
        for family, members in entries:
            row = row_of_family(family, members, pooled)
            gain = published.gain_beside(members[0])
            rows.append(
                row
                | {
                    "measured_on": measured_on(members[0]),
                    "rows_asked": family.rows,
                    "train_rows": row["train_rows"] or family.rows,
                    "seed_scores": [one["score"] for one in members],
                    "quoted_gain": gain.gain if gain else None,
                    "quoted_from": published.told(gain) if gain else None,
                    "made_at": made_at,
                }
            )
    return rows
