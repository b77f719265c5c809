"""The asset graph beside its snapshot, so that every change of it shows as a readable diff."""

import difflib
import json

import dagster as dg
import pytest

from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster_tests.asset_graph import COMMAND, SNAPSHOT, graph_text
from bioinstruct_dagster_tests.conftest import CHAIN, REVIEW


def test_the_asset_graph_is_as_its_snapshot(settings):
    expected, found = SNAPSHOT.read_text("utf-8"), graph_text(build_defs(settings))
    diff = difflib.unified_diff(
        expected.splitlines(), found.splitlines(), "snapshot", "definitions", n=4, lineterm=""
    )
    if found != expected:
        pytest.fail(
            "The asset graph has changed:\n"
            + "\n".join(diff)
            + f"\n\nIf the change is meant, run `{COMMAND}` and commit the snapshot with it.",
            pytrace=False,
        )


def test_the_snapshot_tells_every_kind_of_definition(settings):
    snapshot = json.loads(SNAPSHOT.read_text("utf-8"))
    assert set(snapshot["assets"]) == {
        *CHAIN, *REVIEW, "judged_answers", "leaderboard", "category_ablation", "data_scaling",
        "study_report", "data_worth", "dataset_figures",
    }  # fmt: skip
    for kind in ("checks", "jobs", "schedules", "sensors", "resources"):
        assert snapshot[kind], kind


def small_defs(*, blocking=False, cron="0 6 * * 1", selection="first", **attributes):
    """Two assets, a check, a job and a schedule, with one attribute or another changed."""
    first = dg.asset(name="first", **attributes)(lambda: None)
    second = dg.asset(name="second", deps=[first])(lambda: None)
    job = dg.define_asset_job("job", selection=selection)

    @dg.asset_check(asset=first, blocking=blocking)
    def check() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    return dg.Definitions(
        assets=[first, second],
        asset_checks=[check],
        jobs=[job],
        schedules=[dg.ScheduleDefinition(job=job, cron_schedule=cron)],
    )


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"code_version": "2"}, '"code_version": "2"'),
        ({"group_name": "other"}, '"group": "other"'),
        ({"owners": ["team:other"]}, '"team:other"'),
        ({"kinds": {"duckdb"}}, '"duckdb"'),
        ({"pool": "gpu"}, '"pool": "gpu"'),
        ({"op_tags": {"size": "large"}}, '"size": "large"'),
        ({"config_schema": {"size": int}}, '"size": "Int, required"'),
        ({"required_resource_keys": {"store"}}, '"store"'),
        ({"partitions_def": dg.DailyPartitionsDefinition("2026-01-01")}, '"DailyPartitions'),
        ({"blocking": True}, '"blocking": true'),
        ({"cron": "0 7 * * 1"}, '"cron": "0 7 * * 1"'),
        ({"selection": ["first", "second"]}, '"second"'),
    ],
)
def test_a_change_shows_as_a_line_of_its_own(change, line):
    resources = {"resources": {"store": object()}}
    before = graph_text(dg.Definitions.merge(small_defs(), dg.Definitions(**resources)))
    after = graph_text(dg.Definitions.merge(small_defs(**change), dg.Definitions(**resources)))
    added = [entry[1:] for entry in difflib.ndiff(before.splitlines(), after.splitlines())
             if entry.startswith("+ ")]  # fmt: skip
    assert any(line in entry for entry in added)
    assert len(added) <= 6
