"""The asset `seed_tasks`.

Belongs here: writing the seed tasks to the store and describing them in the UI. Does not: reading
the seed file (tasks), or checks (checks).
"""

from collections import Counter

import dagster as dg

from bioinstruct_dagster import figures
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.seeds.tasks import read_seed_tasks
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of_rows
from bioinstruct_dagster.store.materialization import OWNERS, materialization
from bioinstruct_dagster.store.step_failures import stating_errors

FINGERPRINT_COLUMNS = ("seed_id", "category", "source_family", "instruction", "input", "output")


@dg.asset(group_name="seeds", kinds={"json", "duckdb"}, owners=OWNERS, code_version="1")
@stating_errors
def seed_tasks(
    context: dg.AssetExecutionContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """Expert-written biomedical tasks that show the teacher examples of good tasks.

    The setting `BIOINSTRUCT_SEEDS` names the JSONL file (default `data/seed_tasks.jsonl`). If the
    file is malformed, the step fails with a list of all errors, and nothing is written.
    """
    _refuse_empty_selection(context)
    seeds = read_seed_tasks(settings.seeds.file)
    rows = [seed.to_row(ordinal) for ordinal, seed in enumerate(seeds)]
    store.replace({"seed_tasks": rows})
    shares = Counter(seed.category for seed in seeds)
    return materialization(
        context,
        store,
        "seed_tasks",
        sha256_of_rows(rows, FINGERPRINT_COLUMNS),
        extra={
            "categories": dg.MetadataValue.md(figures.bars("Seeds by category", dict(shares))),
            "source_families": len({seed.source_family for seed in seeds}),
            "file": dg.MetadataValue.path(settings.seeds.file),
        },
    )


def _refuse_empty_selection(context: dg.AssetExecutionContext) -> None:
    # If a selection matches no asset, `dagster asset materialize --select` runs every asset, so a
    # typing error could spend a lab's money. All assets depend on this one, so it refuses such a
    # run.
    if context.run.job_name.startswith("__ASSET_JOB") and not context.run.asset_selection:
        raise StatedError(
            "The selection matches no asset; nothing was materialized. Check its spelling, such as "
            "--select 'key:seed_tasks'. `dagster asset list -m bioinstruct_dagster` lists all "
            "assets."
        )
