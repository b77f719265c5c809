"""The sensor `run_failures`: it tells people of failed runs, and starts none.

Belongs here: reading a failed run from Dagster's events, and where its summary goes. Does not: the
words of the summary (failure_reports), or the request to the webhook (webhook).
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from bioinstruct_dagster.automation.descriptions import described
from bioinstruct_dagster.automation.failure_reports import (
    FailedRun,
    FailedStep,
    failure_report,
    redacted,
    write_report,
)
from bioinstruct_dagster.automation.webhook import post_json
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store

_PACKAGE = Path(__file__).parents[1]
POLL_SECONDS = 30
_STATED = "StatedError"  # the class name that store.step_failures gives to an error for users


@described(
    dg.run_failure_sensor,
    minimum_interval_seconds=POLL_SECONDS,
    # A run of the command line carries no code location, so Dagster would leave it out.
    monitor_all_code_locations=True,
    # On by default: it starts no run, and sends nothing before BIOINSTRUCT_WEBHOOK_URL is set.
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def run_failures(
    context: dg.RunFailureSensorContext,
    store: dg.ResourceParam[Store],
    settings: dg.ResourceParam[Settings],
) -> None:
    """Write a readable summary of each failed run, and send it to a webhook if one is set.

    The summary says what failed, what is stored and kept, and what to do next. It goes to the
    folder reports/failures in the data folder and to the run's log. If BIOINSTRUCT_WEBHOOK_URL is
    set, it is also sent there as JSON. The sensor is on by default, because it starts no run and
    sends no request to a teacher.
    """
    if not _ours(context):
        return
    try:
        run = failed_run(context)
        report = failure_report(run, store, settings)
        path = None
        try:
            path = write_report(report, run, settings.store.data_dir)
            said = f"{report.title} A summary is in {path}."
        except OSError as error:
            said = f"{report.title} Its summary could not be written: {error.strerror}."
        if url := settings.runs.webhook_url:
            fault = post_json(url.get_secret_value(), report.message(run, path))
            said += f" The webhook did not take it: {fault}." if fault else " The webhook has it."
        context.log.info(said)
        context.instance.report_engine_event(
            "\n".join([said, *report.failed, *report.kept, *report.next_steps]),
            context.dagster_run,
        )
    except Exception as error:  # noqa: BLE001  # a summary that fails must not hide other failures
        words = redacted(f"{type(error).__name__}: {error}", settings)
        # Without its trace, which might show a secret.
        context.log.error("The summary of the failed run could not be made. %s", words)  # noqa: TRY400


def _ours(context: dg.RunFailureSensorContext) -> bool:
    """Whether the run is of this project: the instance may hold runs of others."""
    run, repository = context.dagster_run, context.repository_def
    if repository is None:  # nothing to compare with
        return True
    if not repository.has_job(run.job_name) or _of_another_copy(run):
        return False
    # Every project has the job of selected assets.
    return set(run.asset_selection or ()) <= repository.asset_graph.get_all_asset_keys()


def _of_another_copy(run: dg.DagsterRun) -> bool:
    """Whether the run was started in a folder with another copy of this package.

    Copies have the same jobs and assets, and a run of the command line names no code location. But
    each run names the folder that its code was loaded from.
    """
    origin = run.job_code_origin
    pointer = origin.repository_origin.code_pointer if origin else None
    folder = getattr(pointer, "working_directory", None)
    if not folder:
        return False
    theirs = Path(folder) / _PACKAGE.name / "__init__.py"
    return theirs.is_file() and not theirs.samefile(_PACKAGE / "__init__.py")


def failed_run(context: dg.RunFailureSensorContext) -> FailedRun:
    """The failed run that a sensor is told of, from Dagster's events."""
    run = context.dagster_run
    record = context.instance.get_run_record_by_id(run.run_id)
    ended = record.end_time if record and record.end_time else datetime.now(UTC).timestamp()
    return FailedRun(
        run.run_id,
        "of selected assets" if run.job_name.startswith("__ASSET_JOB") else run.job_name,
        datetime.fromtimestamp(ended, UTC),
        [_failed_step(event) for event in context.get_step_failure_events()],
        context.failure_event.message or "",
        list(_materialized(context)),
    )


def _failed_step(event: dg.DagsterEvent) -> FailedStep:
    data = event.step_failure_data
    error = _cause(data.error) if data.error else None
    described = data.user_failure_data.description if data.user_failure_data else None
    message = described or (error.message if error else "") or "no reason is known"
    return FailedStep(
        event.step_key or "an unknown step",
        message,
        stated=bool(error and error.cls_name == _STATED) or bool(described),
    )


def _cause(error: SerializableErrorInfo) -> SerializableErrorInfo:
    """The error that Dagster's own errors were raised from."""
    while error.cause:
        error = error.cause
    return error


def _materialized(context: dg.RunFailureSensorContext) -> Iterator[str]:
    """The assets that the run materialized, each with its partitions."""
    partitions: dict[str, list[str]] = {}
    records = context.instance.get_records_for_run(
        context.dagster_run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
    ).records
    for record in records:
        if event := record.asset_materialization:
            found = partitions.setdefault(event.asset_key.to_user_string(), [])
            if event.partition:
                found.append(event.partition)
    for name, keys in partitions.items():
        yield f"{name} ({', '.join(keys)})" if keys else name
