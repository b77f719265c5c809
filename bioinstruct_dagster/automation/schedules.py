"""Schedules. None trains: a schedule must not spend GPU money unasked."""

import dagster as dg

from bioinstruct_dagster.automation.jobs import data_set_job
from bioinstruct_dagster.settings import Settings

WEEKLY = "0 6 * * 1"  # Monday, 06:00 UTC


@dg.schedule(
    job=data_set_job,
    cron_schedule=WEEKLY,
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def weekly_refresh(
    context: dg.ScheduleEvaluationContext, settings: dg.ResourceParam[Settings]
) -> dg.RunRequest:
    """Grow the data set by about BIOINSTRUCT_REFRESH_INSTRUCTIONS kept instructions.

    Runs down to the Hugging Face set. Off until it is switched on, since with a real teacher each
    tick costs money. What is stored is reused: only the further requests are asked of the teacher.
    """
    return dg.RunRequest(
        run_key=context.scheduled_execution_time.isoformat(),
        run_config=dg.RunConfig(
            ops={"raw_instructions": {"config": {"grow_by": settings.runs.refresh_instructions}}}
        ),
    )
