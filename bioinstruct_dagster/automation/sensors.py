"""Sensors: what starts a run when the world outside has changed."""

from collections.abc import Set as AbstractSet
from datetime import UTC, datetime

import dagster as dg

from bioinstruct_dagster.automation.jobs import data_set_job, data_set_multiprocess_job
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.teacher.batch_api import batches
from bioinstruct_dagster.teacher.session import open_endpoint

POLL_SECONDS = 60
UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
# What follows from labels alone, and from quality checks; and the assets that batches are for.
FROM_LABELS = [dg.AssetKey("categorized_instructions"), dg.AssetKey("hf_dataset")]
FROM_CHECKS = [dg.AssetKey("deduplicated_instructions"), *FROM_LABELS]
ASKING = {dg.AssetKey("raw_instructions"), *FROM_CHECKS} - {dg.AssetKey("hf_dataset")}
_JOBS = {data_set_job.name, data_set_multiprocess_job.name}


@dg.sensor(
    job=data_set_job,
    minimum_interval_seconds=POLL_SECONDS,
    # On from the start: it only ever finishes what a run has submitted, and paid for.
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def batch_results(
    context: dg.SensorEvaluationContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> dg.RunRequest | dg.SkipReason:
    """Start a run once batches of the Batch API have ended, up to the Hugging Face set.

    Asks the server once a minute while batches are open, and nothing while none is. Its run works
    towards the goal of the run that submitted, under the same caps, and asks again for what an
    expired batch left out; where labels or checks were all that was missing, it asks for no
    instructions.
    Where its run fails, it tries again after an hour.
    """
    try:
        open_now = batches.open_batches(store)
        if not open_now:
            return dg.SkipReason("No batch is open.")
        with open_endpoint(settings) as endpoint:
            found = batches.poll(endpoint, store)
    except StatedError as error:
        return dg.SkipReason(str(error))
    ended = [batch for batch in found if batch.ended]
    if not ended:
        states = [f"{batch.batch_id or 'A batch'} is {batch.status}" for batch in found]
        return dg.SkipReason(
            ", ".join(states) or "Batches are open at another server than the one that is set."
        )
    runs = [
        run
        for run in context.instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY))
        if _asks(run.job_name, run.asset_selection)
    ]
    if runs:
        return dg.SkipReason(f"Run {runs[0].run_id} is under way.")
    hour = datetime.now(UTC).strftime("%Y-%m-%dT%H")
    run_key = f"{sha256_of(sorted(batch.batch_key for batch in ended))[:16]} {hour}"
    purposes = {batch.purpose for batch in ended}
    if "generation" not in purposes:
        selection = FROM_CHECKS if "quality_check" in purposes else FROM_LABELS
        return dg.RunRequest(run_key=run_key, asset_selection=selection)
    return dg.RunRequest(
        run_key=run_key,
        run_config=dg.RunConfig(ops={"raw_instructions": {"config": batches.resume_of(open_now)}}),
    )


def _asks(job_name: str, selected: AbstractSet[dg.AssetKey] | None) -> bool:
    """Whether a run asks the teacher: one of the data set's jobs, or of these assets by hand."""
    return job_name in _JOBS if selected is None else bool(ASKING & set(selected))
