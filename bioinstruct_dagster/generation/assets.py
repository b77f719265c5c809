"""Generation as an asset."""

from collections import Counter
from typing import Any

import dagster as dg
from pydantic import Field

from bioinstruct_dagster import figures
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.generation import raw, teacher
from bioinstruct_dagster.generation.imported import read_instruction_set
from bioinstruct_dagster.generation.plan import plan_requests
from bioinstruct_dagster.generation.prompts import TEMPLATE_ID, TEMPLATE_SHA256
from bioinstruct_dagster.generation.requests import Series
from bioinstruct_dagster.seeds.tasks import SeedTask
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.provenance import sha256_of_rows
from bioinstruct_dagster.store.resources import OWNERS, materialization, stating_errors

RAW_COLUMNS = (
    "row_id",
    "ordinal",
    "completion_id",
    "source",
    "instruction",
    "input",
    "output",
    "rehearsal",
)

STORED_SEEDS = """
    select seed_id as id, category, source_family, instruction, input, output
    from seed_tasks
    order by ordinal
"""

SPEND = """
    select
        count(*) as completions,
        sum(prompt_tokens)::bigint as prompt_tokens,
        sum(completion_tokens)::bigint as completion_tokens,
        case when count(usd) = count(*) then sum(usd) end as usd
    from completions
    join completion_outcomes using (completion_id)
"""


class RawInstructionsConfig(dg.Config):
    """What a run may change; what is left out comes from the settings."""

    requests: int | None = Field(
        None, ge=1, description="Requests that the set rests on (default: BIOINSTRUCT_REQUESTS)."
    )
    grow_by: int = Field(
        0, ge=0, description="Ask for about this many further kept instructions than there are now."
    )
    seed: int | None = Field(
        None, ge=0, le=2**32 - 1, description="Run seed (default: BIOINSTRUCT_SEED)."
    )
    import_from: str | None = Field(
        None,
        description=(
            "Import this file or hub id in place of generating (default: BIOINSTRUCT_IMPORT)."
        ),
    )


@dg.asset(
    group_name="generation",
    kinds={"openai", "json", "duckdb"},
    owners=OWNERS,
    code_version="1",
    deps=["seed_tasks"],
)
@stating_errors
def raw_instructions(
    context: dg.AssetExecutionContext,
    config: RawInstructionsConfig,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """New tasks as the teacher wrote them (Self-Instruct), or an imported instruction set's rows.

    Each request shows the teacher three seeds drawn at random from (run seed, request number) and
    asks for new tasks as JSON. Every reply is stored before it is read, under the hash of its
    request, so a request that was answered once is never paid for again. A reply that can't be read
    is kept and counted.
    """
    source = settings.import_ if config.import_from is None else config.import_from
    if source:
        return _import(context, source, store, settings)

    seeds = [SeedTask(**row) for row in store.rows(STORED_SEEDS)]
    if not seeds:
        raise StatedError("There are no seed tasks. Materialize key:seed_tasks first.")
    run_seed = settings.seed if config.seed is None else config.seed
    series = Series(seeds, settings.teacher, settings.model, run_seed, settings.tasks_per_request)
    requests = plan_requests(
        series, store, wanted=config.requests or settings.requests, grow_by=config.grow_by
    )
    with teacher.open_teacher(settings) as endpoint:
        tally = teacher.ask(
            requests, endpoint, store, concurrency=settings.concurrency, log=context.log.info
        )
    rows, outcomes = raw.raw_rows(store, requests)
    if not rows:
        raise StatedError(
            f"None of {len(outcomes)} replies could be read. They are kept in table completions."
        )
    store.replace({"raw_instructions": rows, "completion_outcomes": outcomes})

    context.log.info(
        "%s completions asked of the teacher, %s reused from the store, "
        "%s requests failed; %s tasks read",
        tally.asked,
        tally.reused,
        tally.failed,
        len(rows),
    )
    for message in tally.errors:
        context.log.warning("Request failed, to be asked again by the next run: %s", message)
    return materialization(
        context,
        store,
        "raw_instructions",
        sha256_of_rows(rows, RAW_COLUMNS),
        rehearsal=any(row["rehearsal"] for row in rows),
        extra={
            "replies": dg.MetadataValue.md(
                figures.bars("Replies by outcome", Counter(o["outcome"] for o in outcomes))
            ),
            "completions_asked": tally.asked,
            "completions_reused": tally.reused,
            "requests_failed": tally.failed,
            "tasks_per_reply": len(rows) / len(outcomes),
            "teacher": f"{settings.teacher}: {settings.model}",
            "template": f"{TEMPLATE_ID} ({TEMPLATE_SHA256[:12]})",
            "run_seed": run_seed,
            **_spend(store),
        },
    )


def _import(
    context: dg.AssetExecutionContext, source: str, store: Store, settings: Settings
) -> dg.MaterializeResult[None]:
    records = read_instruction_set(source, settings.import_columns, settings.import_split)
    rows = raw.imported_rows(records, source)
    store.replace({"raw_instructions": rows, "completion_outcomes": []})
    return materialization(
        context,
        store,
        "raw_instructions",
        sha256_of_rows(rows, RAW_COLUMNS),
        rehearsal=False,
        extra={"imported_from": source, "columns": str(dict(settings.import_columns))},
    )


def _spend(store: Store) -> dict[str, Any]:
    spend = store.rows(SPEND)[0]
    return {
        "prompt_tokens": spend["prompt_tokens"],
        "completion_tokens": spend["completion_tokens"],
        "usd": "unknown: no price for this model" if spend["usd"] is None else spend["usd"],
    }
