"""Schedules. No schedule trains.

Belongs here: runs by the clock. Does not: runs that follow an event (sensors, experiment_sensors).
"""

import dagster as dg

from bioinstruct_dagster.automation.descriptions import described
from bioinstruct_dagster.automation.jobs import data_set_job
from bioinstruct_dagster.automation.run_estimates import (
    BASIS_TAG,
    GPU_HOURS_TAG,
    USD_TAG,
    refresh_dollars,
)
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store

MONDAYS_AT_SIX = "0 6 * * 1"  # Monday, 06:00 UTC


@described(
    dg.schedule,
    job=data_set_job,
    cron_schedule=MONDAYS_AT_SIX,
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def weekly_refresh(
    context: dg.ScheduleEvaluationContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> dg.RunRequest | dg.SkipReason:
    """Add about BIOINSTRUCT_REFRESH_INSTRUCTIONS kept rows to the data set, every Monday at 06:00.

    The run materializes all assets up to the Hugging Face data set, and trains nothing. It reuses
    stored completions and sends only new requests; the gates check only new rows. The goal is the
    number of kept rows at the start of the run plus the new rows. The schedule is off by default,
    because with a real teacher each run costs money. Tags of the run say how many dollars it will
    probably cost; the caps of the settings hold. An imported set does not grow, so there is no run
    while BIOINSTRUCT_IMPORT is set.
    """
    if settings.imports.source:
        return dg.SkipReason(
            "BIOINSTRUCT_IMPORT is set, so no row is generated and there is nothing to add. To "
            "read a changed file again, start the job data_set."
        )
    rows = settings.runs.refresh_instructions
    try:
        usd, basis = refresh_dollars(store, settings.teacher.name, settings.teacher.model, rows)
    except StatedError as error:  # such as a store in use; an estimate is no reason to skip a week
        usd, basis = "unknown", str(error)
    return dg.RunRequest(
        run_key=context.scheduled_execution_time.isoformat(),
        run_config=dg.RunConfig(ops={"raw_instructions": {"config": {"grow_by": rows}}}),
        tags={USD_TAG: usd, GPU_HOURS_TAG: "0 (nothing is trained)", BASIS_TAG: basis},
    )
