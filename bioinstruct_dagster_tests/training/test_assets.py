"""The steps of experiments: several partitions in one run, and what the event log holds of them.

The data set is made without the teacher. Training and scoring are real, in the model process.
"""

import dagster as dg
import pytest

from bioinstruct_dagster.dataset.older_results import OLDER_RESULT_CHECKS
from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.settings import PROJECT_ROOT, Settings
from bioinstruct_dagster.store.database import Store

# In the order of partitions: trained, passed over, failed, trained.
EXPERIMENTS = """
base_models:
  rehearsal-llama:
    source: rehearsal
    pretraining_steps: 3
    training: {learning_rate: 4.0e-3, epochs: 0.2, rows_per_update: 4}
recipes:
  all: {}
  large: {rows: 20000}
  broken: {target_modules: [no_such_layer]}
  other: {categories: [information_extraction]}
defaults: {lora_rank: 4, lora_alpha: 8, lora_dropout: 0.05, target_modules: all-linear,
           learning_rate: 3.0e-4, epochs: 1, rows_per_update: 4, warmup: 0.03,
           max_length: 256}
"""
MADE = ["rehearsal-llama|all", "rehearsal-llama|other"]
FINDINGS = ["leaderboard", "category_ablation", "data_scaling"]
PASSED_OVER, BROKEN = "rehearsal-llama|large-20k", "rehearsal-llama|broken"
RANGE = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


class Project:
    """A data set in a store, and the production graph over it."""

    def __init__(self, folder, built_dataset):
        experiments = folder / "experiments.yaml"
        experiments.write_text(EXPERIMENTS, "utf-8")
        self.settings = Settings.of(
            data_dir=folder / "data",
            experiments=experiments,
            eval_dir=folder / "eval",
            evaluate_tasks="held_out",
        )
        self.settings.store.data_dir.mkdir()
        (self.settings.store.data_dir / "hf_dataset").symlink_to(built_dataset.path)
        self.store = Store(self.settings.store.path)
        placed = [
            {name: row[name] for name in ("row_id", "split", "category", "rehearsal")}
            | {"dataset_fingerprint": built_dataset.fingerprint}
            for row in built_dataset.rows
        ]
        self.store.replace({"hf_dataset": placed})
        self.defs = build_defs(self.settings)
        self.instance = dg.DagsterInstance.ephemeral()
        self.instance.report_runless_asset_event(
            dg.AssetMaterialization("hf_dataset", tags={"dagster/data_version": "v1"})
        )

    def materialize(self, *names, partition=None, partitions=None):
        """Run the assets for one partition, or for a range of partitions."""
        tags = dict(zip(RANGE, partitions, strict=True)) if partitions else None
        return dg.materialize(
            [*self.defs.assets, *self.defs.asset_checks],
            selection=dg.AssetSelection.assets(*names),
            resources=self.defs.resources,
            partition_key=partition,
            tags=tags,
            instance=self.instance,
            raise_on_error=False,
        )

    def events(self, name):
        """The materializations of an asset in the event log, oldest first."""
        records = self.instance.fetch_materializations(dg.AssetKey(name), limit=100).records
        return [record.asset_materialization for record in reversed(records)]


def error_of(result, step):
    (failure,) = [e for e in result.get_step_failure_events() if e.step_key == step]
    return failure.step_failure_data.error.message


