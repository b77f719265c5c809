"""The weekly refresh: it grows the data set, pays for nothing twice, and does not train."""

import datetime as dt

import dagster as dg
import pytest

from bioinstruct_dagster.automation.run_estimates import BASIS_TAG, GPU_HOURS_TAG, USD_TAG
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


def tick_of(settings, store, day=23):
    """What a tick on a Monday asks for."""
    context = dg.build_schedule_context(
        scheduled_execution_time=dt.datetime(2026, 11, day, 6, tzinfo=dt.UTC),
        resources={"settings": settings, "store": store},
    )
    return weekly_refresh(context)


@pytest.fixture
def tick(settings, store):
    """The run request of one tick on a Monday."""
    return tick_of(settings.changed(refresh_instructions=8), store)


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


def test_two_ticks_are_two_runs(settings, store, tick):
    assert tick_of(settings, store, 30).run_key != tick.run_key


def test_an_imported_set_does_not_grow(settings, store):
    answer = tick_of(settings.changed(import_="rows.jsonl"), store)
    assert isinstance(answer, dg.SkipReason)
    assert "BIOINSTRUCT_IMPORT is set" in answer.skip_message


def test_the_tags_say_that_a_rehearsal_costs_nothing(tick):
    assert tick.tags[USD_TAG] == "0 (rehearsal)"
    assert tick.tags[GPU_HOURS_TAG] == "0 (nothing is trained)"


def test_the_dollars_are_those_of_the_kept_rows_so_far(settings, store):
    paid = settings.changed(teacher="openai", openai_api_key="sk-test", refresh_instructions=50)
    assert tick_of(paid, store).tags[USD_TAG] == "unknown"
    store.replace({})
    assert tick_of(paid, store).tags[USD_TAG] == "unknown"
    job = build_defs(settings.changed(instructions=20)).resolve_job_def("data_set")
    with dg.instance_for_test() as instance:
        assert job.execute_in_process(instance=instance).success
    # As if a paid model had written these rows for two dollars, and labelled them for another.
    with store.write() as connection:
        connection.execute(
            "update completions set teacher = 'openai', model_asked = $model, usd = 0",
            {"model": paid.teacher.model},
        )
        connection.execute(
            "update completions set usd = 3 where completion_id = "
            "(select min(completion_id) from completions)"
        )
    [kept] = store.rows("select count(*) as rows from categorized_instructions")
    tags = tick_of(paid, store).tags
    assert float(tags[USD_TAG]) == pytest.approx(3 / kept["rows"] * 50, abs=0.01)
    assert f"mean price of {kept['rows']} kept rows" in tags[BASIS_TAG]
