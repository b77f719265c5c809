"""An adapter is refused for each reason, by a sentence that says what to do."""

import pytest

from bioinstruct_dagster.dataset.written_files import record_written
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.adapters import CONFIG_FILE, RESULT_FILE, WEIGHTS_FILE
from bioinstruct_dagster.models.experiments import read_experiments
from bioinstruct_dagster.publishing.adapter_refusals import adapter_named, adapter_refusals
from bioinstruct_dagster.publishing.check_states import CheckState
from bioinstruct_dagster_tests.dataset.test_older_results import NEW, OLD, placed
from bioinstruct_dagster_tests.publishing.made_adapter import EXPERIMENT, made_adapter, made_matrix


@pytest.fixture
def present(store):
    """A store whose data set has the fingerprint NEW."""
    store.replace({"hf_dataset": placed(NEW)})
    return store


@pytest.fixture
def refusals(present, settings, tmp_path):
    """Make an adapter, perhaps spoil its folder, and return what speaks against it."""

    def made(fingerprint=NEW, *, licence="apache-2.0", spoil=None, checks=(), **changed):
        matrix = made_matrix(tmp_path, licence)
        folder = made_adapter(present, settings, matrix, fingerprint, **changed)
        if spoil:
            spoil(folder)
        named = adapter_named(EXPERIMENT, present, settings, matrix)
        return adapter_refusals(named, present, checks)

    return made


def test_a_sound_adapter_may_be_published(refusals):
    assert refusals(checks=[CheckState("lora_adapter", "sound", passed=True)]) == []


def test_an_adapter_of_a_rehearsal_is_refused(refusals):
    (refusal,) = refusals(rehearsal=True)
    assert refusal.startswith("The adapter smol|all is marked rehearsal, because the data set has")


def test_an_unmarked_store_does_not_hide_the_mark_of_the_result(present, settings, tmp_path):
    matrix = made_matrix(tmp_path)
    made_adapter(present, settings, matrix, NEW, rehearsal=True)
    present.replace(
        {
            "lora_adapter": [
                row | {"rehearsal": False} for row in present.rows("select * from lora_adapter")
            ]
        }
    )
    named = adapter_named(EXPERIMENT, present, settings, matrix)
    assert "is marked rehearsal" in adapter_refusals(named, present)[0]


def test_scores_on_fixtures_are_refused_with_their_tasks(refusals):
    (refusal,) = refusals(scores={"source": "fixture"})
    assert "their items are fixtures: medqa" in refusal
    assert "BIOINSTRUCT_EVALUATE_TASKS" in refusal


def test_an_unknown_licence_is_refused(refusals):
    (refusal,) = refusals(licence=None)
    assert "licence of the base model smol is not known" in refusal
    assert "BIOINSTRUCT_EXPERIMENTS" in refusal


def test_results_on_an_older_data_set_are_refused(refusals):
    (refusal,) = refusals(OLD)  # one reason, one sentence, one command
    assert "eval_scores" in refusal
    assert "lora_adapter" in refusal
    assert "smol|all: of an older data set" in refusal
    assert refusal.endswith("--partition 'smol|all'")


def test_scores_of_an_earlier_adapter_are_refused(present, settings, tmp_path):
    matrix = made_matrix(tmp_path)
    made_adapter(present, settings, matrix, NEW)
    rows = present.rows("select * from eval_scores")
    other = [row | {"adapter_sha256": row["adapter_sha256"] and "0" * 64} for row in rows]
    present.replace({"eval_scores": other})
    named = adapter_named(EXPERIMENT, present, settings, matrix)
    (refusal,) = adapter_refusals(named, present)
    assert "trained again since then" in refusal


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / WEIGHTS_FILE).write_bytes(b"other"), "another sha256"),
        (lambda folder: (folder / WEIGHTS_FILE).unlink(), "adapter_model.safetensors is missing"),
        (lambda folder: (folder / CONFIG_FILE).unlink(), "adapter_config.json is missing"),
        (lambda folder: (folder / RESULT_FILE).unlink(), "result file"),
        (
            lambda folder: (
                record_written(folder, [CONFIG_FILE]),
                (folder / CONFIG_FILE).write_text("{}", "utf-8"),
            ),
            "adapter_config.json was changed after training",
        ),
        (
            lambda folder: (folder / RESULT_FILE).write_text(
                (folder / RESULT_FILE).read_text().replace("smol|all", "other|all")
            ),
            "result file",
        ),
    ],
)
def test_files_that_are_not_the_store_s_are_noticed(refusals, spoil, said):
    (refusal,) = refusals(spoil=spoil)
    assert said in refusal


def test_a_card_that_is_gone_is_named(refusals):
    (refusal,) = refusals(
        spoil=lambda folder: (
            record_written(folder, [CONFIG_FILE, "README.md"]),
            (folder / "README.md").unlink(),
        )
    )
    assert "README.md is missing. The project wrote it." in refusal
    assert "key:lora_adapter" in refusal


def test_a_failed_check_refuses(refusals):
    (refusal,) = refusals(checks=[CheckState("lora_adapter", "intact", passed=False)])
    assert "intact of lora_adapter failed" in refusal


@pytest.mark.parametrize("name", ["", "smol|none", "smol"])
def test_an_unknown_experiment_is_named(present, settings, tmp_path, name):
    with pytest.raises(StatedError):
        adapter_named(name, present, settings, made_matrix(tmp_path))


def test_an_experiment_without_adapter_is_named(present, settings, tmp_path):
    with pytest.raises(StatedError, match=r"holds no adapter of smol\|all"):
        adapter_named(EXPERIMENT, present, settings, made_matrix(tmp_path))


def test_a_pattern_that_matches_several_experiments_is_refused(present, settings):
    matrix = read_experiments(settings.models.experiments)
    with pytest.raises(StatedError, match="matches 2 experiments"):
        adapter_named("rehearsal-llama|*", present, settings, matrix)
