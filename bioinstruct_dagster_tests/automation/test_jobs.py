"""The jobs that judge what is there: they make nothing, and report every check."""

import dagster as dg

from bioinstruct_dagster.automation.jobs import judged_by, stops
from bioinstruct_dagster.definitions import build_defs


def keys_of(checks, assets=None):
    specs = [spec for check in checks for spec in check.check_specs]
    return {
        spec.key for spec in specs if assets is None or spec.asset_key.to_user_string() in assets
    }


def test_the_job_of_checks_runs_all_of_them_and_makes_nothing(settings, store):
    store.replace({})
    defs = build_defs(settings)
    job = defs.resolve_job_def("checks")
    assert not job.asset_layer.executable_asset_keys & job.asset_layer.selected_asset_keys
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False)
        judged = {
            dg.AssetCheckKey(one.asset_key, one.check_name)
            for one in result.get_asset_check_evaluations()
        }
        assert judged == keys_of(defs.asset_checks)
        assert result.get_asset_materialization_events() == []


def test_a_step_without_assets_reports_the_checks_of_some(settings, store):
    store.replace({})
    checks = build_defs(settings).asset_checks
    assets = {"lora_adapter", "eval_scores"}
    found = list(judged_by(checks, assets, store, settings))
    assert {dg.AssetCheckKey(one.asset_key, one.check_name) for one in found} == keys_of(
        checks, assets
    )
    assert any(one.blocking for one in found)
    [intact] = [one for one in found if one.check_name == "adapters_are_intact"]
    assert intact.description.startswith("Not judged: The store holds no adapter.")


def test_a_check_that_could_not_judge_stops_no_study_and_one_that_failed_does(settings, store):
    store.replace({})
    assets = {"lora_adapter", "eval_scores"}
    found = list(judged_by(build_defs(settings).asset_checks, assets, store, settings))
    assert any(one.blocking and not one.passed for one in found)
    assert not any(map(stops, found))
    for blocking in (True, False):
        failed = dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey("eval_scores"),
            check_name="every_score_has_its_items",
            passed=False,
            severity=dg.AssetCheckSeverity.ERROR,
            metadata={},
            blocking=blocking,
        )
        assert stops(failed) == blocking
