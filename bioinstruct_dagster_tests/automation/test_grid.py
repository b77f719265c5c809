"""Backfills of a row, a column and a cell of the grid: how many runs, and what is done twice.

The backfills go through Dagster's own daemon code, code server and run launcher. Training and
scoring are real.
"""

import logging
import time

import dagster as dg
import pytest
from dagster._core.execution.backfill import PartitionBackfill
from dagster._core.test_utils import create_test_daemon_workspace_context
from dagster._core.workspace.load_target import ModuleTarget
from dagster._daemon.backfill import execute_backfill_iteration

from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster_tests.training.test_backfill import ENDED

EXPERIMENTS = """
base_models:
  a: {source: rehearsal, pretraining_steps: 3}
  b: {source: rehearsal, pretraining_steps: 4}
recipes:
  first: {categories: [information_extraction]}
  second: {categories: [question_answering]}
  third: {categories: [generation]}
defaults: {lora_rank: 4, lora_alpha: 8, lora_dropout: 0.05, target_modules: all-linear,
           learning_rate: 4.0e-3, epochs: 0.2, rows_per_update: 4, warmup: 0.03, max_length: 256}
"""
ASSETS = [dg.AssetKey("lora_adapter"), dg.AssetKey("eval_scores")]
# The backfills in their order, with the partitions of each run that they make.
BACKFILLS = {
    "row": (["a|first", "a|second"], 1),
    "column": (["a|second", "b|second"], 1),
    "cell": (["b|third"], 1),
    "scattered": (["a|third", "b|first"], 2),
}
PRETRAINED = "pre-training the embedded base model: step 1 of"


@pytest.fixture
def data_set(tmp_path, monkeypatch, built_dataset):
    """A user's folder with a data set, as the code server finds it."""
    (tmp_path / "experiments.yaml").write_text(EXPERIMENTS, "utf-8")
    folder = tmp_path / "data"
    folder.mkdir()
    for name, value in {
        "BIOINSTRUCT_DATA_DIR": folder,
        "BIOINSTRUCT_EXPERIMENTS": tmp_path / "experiments.yaml",
        "BIOINSTRUCT_EVALUATE_TASKS": "held_out",
        "BIOINSTRUCT_EVALUATION_ITEMS": 4,
        "OMP_NUM_THREADS": 1,
    }.items():
        monkeypatch.setenv(name, str(value))
    (folder / "hf_dataset").symlink_to(built_dataset.path)
    placed = [
        {name: row[name] for name in ("row_id", "split", "category", "rehearsal")}
        | {"dataset_fingerprint": built_dataset.fingerprint}
        for row in built_dataset.rows
    ]
    store = Store(folder / "bioinstruct.duckdb", timeout=30)
    store.replace({"hf_dataset": placed})
    return store


def backfill(instance, workspace, name, keys):
    """Make a backfill as the UI's grid does, and wait for its end."""
    instance.add_backfill(
        PartitionBackfill.from_asset_partitions(
            asset_graph=workspace.create_request_context().asset_graph,
            backfill_id=name,
            tags={},
            backfill_timestamp=time.time(),
            asset_selection=ASSETS,
            partition_names=keys,
            dynamic_partitions_store=instance,
            all_partitions=False,
            title=None,
            description=None,
            run_config=None,
        )
    )
    deadline = time.monotonic() + 900
    while instance.get_backfill(name).status not in ENDED:
        list(execute_backfill_iteration(workspace, logging.getLogger("backfill")))
        assert time.monotonic() < deadline, "the backfill did not end"
        time.sleep(1)
    return instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": name}))


def answers_of_bases(store):
    """How many answers of base models there are, and of how many different questions."""
    [found] = store.rows(
        "select count(*) as n, count(distinct key) as keys from eval_items where subject = 'base'"
    )
    return found["n"], found["keys"]


@pytest.mark.slow
def test_shared_work_is_done_once_in_a_row_a_column_and_a_cell(data_set):
    coordinator = {"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"}
    target = ModuleTarget("bioinstruct_dagster.definitions", "defs", None, "bioinstruct_dagster")
    made, pretrained, answered = set(), 0, {}
    with (
        dg.instance_for_test(overrides={"run_coordinator": coordinator}) as instance,
        create_test_daemon_workspace_context(target, instance) as workspace,
    ):
        instance.report_runless_asset_event(dg.AssetMaterialization("hf_dataset"))
        for name, (keys, wanted_runs) in BACKFILLS.items():
            runs = backfill(instance, workspace, name, keys)
            assert [run.status for run in runs] == [dg.DagsterRunStatus.SUCCESS] * wanted_runs
            made |= set(keys)
            for asset in ASSETS:
                assert instance.get_materialized_partitions(asset) == made
            lines = [r.message for run in runs for r in instance.all_logs(run.run_id)]
            pretrained += sum(line.startswith(PRETRAINED) for line in lines)
            answered[name], different = answers_of_bases(data_set)
            assert answered[name] == different  # no question was asked twice
    # Each base model is made once, however many runs and adapters use it, and asked once: its
    # answers come with the first backfill that needs it, and no later one adds any.
    assert pretrained == 2
    assert 0 < answered["row"] < answered["column"]
    assert answered["column"] == 2 * answered["row"]
    assert answered["cell"] == answered["scattered"] == answered["column"]
