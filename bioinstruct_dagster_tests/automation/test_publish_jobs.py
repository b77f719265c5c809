"""The jobs that publish, through the real graph and a local hub."""

import copy
import json

import dagster as dg
import huggingface_hub
import pyarrow.parquet as pq
import pytest

from bioinstruct_dagster.automation.run_endings import RunEnding
from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store import step_failures
from bioinstruct_dagster_tests.curation.imports import SOUND, Imported
from bioinstruct_dagster_tests.dataset.test_older_results import NEW, placed
from bioinstruct_dagster_tests.publishing.conftest import hub  # noqa: F401  # a fixture
from bioinstruct_dagster_tests.publishing.hub_server import TOKEN
from bioinstruct_dagster_tests.publishing.made_adapter import EXPERIMENT, made_adapter, made_matrix
from bioinstruct_dagster_tests.publishing.made_dataset import LICENCE

ASSETS = (
    "seed_tasks", "deduplicated_instructions", "categorized_instructions", "review_sample",
    "review_results", "hf_dataset",
)  # fmt: skip
QUESTION = (
    "A 54-year-old farmer has had a dry cough and fever for nine days after he cleaned a barn; "
    "which organism is the most likely cause of his pneumonia?"
)
ITEM = {"question": QUESTION, "options": {"A": "Coxiella burnetii", "B": "Candida albicans"},
        "answer": "Coxiella burnetii"}  # fmt: skip
REPEATED = (QUESTION, "", "Coxiella burnetii.")
LEAK = "kept_rows_are_no_evaluation_items of deduplicated_instructions failed"
KEY = "datasets/tester/set"
# What the blocking checks of adapters and scores want of a made adapter.
PROOF = """update lora_adapter set proof = '{"change": 1.0, "noise": 0.001}'"""
PREDICTIONS = """
    insert into eval_predictions by name
    select base_model, recipe, task, subject, range::varchar as item_id, 'A' as prediction,
        metric, '{}' as metrics, true as ended, 0 as tokens_lost, false as contaminated,
        false as rehearsal
    from eval_scores, range(100)
    where subject <> 'difference'
"""


class Publishing(Imported):
    """An imported set with all checks, and a job that publishes it."""

    def made(self):
        """Make the data set; each check has something to compare."""
        items = self.folder / "eval" / "medqa" / "items.jsonl"
        items.parent.mkdir(parents=True)
        items.write_text(json.dumps(ITEM), "utf-8")
        self.settings = self.settings.changed(
            eval_dir=self.folder / "eval", dataset_licence=LICENCE
        )
        assert self.run(SOUND, ASSETS, checked=True).success
        return self

    def publish(self, job="publish_dataset", **config):
        """Run the job in this instance."""
        step = job.replace("publish", "push")
        defs = build_defs(self.settings)
        return defs.resolve_job_def(job).execute_in_process(
            run_config={"ops": {step: {"config": config}}},
            instance=self.instance,
            raise_on_error=False,
        )


def why(result):
    """The message with which the only step failed."""
    (failure,) = result.get_step_failure_events()
    return failure.step_failure_data.error.message


def dry_run(project, said):
    """The last line of a dry run."""
    assert project.publish(repo_id="tester/set", dry_run=True).success
    return said[-1]


def ending(result):
    """The last line of the run."""
    found = RunEnding()
    for event in result.all_events:
        found.note(event)
    return found.line()


def outcome(result):
    """The metadata of the only step's output."""
    (event,) = [one for one in result.all_events if one.is_successful_output]
    return {name: value.value for name, value in event.event_specific_data.metadata.items()}


@pytest.fixture(scope="module")
def made(tmp_path_factory, hugging_face, experiments_file):
    """The project with a data set. The tests that make it anew are the last ones."""
    folder = tmp_path_factory.mktemp("made")
    settings = Settings.of(data_dir=folder / "data", experiments=experiments_file)
    return Publishing(settings, folder).made()


@pytest.fixture
def project(made):
    """The project with a data set, its instance, and settings of its own."""
    return copy.copy(made)


@pytest.fixture
def empty(settings, tmp_path):
    """The project without a data set."""
    return Publishing(settings, tmp_path)


