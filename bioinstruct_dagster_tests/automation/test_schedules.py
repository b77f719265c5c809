"""The weekly refresh: it grows the data set, pays for nothing twice, and does not train."""

import datetime as dt

import dagster as dg
import pytest

from bioinstruct_dagster.automation.schedules import weekly_refresh
from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.store.database import Store

COUNTS = """
    select
        (select count(*) from completions where purpose = 'generation') as completions,
        (select count(distinct completion_id) from completions where purpose = 'generation')
            as different,
        (select count(*) from hf_dataset) as rows
"""


@pytest.fixture
def tick(settings):
    """The run request of one tick on a Monday."""
    context = dg.build_schedule_context(
        scheduled_execution_time=dt.datetime(2026, 11, 23, 6, tzinfo=dt.UTC),
        resources={"settings": settings.changed(refresh_instructions=8)},
    )
    return weekly_refresh(context)


def test_it_is_off_until_switched_on():
    assert weekly_refresh.default_status == dg.DefaultScheduleStatus.STOPPED


def test_it_reaches_the_data_set_and_stops_before_training(settings):
    defs = build_defs(settings)
    job = defs.resolve_job_def(weekly_refresh.job_name)
    steps = {key.to_user_string() for key in job.asset_layer.selected_asset_keys}
    assert "hf_dataset" in steps
    assert not steps & {"lora_adapter", "eval_scores"}


def test_a_tick_grows_the_data_set_and_pays_only_for_new_rows(settings, tick):
    settings = settings.changed(requests=None, instructions=30)
    job = build_defs(settings).resolve_job_def("data_set")
    store = Store(settings.store.path)
    with dg.instance_for_test() as instance:
        assert job.execute_in_process(instance=instance).success
        before = store.rows(COUNTS)[0]
        assert job.execute_in_process(instance=instance, run_config=tick.run_config).success
        after = store.rows(COUNTS)[0]
        assert after["rows"] >= before["rows"] + 8
        assert before["completions"] < after["completions"] == after["different"]
        # A plain run afterwards keeps what the refresh added, and asks for nothing.
        assert job.execute_in_process(instance=instance).success
        assert store.rows(COUNTS)[0] == after


def test_two_ticks_are_two_runs(settings, tick):
    later = dg.build_schedule_context(
        scheduled_execution_time=dt.datetime(2026, 11, 30, 6, tzinfo=dt.UTC),
        resources={"settings": settings},
    )
    assert weekly_refresh(later).run_key != tick.run_key
