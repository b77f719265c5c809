"""Sensors that train and score when the data set has a new version. Both are off by default.

Belongs here: when a run over experiments starts, and the tags that say what it will take. Does not:
which experiments are chosen (experiment_choice), or the estimate (run_estimates).
"""

from collections.abc import Iterable, Sequence
from typing import cast

import dagster as dg

from bioinstruct_dagster.automation.descriptions import described
from bioinstruct_dagster.automation.experiment_choice import (
    adapters_to_score,
    experiments_to_train,
)
from bioinstruct_dagster.automation.jobs import TRAINING_JOBS
from bioinstruct_dagster.automation.run_estimates import HoursEstimate, training_hours
from bioinstruct_dagster.automation.scoring_times import scoring_hours
from bioinstruct_dagster.automation.sensors import DATA_SET_JOBS, UNFINISHED_STATUSES
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.current_dataset import NO_DATA_SET, present_fingerprint
from bioinstruct_dagster.models.experiments import Experiment, ExperimentMatrix
from bioinstruct_dagster.models.experiments.names import partition_key
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of

POLL_SECONDS = 300  # a training takes minutes to days, so a few minutes of delay do not matter
DATA_SET = dg.AssetKey("hf_dataset")
MODEL_ASSETS = {dg.AssetKey("lora_adapter"), dg.AssetKey("eval_scores")}

_starts_study = described(
    dg.sensor,
    job_name="study",
    minimum_interval_seconds=POLL_SECONDS,
    default_status=dg.DefaultSensorStatus.STOPPED,
)


def experiment_sensors(matrix: ExperimentMatrix) -> list[dg.SensorDefinition]:
    """The sensors `train_on_release` and `evaluate_new_adapters`.

    Args:
        matrix: the experiments.
    """
    return [_train_on_release(matrix), _evaluate_new_adapters(matrix)]


def _train_on_release(matrix: ExperimentMatrix) -> dg.SensorDefinition:
    @_starts_study
    def train_on_release(
        context: dg.SensorEvaluationContext,
        store: dg.ResourceParam[Store],
        settings: dg.ResourceParam[Settings],
    ) -> dg.RunRequest | dg.SkipReason:
        """Train chosen experiments when the data set has a new version. Off by default.

        Every five minutes the sensor compares the fingerprint of `hf_dataset` with that of each
        adapter. It starts one run of the job `study`, which trains and does not score. By default
        it trains the experiments that already have an adapter, because their time is known; the
        setting BIOINSTRUCT_TRAIN_ON_RELEASE can name others. Each version starts one run: if that
        run fails or you cancel it, start the next one yourself. The sensor waits for runs of the
        data set and of training, and trains on no version that fails a blocking check. Tags of the
        run say how many GPU hours it will probably take. It sends no request to a paid model.
        """
        try:
            if (fingerprint := present_fingerprint(store)) is None:
                return dg.SkipReason(NO_DATA_SET)
            chosen = experiments_to_train(store, matrix, settings, fingerprint)
            if not chosen:
                return dg.SkipReason(
                    f"No chosen experiment lacks an adapter of the data set {fingerprint[:12]}. "
                    f"BIOINSTRUCT_TRAIN_ON_RELEASE is {settings.runs.train_on_release!r}."
                )
            if why := _reason_to_wait(context) or _failed_checks(context):
                return dg.SkipReason(why)
            hours = training_hours(store, matrix, chosen)
        except StatedError as error:
            return dg.SkipReason(str(error))
        return _request(f"train {fingerprint}", chosen, hours, train=True)

    return cast("dg.SensorDefinition", train_on_release)


def _evaluate_new_adapters(matrix: ExperimentMatrix) -> dg.SensorDefinition:
    @_starts_study
    def evaluate_new_adapters(
        context: dg.SensorEvaluationContext,
        store: dg.ResourceParam[Store],
    ) -> dg.RunRequest | dg.SkipReason:
        """Score adapters of the present data set that have no score yet. Off by default.

        Every five minutes the sensor looks for adapters that were trained on the present data set
        and have no row in `eval_scores`. It starts one run of the job `study`, which scores and
        does not train. Each adapter starts one run: if it fails, start the next one yourself. Tags
        of the run say how many GPU hours it will probably take. The run asks no judge
        (`judged_answers`), so it sends no request to a paid model.
        """
        try:
            if (fingerprint := present_fingerprint(store)) is None:
                return dg.SkipReason(NO_DATA_SET)
            unscored = adapters_to_score(store, matrix, fingerprint)
            if not unscored:
                return dg.SkipReason(
                    f"Each adapter of the data set {fingerprint[:12]} has scores, or there is none."
                )
            if why := _reason_to_wait(context):
                return dg.SkipReason(why)
            adapters = [one.experiment for one in unscored]
            on_gpu = any(one.on_gpu for one in unscored)
            hours = scoring_hours(context.instance, adapters, on_gpu=on_gpu)
        except StatedError as error:
            return dg.SkipReason(str(error))
        key = f"score {sha256_of(sorted(one.weights for one in unscored))[:16]}"
        return _request(key, adapters, hours, train=False)

    return cast("dg.SensorDefinition", evaluate_new_adapters)


def _request(
    run_key: str, experiments: Sequence[Experiment], hours: HoursEstimate, *, train: bool
) -> dg.RunRequest:
    names = [partition_key(one) for one in experiments]
    config = {"experiments": names, "train": train, "score": not train}
    return dg.RunRequest(
        run_key=run_key,
        run_config=dg.RunConfig(ops={"train_and_score": {"config": config}}),
        tags=hours.tags(experiments),
    )


def _reason_to_wait(context: dg.SensorEvaluationContext) -> str | None:
    """The unfinished run that may still change the data set or an adapter; None if there is none.

    A data set that is half rebuilt must not be trained on, and two trainings would wait for each
    other's GPU.
    """
    for run in context.instance.get_runs(dg.RunsFilter(statuses=UNFINISHED_STATUSES)):
        selected: Iterable[dg.AssetKey] = run.asset_selection or ()
        if run.job_name in DATA_SET_JOBS | TRAINING_JOBS or {DATA_SET, *MODEL_ASSETS} & set(
            selected
        ):
            return f"Run {run.run_id} has not finished yet."
    return None


def _failed_checks(context: dg.SensorEvaluationContext) -> str | None:
    """Which checks of the data set failed and are no mere warnings, in words; None if none did."""
    if context.repository_def is None:
        return None
    checks = context.repository_def.asset_graph.asset_check_keys
    keys = [key for key in checks if key.asset_key == DATA_SET]
    latest = context.instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    failed = [
        key.name
        for key, record in latest.items()
        if isinstance(done := record.evaluation, dg.AssetCheckEvaluation)  # else: only planned
        and not done.passed
        and done.severity == dg.AssetCheckSeverity.ERROR
    ]
    if not failed:
        return None
    return (
        f"Checks of hf_dataset failed: {', '.join(sorted(failed))}. Its page shows what they say. "
        "No experiment is trained on this version until they pass."
    )
