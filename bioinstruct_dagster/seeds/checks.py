"""Asset checks of `seed_tasks`.

Belongs here: what the UI warns of. Does not: what makes a seed task valid (tasks).
"""

import dagster as dg

from bioinstruct_dagster.figures.values import percent
from bioinstruct_dagster.seeds.tasks import (
    CATEGORIES,
    LEAST_SHARE,
    MOST_SHARE,
    STORED_SEEDS,
    faults_of_seed,
    uneven_shares,
)
from bioinstruct_dagster.store.check_results import judged, not_judged
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.schema_checks import schema_check

seed_tasks_schema = schema_check("seed_tasks", key=("seed_id",))
BOUNDS = f"{percent(LEAST_SHARE)} to {percent(MOST_SHARE)}"


@dg.asset_check(asset="seed_tasks")
def seeds_are_valid_and_balanced(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Each seed task is valid, and each category has between 5 and 60 % of them. Warns otherwise.

    The teacher sees few or no examples of a category with few seeds. That may be intended.
    """
    seeds = store.rows(STORED_SEEDS)
    counts = {
        str(category): sum(s["category"] == category for s in seeds) for category in CATEGORIES
    }
    if not seeds:
        return not_judged("There are no seed tasks. Materialize key:seed_tasks first.", counts)
    faults = [f"{seed['id']}: {fault}" for seed in seeds for fault in faults_of_seed(seed)]
    uneven = uneven_shares(counts)
    said = []
    if faults:
        said.append(
            f"{len(faults)} faults of seed tasks, such as {faults[0]}. Correct them in the file "
            "that BIOINSTRUCT_SEEDS names."
        )
    if uneven:
        said.append(
            f"Categories with a share of the seed tasks outside {BOUNDS}: {', '.join(uneven)}. Add "
            "seed tasks of the rare categories to the file that BIOINSTRUCT_SEEDS names, if you "
            "want such rows."
        )
    return judged(
        not faults and not uneven,
        counts,
        description=" ".join(said)
        or f"All {len(seeds)} seed tasks are valid, and each category has {BOUNDS} of them.",
    )
