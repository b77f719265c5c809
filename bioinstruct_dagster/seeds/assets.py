"""The asset `seed_tasks`.

Belongs here: writing the seed tasks to the store and describing them in the UI. Does not: reading
the seed file (tasks), or checks (checks).
"""

from collections import Counter

import dagster as dg

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.figures.bars import bars
from bioinstruct_dagster.figures.cards import SHOWN_ROWS, card_of, cards
from bioinstruct_dagster.figures.sheet import summary
from bioinstruct_dagster.figures.values import percent
from bioinstruct_dagster.seeds.tasks import CATEGORIES, read_seed_tasks
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of_rows
from bioinstruct_dagster.store.materialization import OWNERS, materialization, rows_and_change
from bioinstruct_dagster.store.step_failures import stating_errors

FINGERPRINT_COLUMNS = ("seed_id", "category", "source_family", "instruction", "input", "output")
DRAWN_SEEDS = "select * from seed_tasks order by sha256(seed_id || $seed) limit $most"


@dg.asset(group_name="seeds", kinds={"json", "duckdb"}, owners=OWNERS, code_version="1")
@stating_errors
def seed_tasks(
    context: dg.AssetExecutionContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """Biomedical tasks by experts, which show the teacher what a good task is. The setting
    `BIOINSTRUCT_SEEDS` names their JSONL file.
    """
    # If the file is malformed, the step fails with a list of all errors, and nothing is written.
    _refuse_empty_selection(context)
    seeds = read_seed_tasks(settings.seeds.file)
    rows = [seed.to_row(ordinal) for ordinal, seed in enumerate(seeds)]
    store.replace({"seed_tasks": rows})
    shares = dict.fromkeys(CATEGORIES, 0) | Counter(seed.category for seed in seeds)
    families = len({seed.source_family for seed in seeds})
    fewest = min(shares, key=lambda category: shares[category])
    sentence = (
        f"{rows_and_change(context, 'seed_tasks', len(seeds), 'seed task')} of {families} kinds. "
        f"Fewest: {fewest.replace('_', ' ')}, {percent(shares[fewest] / len(seeds))}."
    )
    fingerprint = sha256_of_rows(rows, FINGERPRINT_COLUMNS)
    drawn = store.rows(DRAWN_SEEDS, {"seed": fingerprint, "most": SHOWN_ROWS})
    return materialization(
        context,
        store,
        "seed_tasks",
        fingerprint,
        extra={
            "summary": dg.MetadataValue.md(
                summary(sentence, bars("Seed tasks by category", shares, "tasks"))
            ),
            "source families": families,
            "file": dg.MetadataValue.path(settings.seeds.file),
            "five seeds": dg.MetadataValue.md(
                cards([card_of(row, f"{row['seed_id']}, {row['category']}") for row in drawn])
            ),
        },
        preview=False,
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
