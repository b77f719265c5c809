"""The asset `eval_scores`: real adapters, the real model process, and what is never asked twice.

Two adapters of one base model that differ only in their seed are trained once, on recorded rows.
"""

import json
import shutil
from pathlib import Path

import dagster as dg
import jsonschema
import pytest

from bioinstruct_dagster.dataset.older_results import OLDER_RESULT_CHECKS
from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.evaluation.cache.parts import parts_in
from bioinstruct_dagster.evaluation.exchange.files import DOCUMENTS
from bioinstruct_dagster.evaluation.planning import PARTS
from bioinstruct_dagster.models.compute.local import LocalLauncher
from bioinstruct_dagster.models.compute.travelling import TravellingLauncher
from bioinstruct_dagster.models.process.parent import ModelProcess
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster_tests.dataset.test_older_results import NEW, OLD, placed, score
from bioinstruct_dagster_tests.evaluation.exchange.made_scores import SCHEMA

EXPERIMENTS = """
base_models:
  rehearsal-llama:
    source: rehearsal
    pretraining_steps: 3
    training: {learning_rate: 4.0e-3, epochs: 0.2, rows_per_update: 4}
recipes:
  all: {seed: [1, 2]}
defaults: {lora_rank: 4, lora_alpha: 8, lora_dropout: 0.05, target_modules: all-linear,
           learning_rate: 3.0e-4, epochs: 1, rows_per_update: 4, warmup: 0.03,
           max_length: 256}
"""
KEYS = ["rehearsal-llama|all", "rehearsal-llama|all-s2"]
TASKS = "held_out,medqa,mednli,coreference"
ITEMS = 4


class CountedLauncher(LocalLauncher):
    """Starts processes of this machine, and counts them."""

    started = 0

    def job(self, order):
        type(self).started += 1
        return super().job(order)


class Project:
    """A data set in a store, and the production graph over it."""

    def __init__(self, folder, **changed):
        experiments = folder / "experiments.yaml"
        if not experiments.exists():
            experiments.write_text(EXPERIMENTS, "utf-8")
        values = {"evaluate_tasks": TASKS, "evaluation_items": ITEMS, "eval_dir": folder / "eval"}
        self.settings = Settings.of(
            data_dir=folder / "data", experiments=experiments, **values | changed
        )
        self.store = Store(self.settings.store.path)
        self.instance = dg.DagsterInstance.ephemeral()

    def with_data_set(self, built):
        self.settings.store.data_dir.mkdir()
        (self.settings.store.data_dir / "hf_dataset").symlink_to(built.path)
        placed = [
            {name: row[name] for name in ("row_id", "split", "category", "rehearsal")}
            | {"dataset_fingerprint": built.fingerprint}
            for row in built.rows
        ]
        self.store.replace({"hf_dataset": placed})
        return self

    def materialize(self, *names, partition=None, partitions=None, launcher=CountedLauncher):
        """The result, and how many model processes were started."""
        defs = build_defs(self.settings)
        CountedLauncher.started = 0
        tags = {}
        if partitions:
            tags["dagster/asset_partition_range_start"] = partitions[0]
            tags["dagster/asset_partition_range_end"] = partitions[-1]
        result = dg.materialize(
            [*defs.assets, *defs.asset_checks],
            selection=dg.AssetSelection.assets(*names),
            resources={**defs.resources, "process": ModelProcess(launcher)},
            partition_key=partition,
            tags=tags,
            instance=self.instance,
            raise_on_error=False,
        )
        return result, CountedLauncher.started

    def rows(self, statement):
        return self.store.rows(statement)


def error_of(result):
    (failure,) = [e for e in result.get_step_failure_events() if e.step_key == "eval_scores"]
    return failure.step_failure_data.error.message


