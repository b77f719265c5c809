"""A backfill from the UI's grid: Dagster's own backfill daemon, code server and run launcher."""

import logging
import time

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.test_utils import create_test_daemon_workspace_context
from dagster._core.workspace.load_target import ModuleTarget
from dagster._daemon.backfill import execute_backfill_iteration

from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster_tests.training.test_assets import EXPERIMENTS

KEYS = ["rehearsal-llama|all", "rehearsal-llama|large-20k"]
ENDED = {
    BulkActionStatus.COMPLETED_SUCCESS, BulkActionStatus.COMPLETED_FAILED,
    BulkActionStatus.COMPLETED, BulkActionStatus.FAILED,
}  # fmt: skip


@pytest.fixture
def data_set(tmp_path, monkeypatch, built_dataset):
    """A user's folder with a data set, as the code server finds it."""
    experiments = tmp_path / "experiments.yaml"
    experiments.write_text(EXPERIMENTS, "utf-8")
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("BIOINSTRUCT_DATA_DIR", str(folder))
    monkeypatch.setenv("BIOINSTRUCT_EXPERIMENTS", str(experiments))
    monkeypatch.setenv("BIOINSTRUCT_EVALUATE_TASKS", "held_out")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (folder / "hf_dataset").symlink_to(built_dataset.path)
    placed = [
        {name: row[name] for name in ("row_id", "split", "category", "rehearsal")}
        | {"dataset_fingerprint": built_dataset.fingerprint}
        for row in built_dataset.rows
    ]
    Store(folder / "bioinstruct.duckdb").replace({"hf_dataset": placed})


@pytest.mark.slow
def test_a_backfill_of_neighbours_in_the_grid_is_one_run(data_set, tmp_path):
    coordinator = {"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"}
    target = ModuleTarget("bioinstruct_dagster.definitions", "defs", None, "bioinstruct_dagster")
    with (
        dg.instance_for_test(overrides={"run_coordinator": coordinator}) as instance,
        create_test_daemon_workspace_context(target, instance) as workspace,
    ):
        instance.report_runless_asset_event(dg.AssetMaterialization("hf_dataset"))
        instance.add_backfill(
            PartitionBackfill.from_asset_partitions(
                asset_graph=workspace.create_request_context().asset_graph,
                backfill_id="grid",
                tags={},
                backfill_timestamp=time.time(),
                asset_selection=[dg.AssetKey("lora_adapter"), dg.AssetKey("eval_scores")],
                partition_names=KEYS,
                dynamic_partitions_store=instance,
                all_partitions=False,
                title=None,
                description=None,
                run_config=None,
            )
        )
        deadline = time.monotonic() + 600
        while instance.get_backfill("grid").status not in ENDED:
            list(execute_backfill_iteration(workspace, logging.getLogger("backfill")))
            assert time.monotonic() < deadline, "the backfill did not end"
            time.sleep(1)
        (run,) = instance.get_runs()
        assert run.status == dg.DagsterRunStatus.SUCCESS
        for name in ("lora_adapter", "eval_scores"):
            records = instance.fetch_materializations(dg.AssetKey(name), limit=10).records
            (event,) = [record.asset_materialization for record in records]
            assert event.partition == KEYS[0]
            assert event.tags["dagster/backfill"] == "grid"
