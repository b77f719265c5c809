"""The whole project as Dagster sees it: assets, checks, jobs, schedules, sensors and resources.

`build_defs` assembles them from settings. Tests call it with their own settings, so they run the
production graph. This module and its imports load no heavy library at import time: loading it costs
at most 1.5 times as much as loading Dagster (benchmarks.loading).
"""
# ruff: noqa: E402

import gc

# Loading makes objects and hardly any garbage. The collector would search Dagster's objects again
# and again, which takes a sixth of the loading time, so it pauses until everything is loaded.
_collects_garbage = gc.isenabled()
gc.disable()

import dagster as dg

from bioinstruct_dagster.automation import (
    command_line,
    executors,
    jobs,
    publish_jobs,
    schedules,
    sensors,
)
from bioinstruct_dagster.automation.experiment_sensors import experiment_sensors
from bioinstruct_dagster.automation.failure_sensor import run_failures
from bioinstruct_dagster.automation.freshness import with_freshness
from bioinstruct_dagster.curation import assets as curation
from bioinstruct_dagster.curation import checks as curation_checks
from bioinstruct_dagster.curation.curate_rows import curator_maker
from bioinstruct_dagster.dataset import assets as dataset
from bioinstruct_dagster.dataset import checks as dataset_checks
from bioinstruct_dagster.evaluation import checks as evaluation_checks
from bioinstruct_dagster.evaluation.assets import eval_scores_asset
from bioinstruct_dagster.evaluation.judge import checks as judge_checks
from bioinstruct_dagster.evaluation.judge.assets import judged_answers_asset
from bioinstruct_dagster.findings import checks as findings_checks
from bioinstruct_dagster.findings.assets import finding_assets
from bioinstruct_dagster.findings.worth import checks as worth_checks
from bioinstruct_dagster.findings.worth.assets import data_worth_asset
from bioinstruct_dagster.generation import assets as generation
from bioinstruct_dagster.generation import checks as generation_checks
from bioinstruct_dagster.models.compute.choice import launchers
from bioinstruct_dagster.models.experiments import read_experiments
from bioinstruct_dagster.models.process.parent import ModelProcess
from bioinstruct_dagster.review import assets as review
from bioinstruct_dagster.review import checks as review_checks
from bioinstruct_dagster.seeds import assets as seeds
from bioinstruct_dagster.seeds import checks as seeds_checks
from bioinstruct_dagster.settings import Settings, load_settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.training import checks as training_checks
from bioinstruct_dagster.training.assets import lora_adapter_asset

CHECK_MODULES = [
    seeds_checks,
    generation_checks,
    curation_checks,
    review_checks,
    dataset_checks,
    training_checks,
    evaluation_checks,
    judge_checks,
    findings_checks,
    worth_checks,
]


def build_defs(settings: Settings) -> dg.Definitions:
    """The definitions of the project with these settings."""
    matrix = read_experiments(settings.models.experiments)
    store = Store(settings.store.path, settings.store.lock_timeout)
    assets = [
        *with_freshness(
            [
                seeds.seed_tasks,
                generation.raw_instructions,
                curation.deduplicated_instructions,
                curation.categorized_instructions,
                dataset.hf_dataset,
            ]
        ),
        review.review_sample,
        review.review_results,
        dataset.dataset_figures,
        lora_adapter_asset(matrix, settings.compute.where),
        eval_scores_asset(matrix, settings.compute.where),
        judged_answers_asset(matrix),
        *finding_assets(matrix),
        data_worth_asset(matrix, settings.compute.where),
    ]
    checks = list(dg.load_asset_checks_from_modules(CHECK_MODULES))
    return dg.Definitions(
        assets=assets,
        asset_checks=checks,
        jobs=[
            jobs.data_set_job,
            jobs.data_set_multiprocess_job,
            jobs.experiment_job,
            jobs.data_worth_job,
            jobs.study_job(matrix, settings.compute.where, checks),
            jobs.checks_job,
            publish_jobs.publish_dataset_job(assets, checks),
            publish_jobs.publish_adapter_job(matrix, assets, checks),
        ],
        schedules=[schedules.weekly_refresh],
        sensors=[sensors.batch_results, run_failures, *experiment_sensors(matrix)],
        resources={
            "settings": settings,
            "store": store,
            "process": ModelProcess(launchers(settings.compute)),
            # Generation needs curation's gates to count the rows that would be kept. It may not
            # import curation, so it receives the gates as a resource.
            "gate": dg.ResourceDefinition.hardcoded_resource(curator_maker(settings, store)),
        },
        # Most steps are short or wait for the network, and training has its own process in any
        # case. Dagster's default, one process per step, costs 26 CPU-seconds a run; this costs 3.
        executor=executors.in_process,
    )


command_line.state_errors(lambda: read_experiments(load_settings().models.experiments))
defs = build_defs(load_settings())

if _collects_garbage:
    gc.freeze()  # what is loaded stays until the process ends, so no collection searches it again
    gc.enable()