@pytest.fixture(scope="module")
def project(built_dataset, one_thread, tmp_path_factory):
    """One run over all four partitions of both assets."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        project = Project(tmp_path_factory.mktemp("project"), built_dataset)
        project.result = project.materialize(
            "lora_adapter", "eval_scores", partitions=(MADE[0], MADE[1])
        )
        yield project


def test_each_partition_that_was_made_is_materialized_once(project):
    assert [event.partition for event in project.events("lora_adapter")] == MADE


def test_the_store_names_each_adapter_in_the_data_folder_which_may_move(project):
    for row in project.store.rows("select adapter_path from lora_adapter"):
        assert row["adapter_path"].startswith("adapters/rehearsal-llama__")
        assert (project.settings.store.data_dir / row["adapter_path"] / "result.json").is_file()


def test_each_materialization_has_the_metadata_of_its_own_adapter(project):
    rows = {row["recipe"]: row for row in project.store.rows("select * from lora_adapter")}
    assert set(rows) == {"all", "other"}
    for event in project.events("lora_adapter"):
        row = rows[event.partition.partition("|")[2]]
        assert event.metadata["fingerprint"].text == row["adapter_sha256"]
        assert event.metadata["train rows"].value == row["train_rows"]
        assert "![Loss (nats" in event.metadata["summary"].md_str
        assert event.metadata["dagster/row_count"].value == 1
        assert event.tags["dagster/data_version"] == row["adapter_sha256"][:16]
        assert event.tags["dagster/partition/base_model"] == "rehearsal-llama"
    assert rows["all"]["train_rows"] > rows["other"]["train_rows"]


def test_the_page_of_an_adapter_shows_what_a_user_needs_first(project):
    metadata = project.events("lora_adapter")[0].metadata
    names = list(metadata)
    assert names[0] == "summary"
    assert names.index("path") < names.index("run") < names.index("card")
    assert metadata["first loss"].value == round(metadata["first loss"].value, 4)
    assert "| useful tokens a second | " in metadata["run"].md_str
    assert "| layers adapted | 28 |" in metadata["proof"].md_str
    assert "## How to load it" in metadata["card"].md_str
    assert {metadata["run"].md_str[:1], metadata["proof"].md_str[:1]} == {"|"}


def test_the_rows_left_out_are_listed_with_their_tokens(project):
    rows = project.store.rows("select * from lora_adapter where recipe = 'all'")
    metadata = project.events("lora_adapter")[0].metadata
    assert rows[0]["rows_left_out"] > 0
    table = metadata["first rows left out"].md_str.splitlines()
    assert table[0] == "| row_id | tokens | tokens_lost | action |"
    assert len(table) == 2 + min(10, rows[0]["rows_left_out"])


def test_the_step_fails_at_its_end_and_names_what_failed(project):
    assert not project.result.success
    message = error_of(project.result, "lora_adapter")
    assert "1 of 4 experiments could not be trained" in message
    assert f"- {BROKEN}: " in message
    assert "no_such_layer" in message
    assert PASSED_OVER not in message


def test_no_output_names_a_folder_of_this_machine_and_a_group_may_read_it(project):
    data_dir = project.settings.store.data_dir
    (data_dir / "new").touch()
    mode = (data_dir / "new").stat().st_mode
    files = [path for path in data_dir.rglob("*") if path.is_file()]
    assert any(path.name == "adapter_model.safetensors" for path in files)
    for path in files:
        assert path.stat().st_mode == mode, path
        content = path.read_bytes()
        for folder in (data_dir.parent, PROJECT_ROOT):
            assert str(folder).encode() not in content, path


def test_what_was_not_made_left_no_folder(project):
    adapters = project.settings.store.data_dir / "adapters"
    folders = {path.name for path in adapters.iterdir() if not path.name.startswith(".")}
    assert folders == {"rehearsal-llama__all", "rehearsal-llama__other"}


def test_a_partition_that_was_passed_over_is_a_success_and_skips_its_scores(project):
    result = project.materialize("lora_adapter", "eval_scores", partition=PASSED_OVER)
    assert result.success
    skipped = {e.step_key for e in result.all_events if e.event_type_value == "STEP_SKIPPED"}
    assert "eval_scores" in skipped
    assert PASSED_OVER not in {event.partition for event in project.events("lora_adapter")}


def test_a_failed_partition_alone_is_named(project):
    result = project.materialize("lora_adapter", partition=BROKEN)
    assert not result.success
    assert error_of(result, "lora_adapter").startswith(f"{BROKEN}: ")


def test_adapters_and_scores_of_a_range_are_made_in_one_run(project):
    counts = {name: len(project.events(name)) for name in ("lora_adapter", "eval_scores")}
    result = project.materialize("lora_adapter", "eval_scores", partitions=(MADE[0], PASSED_OVER))
    assert result.success
    for name, count in counts.items():
        (event,) = project.events(name)[count:]  # one event, although the run has two partitions
        assert event.partition == MADE[0]
    assert "| held_out | loss | all |" in event.metadata["scores"].md_str
    assert {e.asset_key.path[0] for e in result.get_asset_check_evaluations()} == set(counts)


def test_dagster_sees_that_a_partition_is_up_to_date_until_the_data_set_changes(project):
    assert status(project, "lora_adapter", MADE[0]) == "FRESH"
    project.instance.report_runless_asset_event(
        dg.AssetMaterialization("hf_dataset", tags={"dagster/data_version": "v2"})
    )
    assert status(project, "lora_adapter", MADE[0]) == "STALE"


def status(project, asset, partition):
    """What the UI shows: whether the partition is up to date with its inputs and its code."""
    from dagster._core.definitions.data_version import CachingStaleStatusResolver
    from dagster._core.loader import LoadingContextForTest

    resolver = CachingStaleStatusResolver(
        project.instance,
        project.defs.resolve_asset_graph(),
        LoadingContextForTest(project.instance),
    )
    return resolver.get_status(dg.AssetKey(asset), partition).value


@pytest.fixture(scope="module")
def study(project):
    """A run of the job `study` over a set of experiments that is no range."""
    counts = {
        name: len(project.events(name)) for name in ("lora_adapter", "eval_scores", *FINDINGS)
    }
    result = project.defs.resolve_job_def("study").execute_in_process(
        run_config={
            "ops": {
                "train_and_score": {
                    "config": {"experiments": ["*|other", BROKEN, "rehearsal-*|large-*"]}
                }
            }
        },
        instance=project.instance,
        raise_on_error=False,
    )
    new = {name: project.events(name)[count:] for name, count in counts.items()}
    return result, new


def test_a_study_trains_and_scores_any_set_of_experiments(study):
    _, new = study
    for name in ("lora_adapter", "eval_scores"):
        assert [event.partition for event in new[name]] == [MADE[1]]
    assert "dagster/input_event_pointer/lora_adapter" in new["eval_scores"][0].tags


def test_a_study_ends_with_findings_over_what_could_be_scored(project, study):
    _, new = study
    for name in FINDINGS:
        (event,) = new[name]
        assert event.partition is None
        assert "summary" in event.metadata
        assert event.tags["dagster/data_version"] == event.metadata["fingerprint"].text[:16]
    scored = project.store.rows("select distinct recipe from leaderboard")
    assert MADE[1].partition("|")[2] in {row["recipe"] for row in scored}


def test_a_study_judges_its_adapters_and_scores_as_a_materialization_does(project, study):
    result, _ = study
    judged = {
        "lora_adapter": ("adapters_are_intact", "adapters_act_on_their_base"),
        "eval_scores": ("every_score_has_its_items",),
    }
    for asset, names in judged.items():
        for name in (*names, OLDER_RESULT_CHECKS[asset]):
            key = dg.AssetCheckKey(dg.AssetKey(asset), name)
            storage = project.instance.event_log_storage
            (last,) = storage.get_asset_check_execution_history(key, limit=1)
            assert last.event.run_id == result.run_id
            assert last.event.dagster_event.asset_check_evaluation_data.passed


def test_a_study_fails_at_its_end_and_names_what_failed(study):
    result, _ = study
    assert not result.success
    message = error_of(result, "train_and_score")
    assert "1 of 3 experiments could not be trained" in message
    assert f"- {BROKEN}: " in message


def test_an_empty_list_of_experiments_is_refused_with_an_example(project):
    result = project.defs.resolve_job_def("study").execute_in_process(
        instance=project.instance, raise_on_error=False
    )
    assert "Write at least one name or pattern, such as" in error_of(result, "train_and_score")


def test_a_study_refuses_a_name_that_no_experiment_has(project):
    result = project.defs.resolve_job_def("study").execute_in_process(
        run_config={"ops": {"train_and_score": {"config": {"experiments": ["llama|al"]}}}},
        instance=project.instance,
        raise_on_error=False,
    )
    assert "'llama|al' stands for no experiment" in error_of(result, "train_and_score")
