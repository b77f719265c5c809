"""The asset graph as readable JSON: what Dagster is told, without prose.

`python -m bioinstruct_dagster_tests.asset_graph` writes it to snapshots/asset_graph.json anew; run
it after a meant change, and read the diff before you commit it. test_asset_graph compares.
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import dagster as dg

from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.settings import Settings

SNAPSHOT = Path(__file__).parent / "snapshots" / "asset_graph.json"
COMMAND = "python -m bioinstruct_dagster_tests.asset_graph"


def graph_text(defs: dg.Definitions) -> str:
    """The definitions as JSON with one fact a line, so that a diff names what changed."""
    return json.dumps(described(defs), indent=1, ensure_ascii=False) + "\n"


def described(defs: dg.Definitions) -> dict[str, Any]:
    """Assets, checks, jobs, schedules, sensors and resources by name."""
    graph = defs.resolve_asset_graph()
    repository = defs.get_repository_def()
    jobs = (job for job in repository.get_all_jobs() if not job.name.startswith("__"))
    return {
        "assets": {
            key.to_user_string(): _asset(graph.get(key)) for key in graph.toposorted_asset_keys
        },
        "checks": {
            key.name: _check(graph.get_check_spec(key))
            for key in sorted(graph.asset_check_keys, key=lambda key: key.name)
        },
        "jobs": {job.name: _job(job, graph) for job in sorted(jobs, key=lambda job: job.name)},
        "schedules": {schedule.name: _schedule(schedule) for schedule in repository.schedule_defs},
        "sensors": {sensor.name: _sensor(sensor) for sensor in repository.sensor_defs},
        "resources": {
            name: _resource(resource)
            for name, resource in sorted(repository.get_top_level_resources().items())
        },
        "executor": defs.executor.name if defs.executor else None,
    }


def _asset(node: Any) -> dict[str, Any]:
    op = node.assets_def.op
    return {
        "group": node.group_name,
        "deps": sorted(key.to_user_string() for key in node.parent_keys),
        "kinds": sorted(node.kinds),
        "owners": sorted(node.owners),
        "code_version": node.code_version,
        "partitions": _dimensions(node.partitions_def),
        "pool": op.pool,
        "tags": {
            name: value
            for name, value in sorted({**node.tags, **op.tags}.items())
            if not name.startswith("dagster/kind/")  # told by `kinds`
        },
        "config": _fields(op),
        "resources": sorted(op.required_resource_keys),
        "automation": str(node.automation_condition) if node.automation_condition else None,
    }


def _dimensions(partitions: dg.PartitionsDefinition[Any] | None) -> list[str] | None:
    # The keys are data: they come from the experiment file.
    if isinstance(partitions, dg.MultiPartitionsDefinition):
        return sorted(dimension.name for dimension in partitions.partitions_defs)
    return [type(partitions).__name__] if partitions else None


def _fields(op: dg.OpDefinition) -> dict[str, str]:
    fields = getattr(op.config_schema.as_field().config_type, "fields", None) or {}
    return {
        name: f"{_type(field)}, "
        + (f"default {field.default_value!r}" if field.default_provided else "required")
        for name, field in sorted(fields.items())
    }


def _type(field: dg.Field) -> str:
    inner = getattr(field.config_type, "inner_type", None)
    return str((inner or field.config_type).key) + (" or null" if inner else "")


def _check(spec: dg.AssetCheckSpec) -> dict[str, Any]:
    return {"asset": spec.asset_key.to_user_string(), "blocking": spec.blocking}


def _job(job: dg.JobDefinition, graph: Any) -> dict[str, Any]:
    selected = set(job.asset_layer.selected_asset_keys)
    return {
        "assets": [key.to_user_string() for key in graph.toposorted_asset_keys if key in selected],
        "partitions": _dimensions(job.partitions_def),
        "executor": job.executor_def.name,
        "tags": dict(job.run_tags),
    }


def _schedule(schedule: dg.ScheduleDefinition) -> dict[str, Any]:
    return {
        "job": schedule.job_name,
        "cron": schedule.cron_schedule,
        "timezone": schedule.execution_timezone,
        "status": schedule.default_status.value,
    }


def _sensor(sensor: dg.SensorDefinition) -> dict[str, Any]:
    return {
        "jobs": sorted(target.job_name for target in sensor.targets),
        "seconds": sensor.minimum_interval_seconds,
        "status": sensor.default_status.value,
        "resources": sorted(sensor.required_resource_keys),
    }


def _resource(resource: dg.ResourceDefinition) -> str:
    """The class of the object that assets get."""
    with dg.build_init_resource_context() as context:
        return type(resource.resource_fn(context)).__name__


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        text = graph_text(build_defs(Settings.of(data_dir=Path(folder))))
    SNAPSHOT.parent.mkdir(exist_ok=True)
    SNAPSHOT.write_text(text, "utf-8")
