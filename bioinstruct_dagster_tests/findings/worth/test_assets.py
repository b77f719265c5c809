"""The asset `data_worth`: it is made alone, trains pairs of adapters, and stores a verdict.

Training and scoring are real, in the model process.
"""

import dagster as dg
import pytest

from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster_tests.conftest import TINY_EXPERIMENTS
from bioinstruct_dagster_tests.findings.worth.refreshed_store import FIRST, SECOND, refreshed


class Project:
    """A data set whose second half is a refresh, and the production graph over it."""

    def __init__(self, folder, built_dataset):
        (folder / "experiments.yaml").write_text(TINY_EXPERIMENTS, "utf-8")
        self.settings = Settings.of(
            data_dir=folder / "data", experiments=folder / "experiments.yaml"
        )
        self.settings.store.data_dir.mkdir()
        (self.settings.store.data_dir / "hf_dataset").symlink_to(built_dataset.path)
        self.store = Store(self.settings.store.path)
        self.rows = built_dataset.rows
        self.runs = {row["row_id"]: (FIRST, SECOND)[n % 2] for n, row in enumerate(self.rows)}
        placed = [
            {name: row[name] for name in ("row_id", "split", "category", "rehearsal")}
            | {"dataset_fingerprint": built_dataset.fingerprint}
            for row in self.rows
        ]
        refreshed(self.store, self.runs, placed)
        self.defs = build_defs(self.settings)
        self.instance = dg.DagsterInstance.ephemeral()

    def start(self):
        """Start the job `data_worth` with two seeds."""
        return self.defs.resolve_job_def("data_worth").execute_in_process(
            run_config={"ops": {"compare_arms": {"config": {"seeds": 2}}}},
            instance=self.instance,
            raise_on_error=False,
        )

    def event(self):
        """The last materialization."""
        return self.instance.get_latest_materialization_event(
            dg.AssetKey("data_worth")
        ).asset_materialization


@pytest.fixture(scope="module")
def project(built_dataset, tmp_path_factory):
    """The project, in which the job has run once."""
    made = Project(tmp_path_factory.mktemp("worth"), built_dataset)
    made.result = made.start()
    return made


def test_the_table_has_the_verdict_with_what_it_rests_on(project):
    assert project.result.success
    rows = {row["items"]: row for row in project.store.rows("select * from data_worth")}
    assert set(rows) == {"before", "added"}
    row = rows["before"]
    assert row["verdict"] in {"better", "tied", "worse"}
    assert rows["added"]["verdict"] is None
    assert row["ci_low"] < row["difference"] < row["ci_high"]
    assert row["seeds"] == len(row["by_seed"]) == 2
    assert len(set(row["adapters"])) == 4
    held_out = [
        one["row_id"]
        for one in project.rows
        if one["split"] != "train" and project.runs[one["row_id"]] == FIRST
    ]
    assert row["n"] == len(held_out)
    assert row["rehearsal"]
    assert row["prompt_version"].startswith("alpaca/")


def test_both_arms_learn_from_equally_many_tokens(project):
    row = project.store.rows("select * from data_worth")[0]
    assert row["train_tokens_with"] == pytest.approx(row["train_tokens_without"], rel=0.1)
    assert 0 < row["train_rows_added"] < row["train_rows_with"]


def test_the_page_begins_with_the_verdict_in_a_sentence(project):
    metadata = project.event().metadata
    assert next(iter(metadata)) == "summary"
    words = metadata["summary"].value.replace("\\\n", " ")
    assert "nats per token" in words
    assert "2 seeds" in words
    assert "![With minus without" in words
    assert len(words) < 1000  # Dagster shows it in place
    assert "of them its own" in metadata["about"].value.replace("\\\n", " ")


def test_the_check_has_judged(project):
    record = project.result.get_asset_check_evaluations()
    found = {one.check_name: one for one in record}
    assert found["refresh_did_no_harm"].severity.value == "WARN"
    assert found["data_worth_schema"].passed


def test_a_second_run_trains_nothing_again(project):
    before = project.store.rows("select adapters, difference from data_worth order by items")
    folders = sorted((project.settings.store.data_dir / "worth").glob("*/*/result.json"))
    times = [one.stat().st_mtime_ns for one in folders]
    assert project.start().success
    assert [one.stat().st_mtime_ns for one in folders] == times
    assert (
        project.store.rows("select adapters, difference from data_worth order by items") == before
    )


def test_its_adapters_are_no_adapters_of_experiments(project):
    assert len(list((project.settings.store.data_dir / "worth").glob("*/*/result.json"))) == 4
    assert not (project.settings.store.data_dir / "adapters").exists()
    assert not project.store.rows("select 1 from lora_adapter")


def test_a_run_that_selects_other_assets_leaves_it_out(project):
    before = project.event()
    result = dg.materialize(
        [*project.defs.assets],
        selection=["seed_tasks", "data_worth"],
        resources=project.defs.resources,
        instance=project.instance,
    )
    assert result.success
    assert project.event() == before
    assert not [
        one for one in result.get_asset_materialization_events()
        if one.asset_key == dg.AssetKey("data_worth")
    ]  # fmt: skip


def test_nothing_starts_it_by_itself(project):
    started = {one.job_name for one in project.defs.schedules or ()}
    for sensor in project.defs.sensors or ():
        started |= {target.job_name for target in sensor.targets}
    assert started
    assert "data_worth" not in started
