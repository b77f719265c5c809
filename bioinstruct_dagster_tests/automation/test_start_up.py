"""What happens when the daemon starts and nobody has switched anything on: nothing that costs."""

import dagster as dg
import pytest

from bioinstruct_dagster.automation.freshness import FAIL_AFTER, WARN_AFTER
from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster_tests.conftest import CHAIN


@pytest.fixture(scope="module")
def repository():
    """The project with its default settings."""
    return build_defs(Settings()).get_repository_def()


def test_only_what_finishes_or_reports_is_on_by_itself(repository):
    on = [
        sensor
        for sensor in repository.sensor_defs
        if sensor.default_status == dg.DefaultSensorStatus.RUNNING
    ]
    # batch_results stores what batches brought that a run has submitted, and that will be billed.
    # run_failures has no job, so it can start no run.
    assert {sensor.name: bool(sensor.targets) for sensor in on} == {
        "batch_results": True,
        "run_failures": False,
    }
    assert all(
        schedule.default_status == dg.DefaultScheduleStatus.STOPPED
        for schedule in repository.schedule_defs
    )
    conditions = [
        repository.asset_graph.get(key).automation_condition
        for key in repository.asset_graph.get_all_asset_keys()
    ]
    assert not any(conditions)


def test_each_schedule_and_sensor_says_what_it_does_and_whether_it_is_on(repository):
    for definition in (*repository.schedule_defs, *repository.sensor_defs):
        description = definition.description or ""
        assert len(description.split()) >= 20, definition.name
        if definition.default_status.value == "STOPPED":
            assert "off" in description.lower(), definition.name


def test_the_assets_of_the_data_set_have_a_freshness_policy_and_no_others(repository):
    graph = repository.asset_graph
    policies = {
        key.to_user_string(): graph.get(key).freshness_policy for key in graph.get_all_asset_keys()
    }
    fresh = {name for name, policy in policies.items() if policy}
    assert fresh == set(CHAIN[: CHAIN.index("hf_dataset") + 1])
    policy = policies["hf_dataset"]
    assert policy.warn_window.to_timedelta() == WARN_AFTER
    assert policy.fail_window.to_timedelta() == FAIL_AFTER