@pytest.fixture
def said(monkeypatch):
    """The lines that a command prints last."""
    lines = []
    monkeypatch.setattr("bioinstruct_dagster.automation.publish_jobs.say_last", lines.append)
    monkeypatch.setattr(step_failures, "say_last", lines.append)
    return lines


def test_a_published_set_can_be_loaded_again(project, hub, said, tmp_path):  # noqa: F811
    result = project.publish(repo_id="tester/set")
    assert result.success
    commit, page = outcome(result)["commit"], outcome(result)["page"]
    assert page == f"{hub.address}/datasets/tester/set"
    assert said[-1] == ending(result) == f"Published: {page} (commit {commit})"
    assert hub.repositories[KEY].private
    folder = tmp_path / "copy"
    huggingface_hub.HfApi(endpoint=hub.address).snapshot_download(
        "tester/set", repo_type="dataset", revision=commit, local_dir=folder
    )
    rows = [
        row
        for path in sorted((folder / "data").glob("*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]
    assert {row["instruction"] for row in rows} == {row[0] for row in SOUND}
    assert not any(row["rehearsal"] for row in rows)
    assert f"license: {LICENCE}" in (folder / "README.md").read_text("utf-8")
    croissant = json.loads((folder / "croissant.json").read_text("utf-8"))
    assert croissant["url"] == page
    observed = project.instance.fetch_observations(dg.AssetKey("hf_dataset"), limit=1)
    assert observed.records[0].asset_observation.metadata["commit"].value == commit


def test_the_same_set_again_makes_no_commit(project, hub, said):  # noqa: F811
    project.publish(repo_id="tester/set")
    again = project.publish(repo_id="tester/set")
    assert again.success
    assert said[-1].startswith("Unchanged: ")
    assert len(hub.repositories[KEY].messages) == 2


def test_version_branch_and_message_are_the_user_s(project, hub, said):  # noqa: F811
    project.publish(
        repo_id="tester/set", private=False, revision="trial", commit_message="Ours",
        version="1.2.0",
    )  # fmt: skip
    repository = hub.repositories[KEY]
    assert (repository.private, repository.messages[-1]) == (False, "Ours")
    croissant = json.loads(repository.files("trial")["croissant.json"])
    assert croissant["version"] == "1.2.0"


def test_a_dry_run_lists_files_and_refusals_and_asks_nobody(
    project, hub, said, monkeypatch  # noqa: F811
):  # fmt: skip
    monkeypatch.delenv("HF_TOKEN")
    result = project.publish(repo_id="tester/set", dry_run=True)
    assert result.success
    assert said[-1].startswith(f"Dry run: nothing was sent. {hub.address}/datasets/tester/set")
    assert said[-1].endswith("Nothing speaks against it.")
    assert "README.md  " in said[-1]
    assert "README.md" in outcome(result)["files"]
    assert ending(result).startswith("Dry run: nothing was sent. Nothing speaks against it.")
    logged = project.instance.all_logs(result.run_id)
    assert any("no figures beside the card" in record.message for record in logged)
    project.settings = project.settings.changed(dataset_licence="")
    result = project.publish(repo_id="tester/set", dry_run=True)
    assert result.success
    assert "It would be refused:\n- No licence was chosen" in said[-1]
    assert "It would be refused: 1 reason, listed above." in ending(result)
    assert hub.asked == []


def test_a_card_that_was_changed_by_hand_is_published_and_told_of(
    project, hub, said  # noqa: F811
):  # fmt: skip
    card = project.settings.store.data_dir / "hf_dataset" / "README.md"
    written = card.read_text("utf-8")
    card.write_text(f"{written}\nWritten by hand.\n", "utf-8")
    try:
        assert project.publish(repo_id="tester/edited", dry_run=True).success
        assert f"{card} was changed after the project wrote it" in said[-1]
        result = project.publish(repo_id="tester/edited")
    finally:
        card.write_text(written, "utf-8")
    assert f"{card} was changed" in said[-1]
    assert f"{card} was changed" in ending(result)
    files = hub.repositories["datasets/tester/edited"].files("main")
    assert b"Written by hand." in files["README.md"]


def test_checks_judge_the_published_folder_and_not_the_one_that_dagster_last_saw(
    project, hub, said, tmp_path  # noqa: F811
):  # fmt: skip
    project.settings = project.settings.changed(data_dir=tmp_path / "contaminated")
    assert project.run([*SOUND, REPEATED], ASSETS, checked=True, contamination="flag").success
    assert LEAK in dry_run(project, said)
    # A clean folder of the same DAGSTER_HOME passes all checks, and says nothing of the other.
    contaminated = project.settings
    project.settings = contaminated.changed(data_dir=tmp_path / "clean")
    assert project.run(SOUND, ASSETS, checked=True).success
    assert dry_run(project, said).endswith("Nothing speaks against it.")
    project.settings = contaminated
    assert LEAK in dry_run(project, said)
    assert LEAK in why(project.publish(repo_id="tester/set"))
    assert hub.asked == []


def test_another_instance_and_missing_results_do_not_matter(project, hub, said):  # noqa: F811
    project.instance = dg.DagsterInstance.ephemeral()
    assert dry_run(project, said).endswith("Nothing speaks against it.")


def test_the_hub_s_failure_is_the_last_line_without_the_token(project, hub, said):  # noqa: F811
    hub.failures["commit"] = [500]
    result = project.publish(repo_id="tester/set")
    assert "Start the run again" in why(result)
    assert TOKEN not in why(result) + "".join(said)
    assert project.publish(repo_id="tester/set").success


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ({"repo_id": "set"}, "names no owner"),
        ({"repo_id": "tester/set", "version": "one"}, "three numbers with points"),
        ({"repo_id": "tester/set", "revision": ""}, "name of a branch"),
    ],
)
def test_a_wrong_config_is_named(empty, said, config, fault):
    assert fault in why(empty.publish(**config))


def test_an_adapter_is_published_with_its_scores(project, hub, said, tmp_path):  # noqa: F811
    matrix = made_matrix(tmp_path)
    project.settings = project.settings.changed(
        experiments=tmp_path / "experiments-of-a-real-model.yaml"
    )
    [fingerprint] = project.values("select distinct dataset_fingerprint from hf_dataset")
    folder = made_adapter(project.store, project.settings, matrix, fingerprint)
    to = {"repo_id": "tester/smol", "experiment": EXPERIMENT}
    refused = why(project.publish("publish_adapter", **to))
    assert "adapters_act_on_their_base of lora_adapter has not judged" in refused
    assert "every_score_has_its_items of eval_scores failed" in refused
    with project.store.write() as connection:
        connection.execute(PROOF)
        connection.execute(PREDICTIONS)
    result = project.publish("publish_adapter", **to)
    assert result.success
    held = hub.repositories["models/tester/smol"].files("main")
    assert {"adapter_model.safetensors", "README.md", ".eval_results/medqa.yaml"} <= set(held)
    assert said[-1].startswith(f"Published: {hub.address}/tester/smol (commit ")
    (folder / "adapter_model.safetensors").write_bytes(b"other weights")
    assert "adapters_are_intact of lora_adapter failed" in why(
        project.publish("publish_adapter", **to)
    )


def test_an_adapter_of_a_rehearsal_is_refused(
    empty, hub, said, store, tmp_path  # noqa: F811
):  # fmt: skip
    matrix = made_matrix(tmp_path)
    empty.settings = empty.settings.changed(
        experiments=tmp_path / "experiments-of-a-real-model.yaml"
    )
    store.replace({"hf_dataset": placed(NEW)})
    made_adapter(store, empty.settings, matrix, NEW, rehearsal=True)
    result = empty.publish("publish_adapter", repo_id="tester/smol", experiment=EXPERIMENT)
    assert "is marked rehearsal" in why(result)
    assert hub.asked == []


def test_no_selection_of_assets_publishes(settings):
    defs = build_defs(settings)
    names = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert not [name for name in names if "publish" in name]
    for name in ("publish_dataset", "publish_adapter"):
        job = defs.resolve_job_def(name)
        assert job.description
        assert not job.asset_layer.selected_asset_keys


def test_a_check_that_has_not_judged_refuses(project, hub, said):  # noqa: F811
    project.settings = project.settings.changed(eval_dir=project.folder / "nothing")
    assert project.run(None, ASSETS, checked=True).success
    result = project.publish(repo_id="tester/set")
    assert not result.success
    assert "kept_rows_are_no_evaluation_items of deduplicated_instructions has not" in why(result)
    assert "No file of an evaluation set is in" in why(result)
    assert hub.asked == []
