"""Sensors: they start a run when something outside Dagster has changed.

Belongs here: when a run starts, and with which selection and configuration. Does not: polling and
reading batches (teacher.batch_api).
"""

from collections.abc import Set as AbstractSet
from datetime import UTC, datetime

import dagster as dg

from bioinstruct_dagster.automation.descriptions import described
from bioinstruct_dagster.automation.jobs import data_set_job, data_set_multiprocess_job
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.evaluation.judge.grades import PURPOSE as JUDGING
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.teacher.batch_api import batches
from bioinstruct_dagster.teacher.session import open_endpoint

POLL_SECONDS = 60
UNFINISHED_STATUSES = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
# The assets to materialize when a batch of category labels, or of quality checks, has ended.
ASSETS_AFTER_LABELS = [
    dg.AssetKey("categorized_instructions"),
    dg.AssetKey("hf_dataset"),
    dg.AssetKey("dataset_figures"),
]
ASSETS_AFTER_CHECKS = [dg.AssetKey("deduplicated_instructions"), *ASSETS_AFTER_LABELS]
# The assets that send requests to the teacher.
TEACHER_ASSETS = {
    dg.AssetKey("raw_instructions"),
    dg.AssetKey("deduplicated_instructions"),
    dg.AssetKey("categorized_instructions"),
}
# The next run of judged_answers stores their replies, which no other asset needs.
JUDGE_S_BATCHES = "The open batches are the judge's. Materialize key:judged_answers to store them."
DATA_SET_JOBS = {data_set_job.name, data_set_multiprocess_job.name}


@described(
    dg.sensor,
    job=data_set_job,
    minimum_interval_seconds=POLL_SECONDS,
    # On by default: it only finishes batches that a run has submitted and that will be billed.
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def batch_results(
    context: dg.SensorEvaluationContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> dg.RunRequest | dg.SkipReason:
    """Start a run up to the Hugging Face data set when batches of the Batch API have ended.

    While batches are open, the sensor asks the server for their state once a minute. The new run
    has the goal and the caps of the run that submitted the batches, and sends requests again that
    an expired batch left without a reply. After a batch of category labels or quality checks, the
    run generates no new rows. If the run fails, the sensor starts another after an hour.
    """
    try:
        all_open = batches.open_batches(store)
        open_now = [batch for batch in all_open if batch["purpose"] != JUDGING]
        if not open_now:
            return dg.SkipReason(JUDGE_S_BATCHES if all_open else "No batch is open.")
        with open_endpoint(settings) as endpoint:
            found = batches.poll(endpoint, store)
    except StatedError as error:
        return dg.SkipReason(str(error))
    found = [batch for batch in found if batch.purpose != JUDGING]
    ended = [batch for batch in found if batch.ended]
    if not ended:
        states = [f"{batch.batch_id or 'A batch'} is {batch.status}" for batch in found]
        return dg.SkipReason(
            ", ".join(states)
            or "The open batches are at another server. Set OPENAI_BASE_URL to that server's "
            "address to store their replies."
        )
    runs = [
        run
        for run in context.instance.get_runs(dg.RunsFilter(statuses=UNFINISHED_STATUSES))
        if _uses_teacher(run.job_name, run.asset_selection)
    ]
    if runs:
        return dg.SkipReason(f"Run {runs[0].run_id} has not finished yet.")
    hour = datetime.now(UTC).strftime("%Y-%m-%dT%H")
    run_key = f"{sha256_of(sorted(batch.batch_key for batch in ended))[:16]} {hour}"
    purposes = {batch.purpose for batch in ended}
    if "generation" not in purposes:
        selection = ASSETS_AFTER_CHECKS if "quality_check" in purposes else ASSETS_AFTER_LABELS
        return dg.RunRequest(run_key=run_key, asset_selection=selection)
    return dg.RunRequest(
        run_key=run_key,
        run_config=dg.RunConfig(ops={"raw_instructions": {"config": batches.resume_of(open_now)}}),
    )


def _uses_teacher(job_name: str, selected: AbstractSet[dg.AssetKey] | None) -> bool:
    """Whether a run sends requests to the teacher: by its job, or by its selected assets."""
    if selected is None:
        return job_name in DATA_SET_JOBS
    return bool(TEACHER_ASSETS & set(selected))
