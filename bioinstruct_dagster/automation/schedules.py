"""Schedules. No schedule trains: GPU time is spent only by runs that a person starts.

Belongs here: runs by the clock. Does not: runs that follow an event (sensors).
"""

import dagster as dg

from bioinstruct_dagster.automation.jobs import data_set_job
from bioinstruct_dagster.settings import Settings

MONDAYS_AT_SIX = "0 6 * * 1"  # Monday, 06:00 UTC


@dg.schedule(
    job=data_set_job,
    cron_schedule=MONDAYS_AT_SIX,
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def weekly_refresh(
    context: dg.ScheduleEvaluationContext, settings: dg.ResourceParam[Settings]
) -> dg.RunRequest:
    """Add about BIOINSTRUCT_REFRESH_INSTRUCTIONS kept rows to the data set, every Monday at 06:00.

    The run materializes all assets up to the Hugging Face data set. It reuses stored completions
    and sends only new requests. The schedule is off by default, because with a real teacher each
    run costs money.
    """
    return dg.RunRequest(
        run_key=context.scheduled_execution_time.isoformat(),
        run_config=dg.RunConfig(
            ops={"raw_instructions": {"config": {"grow_by": settings.runs.refresh_instructions}}}
        ),
    )
