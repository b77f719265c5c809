"""Which training category helps which evaluation category: the paper's Figure 2.

Belongs here: the rows of the table `category_ablation`. Does not: which experiments belong to an
ablation (families), or the figure (figures.ablation).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bioinstruct_dagster.findings.comparisons.places import PAIRED, UNPAIRED, Entrant, places
from bioinstruct_dagster.findings.families import ablation_families
from bioinstruct_dagster.findings.family_rows import (
    Entry,
    groups_of_equals,
    measures,
    pooled_over,
    row_of_family,
)
from bioinstruct_dagster.findings.item_values import ItemValues
from bioinstruct_dagster.findings.stored_scores import (
    interval_of,
    measured_on,
    stored_scores,
)
from bioinstruct_dagster.models.experiments import ExperimentMatrix
from bioinstruct_dagster.store.database import Store

# The statement for a reader who wants the numbers of the figure from the store.
CATEGORY_ABLATION = """
    select base_model, hyperparameters, trained_on, measured_on, task, category, metric, seeds,
        difference, difference_low, difference_high, relative_gain, relative_low, relative_high,
        detectable, n, tied_with_best, rehearsal
    from category_ablation
    order by base_model, hyperparameters, measured_on, task, category, len(categories), trained_on
"""
# The categories of evaluation tasks and those of rows have names of their own.
SAME = {"extraction": "information_extraction"}
NO_RECIPES = (
    "the experiment file has no recipes of single categories or pairs with equally many rows. "
    "Add them: docs/training.md says how to write experiments."
)


def ablation_rows(
    store: Store, matrix: ExperimentMatrix, stand_ins: Mapping[str, str]
) -> list[dict[str, Any]]:
    """The rows of the table `category_ablation`: one for each training set and measure.

    Args:
        store: with the scores.
        matrix: the experiments; scores of recipes that it has no more are left out.
        stand_ins: by the name of a task that stands in for another, the name of the other.
    """
    scores = list(measures(stored_scores(store)))
    values = ItemValues(store, stand_ins)
    made_at = datetime.now(UTC)
    groups = groups_of_equals(ablation_families(matrix), scores)
    rows = []
    for entries in groups:
        pooled = pooled_over(entries)
        ties = _tied_with_best(entries, values)
        for (family, members), (tied, method) in zip(entries, ties, strict=True):
            first = members[0]
            rows.append(
                row_of_family(family, members, pooled)
                | {
                    "measured_on": measured_on(first),
                    "trained_on_it": SAME.get(first["category"], first["category"])
                    in family.categories,
                    "tied_with_best": tied,
                    "compared": len(entries),
                    "compared_by": method,
                    "made_at": made_at,
                }
            )
    return rows


def _tied_with_best(entries: Sequence[Entry], values: ItemValues) -> list[tuple[bool | None, str]]:
    """Whether each training set may be the best one, and by what it was compared."""
    if len(entries) == 1:
        return [(None, "no other training set on these items")]
    flat = [row for _, members in entries for row in members]
    arrays = values.of(flat)
    entrants = [
        Entrant([row["score"] for row in members], [interval_of(row).error for row in members])
        for _, members in entries
    ]
    tasks = None
    items = min(row["clusters"] for row in flat)
    if arrays is not None:
        tasks = [_over_seeds(array, [len(members) for _, members in entries]) for array in arrays]
        items = min(array.shape[1] for array in tasks)
    found = places(entrants, tasks, items, lower_is_better=flat[0]["lower_is_better"])
    method = UNPAIRED if tasks is None else PAIRED
    return [(place.tied_with_best, method) for place in found]


def _over_seeds(values: Any, sizes: Collection[int]) -> Any:
    """The rows of an array, averaged over the seeds of each family."""
    import numpy as np

    ends = np.cumsum(list(sizes))
    return np.stack([part.mean(axis=0) for part in np.split(values, ends[:-1])])
