"""Asset checks of `seed_tasks`.

Belongs here: what the UI warns of. Does not: what makes a seed task valid (tasks).
"""

import dagster as dg

from bioinstruct_dagster.seeds.tasks import CATEGORIES
from bioinstruct_dagster.store.check_results import judged
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.schema_checks import schema_check

seed_tasks_schema = schema_check("seed_tasks", key=("seed_id",))

SEEDS_BY_CATEGORY = "select category, count(*) as seeds from seed_tasks group by category"


@dg.asset_check(asset="seed_tasks")
def every_category_has_seeds(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Each of the four categories has at least one seed task. Warns if one has none.

    The teacher sees no example of a category without seeds. That may be intended.
    """
    found = {row["category"]: row["seeds"] for row in store.rows(SEEDS_BY_CATEGORY)}
    return judged(
        all(category in found for category in CATEGORIES),
        {category: found.get(category, 0) for category in CATEGORIES},
    )