@pytest.fixture(scope="module")
def trained(built_dataset, one_thread, tmp_path_factory):
    """Both adapters, trained and scored in one run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        project = Project(tmp_path_factory.mktemp("project")).with_data_set(built_dataset)
        trained, _ = project.materialize("lora_adapter", partitions=KEYS)
        assert trained.success
        project.result, project.processes = project.materialize("eval_scores", partitions=KEYS)
        assert project.result.success
        yield project


@pytest.fixture
def copied(trained, tmp_path):
    """The same project in a folder of its own, which a test may change."""
    shutil.copytree(trained.settings.store.data_dir, tmp_path / "data", symlinks=True)
    shutil.copy(trained.settings.models.experiments, tmp_path)
    return Project(tmp_path)


def test_one_process_scores_all_adapters_of_a_base_model(trained):
    assert trained.processes == 1
    events = trained.result.asset_materializations_for_node("eval_scores")
    assert [event.partition for event in events] == KEYS


def test_each_metric_has_three_subjects_with_interval_n_and_method(trained):
    rows = trained.rows("select * from eval_scores where task <> 'average'")
    assert {row["task"] for row in rows} == set(TASKS.split(","))
    groups = {}
    for row in rows:
        name = tuple(row[n] for n in ("recipe", "task", "metric", "category", "items"))
        groups.setdefault(name, {})[row["subject"]] = row
        assert row["n"] <= ITEMS
        assert row["method"]
        assert row["rehearsal"]
        assert (row["adapter_sha256"] is None) == (row["subject"] == "base")
    for subjects in groups.values():
        assert set(subjects) == {"base", "adapter", "difference"}
        difference = subjects["difference"]
        assert difference["score"] == pytest.approx(
            subjects["adapter"]["score"] - subjects["base"]["score"]
        )
        assert difference["p_holm"] >= difference["p_value"]
        assert subjects["base"]["p_value"] is None


def test_fixtures_are_marked_and_the_own_test_split_is_not_one(trained):
    sources = trained.rows("select distinct task, items_source from eval_scores order by task")
    assert {row["task"]: row["items_source"] for row in sources} == {
        "held_out": "own", "average": "fixture", "medqa": "fixture", "mednli": "fixture",
        "coreference": "fixture",
    }  # fmt: skip


def test_the_base_model_is_asked_once_for_all_of_its_adapters(trained):
    counts = trained.rows(
        "select subject = 'base' as base, count(*) as n, count(distinct subject) as subjects "
        "from eval_items group by all order by base"
    )
    adapters, base = counts
    assert base["n"] * 2 == adapters["n"]
    assert adapters["subjects"] == 2


def test_a_category_with_several_tasks_has_an_average_of_their_main_metrics(trained):
    rows = trained.rows(
        "select * from eval_scores where recipe = 'all' and category = 'extraction' "
        "and items = 'all' and subject <> 'difference'"
    )
    for subject in ("base", "adapter"):
        [average] = [r for r in rows if (r["task"], r["subject"]) == ("average", subject)]
        members = [r["score"] for r in rows if r["main"] and r["subject"] == subject]
        assert len(members) == 2
        assert average["score"] == pytest.approx(sum(members) / 2)
        assert average["n"] == 2 * ITEMS


def test_predictions_name_items_values_and_contamination(trained):
    rows = trained.rows("select * from eval_predictions")
    assert len(rows) == 2 * 2 * sum(
        row["n"] for row in trained.rows(
            "select task, max(n) as n from eval_scores where subject = 'base' "
            "and task <> 'average' group by task"
        )
    )  # fmt: skip
    for row in rows:
        metrics = json.loads(row["metrics"])
        assert row["value"] == metrics.get(row["metric"])
        assert not row["contaminated"]
        assert (row["chosen"] is None) == (row["task"] in {"held_out", "coreference"})
        assert row["answer_key"]


def test_the_page_shows_scores_tasks_and_contamination(trained):
    event = trained.result.asset_materializations_for_node("eval_scores")[0]
    table = event.metadata["scores"].md_str.splitlines()
    assert "| p (Holm) | detectable |" in table[0]
    assert any(line.startswith("| medqa |") for line in table)
    assert "fixture" in event.metadata["tasks"].md_str
    assert event.metadata["repeated items"].value == 0


def test_the_scores_stand_on_the_adapters_cards_and_in_the_shared_format(trained):
    data = trained.settings.store.data_dir
    for row in trained.rows("select adapter_path, recipe from lora_adapter"):
        card = (data / row["adapter_path"] / "README.md").read_text("utf-8")
        assert "\n| held_out | loss | " in card
        assert "model-index:" in card
        name = f"rehearsal-llama__{row['recipe']}"
        documents = list((data / DOCUMENTS).glob(f"*/{name}/*/*.json"))
        assert len(documents) == 2
        for path in documents:
            jsonschema.validate(json.loads(path.read_text("utf-8")), SCHEMA)
        assert not (data / row["adapter_path"] / ".eval_results").exists()  # it is a rehearsal


def test_checks_pass_but_for_what_a_tiny_adapter_can_not_do(trained):
    failed = {e.check_name for e in trained.result.get_asset_check_evaluations() if not e.passed}
    assert failed <= {"adapter_lowers_held_out_loss", "adapter_lowers_no_score"}


def test_experiments_that_differ_only_in_their_seed_get_a_score_over_seeds(trained):
    rows = trained.rows("select * from eval_scores_over_seeds")
    assert {row["task"] for row in rows} == set(TASKS.split(","))
    for row in rows:
        assert row["recipe"] == "all"
        assert row["recipes"] == ["all", "all-s2"]
        assert row["seeds"] == 2
    means = trained.rows(
        "select avg(score) as mean from eval_scores where task = 'held_out' and metric = 'loss' "
        "and subject = 'adapter' and category = 'all'"
    )
    [over] = [
        row
        for row in rows
        if (row["task"], row["metric"], row["subject"]) == ("held_out", "loss", "adapter")
    ]
    assert over["score"] == pytest.approx(means[0]["mean"])


def test_nothing_changed_starts_no_process_and_changes_nothing(copied, trained):
    before = copied.rows("select * from eval_scores order by all")
    result, processes = copied.materialize("eval_scores", partitions=KEYS)
    assert result.success
    assert processes == 0
    assert copied.rows("select * from eval_scores order by all") == before
    event = result.asset_materializations_for_node("eval_scores")[0]
    assert event.metadata["tasks computed"].value == 0
    first = trained.result.asset_materializations_for_node("eval_scores")[0]
    assert event.metadata["fingerprint"].text == first.metadata["fingerprint"].text


def test_scores_are_computed_again_without_a_model(copied):
    before = copied.rows("select * exclude (scored_at) from eval_scores order by all")
    copied.store.replace({"eval_scores": [], "eval_predictions": []})
    result, processes = copied.materialize("eval_scores", partitions=KEYS)
    assert result.success
    assert processes == 0
    assert copied.rows("select * exclude (scored_at) from eval_scores order by all") == before


def test_one_flipped_bit_of_an_adapter_has_no_stored_result(copied):
    [row] = copied.rows("select * from lora_adapter where recipe = 'all'")
    weights = copied.settings.store.data_dir / row["adapter_path"] / "adapter_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    result, processes = copied.materialize("eval_scores", partition=KEYS[0])
    assert not result.success
    assert "changed weights" in error_of(result)
    assert processes == 0  # it is refused by name before any model loads


def test_a_changed_task_is_asked_again_and_the_others_are_not(copied, tmp_path):
    tasks = Path(shutil.copytree(copied.settings.eval_sets.tasks, tmp_path / "tasks"))
    file = tasks / "coreference.yaml"
    text = file.read_text("utf-8")
    file.write_text(text.replace("version: 1", "version: 2", 1), "utf-8")
    known = {row["key"] for row in copied.rows("select key from eval_items")}
    changed = Project(tmp_path, evaluation_tasks=tasks)
    result, processes = changed.materialize("eval_scores", partition=KEYS[0])
    assert result.success
    assert processes == 1
    new = [r for r in changed.rows("select key, task from eval_items") if r["key"] not in known]
    assert {row["task"] for row in new} == {"coreference"}
    assert len(new) == 2 * ITEMS
    event = result.asset_materializations_for_node("eval_scores")[0]
    assert event.metadata["tasks computed"].value == 1


def test_parts_that_a_killed_run_left_are_not_asked_for_again(copied):
    rows = copied.rows("select * exclude (made_at) from eval_items")
    copied.store.replace({"eval_items": []})
    from bioinstruct_dagster.evaluation.cache.parts import write_part
    from bioinstruct_dagster.evaluation.tasks.item_results import ItemResult

    folder = copied.settings.store.data_dir / PARTS
    write_part([ItemResult(**row) for row in rows], folder / "left")
    result, processes = copied.materialize("eval_scores", partitions=KEYS)
    assert result.success
    assert processes == 0
    assert not list(parts_in(folder))


def test_another_machine_gives_the_same_scores_through_an_exchange(copied, tmp_path):
    columns = "select * exclude (scored_at) from eval_scores order by all"
    before = copied.rows(columns)
    copied.store.replace({"eval_items": [], "eval_scores": [], "eval_predictions": []})
    url = (tmp_path / "exchange").as_uri()
    result, processes = copied.materialize(
        "eval_scores",
        partitions=KEYS,
        launcher=lambda: TravellingLauncher(CountedLauncher(), url),
    )
    assert result.success
    assert processes == 1
    after = copied.rows(columns)
    assert len(after) == len(before)
    for ours, theirs in zip(before, after, strict=True):
        assert theirs["score"] == pytest.approx(ours["score"], abs=1e-6)
        assert theirs["scored_from"] == ours["scored_from"]
    assert not list(parts_in(copied.settings.store.data_dir / PARTS))


def test_one_adapter_that_is_gone_does_not_keep_the_other_from_its_scores(copied):
    [row] = copied.rows("select * from lora_adapter where recipe = 'all'")
    shutil.rmtree(copied.settings.store.data_dir / row["adapter_path"])
    result, _ = copied.materialize("eval_scores", partitions=KEYS)
    assert not result.success
    message = error_of(result)
    assert "1 of 2 experiments could not be scored" in message
    assert f"- {KEYS[0]}: There is no adapter at " in message


def test_a_task_that_is_not_there_is_refused_by_name(copied, tmp_path):
    wrong = Project(tmp_path, evaluate_tasks="held_out,medqua")
    result, processes = wrong.materialize("eval_scores", partition=KEYS[0])
    assert not result.success
    assert "BIOINSTRUCT_EVALUATE_TASKS: there is no evaluation task medqua" in error_of(result)
    assert processes == 0


def test_a_failed_run_does_not_hide_that_scores_are_older(tmp_path):
    """The run plans the check, fails, and never comes to it. The page keeps the warning."""
    project = Project(tmp_path)
    project.store.replace({"hf_dataset": placed(NEW), "eval_scores": [score(OLD)]})
    result, _ = project.materialize("eval_scores", partition=KEYS[0])
    assert not result.success
    key = dg.AssetCheckKey(dg.AssetKey("eval_scores"), OLDER_RESULT_CHECKS["eval_scores"])
    storage = project.instance.event_log_storage
    last, planned = storage.get_asset_check_execution_history(key, limit=2)
    assert planned.run_id == result.run_id
    assert (
        "of an older data set" in last.event.dagster_event.asset_check_evaluation_data.description
    )
