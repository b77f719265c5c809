"""The checks of adapters: missing, changed or diverged ones, and rows that were left out."""

import math

import dagster as dg
import pytest

from bioinstruct_dagster.models.adapters import WEIGHTS_FILE
from bioinstruct_dagster.models.encoding import LeftOutRow
from bioinstruct_dagster.store.fingerprints import sha256_of_file
from bioinstruct_dagster.training.checks import (
    adapters_act_on_their_base,
    adapters_are_intact,
    adapters_are_of_the_present_data_set,
    few_rows_are_left_out,
)
from bioinstruct_dagster.training.left_out import left_out_table

EXPERIMENT = "base|recipe"


@pytest.fixture
def folder(tmp_path):
    """An adapter's folder with a few bytes as weights."""
    folder = tmp_path / "data" / "adapters" / "base__recipe" / "key"
    folder.mkdir(parents=True)
    (folder / WEIGHTS_FILE).write_bytes(b"weights")
    return folder


@pytest.fixture
def write_row(store, folder):
    """Write the adapter's row, with changed columns."""

    def write(**change):
        texts = ("base_fingerprint", "dataset_fingerprint", "recipe_sha256", "prompt_version")
        row = dict.fromkeys(texts, "x") | {
            "base_model": "base",
            "recipe": "recipe",
            "adapter_sha256": sha256_of_file(folder / WEIGHTS_FILE),
            "adapter_path": "adapters/base__recipe/key",
            "train_rows": 1,
            "rows_left_out": 0,
            "rows_shortened": 0,
            "train_tokens": 1,
            "steps": 1,
            "first_loss": 2.0,
            "last_loss": 1.0,
            "losses": [2.0, 1.0],
            "validation_losses": [],
            "kept_update": 1,
            "proof": "{}",
            "run_facts": "{}",
            "train_seconds": 1.0,
            "device": "cpu",
            "rehearsal": True,
            "trained_at": "2025-01-01T00:00:00Z",
        }
        with store.write() as connection:
            columns = row | change
            names, marks = ", ".join(columns), ", ".join("?" * len(columns))
            statement = f"insert into lora_adapter ({names}) values ({marks})"
            connection.execute(statement, list(columns.values()))

    return write


def faults(store, settings):
    result = adapters_are_intact(store=store, settings=settings)
    found = result.metadata["faults"].value
    assert result.passed == (not found)
    return found


def test_an_intact_adapter_passes(store, settings, write_row):
    write_row()
    assert faults(store, settings) == {}


def test_missing_weights_are_named(store, settings, write_row, folder):
    write_row()
    (folder / WEIGHTS_FILE).unlink()
    assert "is missing" in faults(store, settings)[EXPERIMENT]


def test_changed_weights_are_named(store, settings, write_row, folder):
    write_row()
    (folder / WEIGHTS_FILE).write_bytes(b"weightz")
    assert "has changed" in faults(store, settings)[EXPERIMENT]


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_is_named(store, settings, write_row, loss):
    write_row(last_loss=loss)
    assert f"the last loss is {loss}" in faults(store, settings)[EXPERIMENT]


def test_an_adapter_outside_the_data_folder_is_named(store, settings, write_row, tmp_path):
    write_row(adapter_path=str(tmp_path / "old" / "adapters" / "base__recipe" / "other"))
    assert "is not in the data folder" in faults(store, settings)[EXPERIMENT]


def leave_out(store, rows, action="left_out", base_model="base"):
    """Write this many rows that were not trained on as a whole."""
    listed = [LeftOutRow(f"row-{number}", 900, 100 + number, action) for number in range(rows)]
    table = left_out_table(base_model, "recipe", listed, rehearsal=True)
    store.replace({"rows_left_out": table}, part={"base_model": base_model, "recipe": "recipe"})


@pytest.mark.parametrize(
    ("trained", "left_out", "passed"),
    [(100, 0, True), (199, 1, True), (100, 1, True), (99, 1, False), (198, 2, False)],
)
def test_one_row_in_a_hundred_left_out_is_warned_of(store, write_row, trained, left_out, passed):
    write_row(train_rows=trained)
    leave_out(store, left_out)
    result = few_rows_are_left_out(store=store)
    assert result.passed is passed
    assert result.severity == dg.AssetCheckSeverity.WARN


def test_the_warning_names_experiment_count_and_examples(store, write_row):
    write_row(train_rows=90)
    leave_out(store, 10)
    write_row(base_model="other", train_rows=10_000)
    leave_out(store, 1, base_model="other")
    description = few_rows_are_left_out(store=store).description
    assert description.startswith("base|recipe: 10 of 100 rows (10.0%)")
    assert "10 too long, 0 with a shortened input, 0 without an output" in description
    assert "row-9, row-8, row-7, row-6, row-5." in description
    assert "Raise `max_length`" in description
    assert "other" not in description


def test_a_shortened_row_was_trained_on_and_counts_all_the_same(store, write_row):
    write_row(train_rows=50)
    leave_out(store, 1, action="input_shortened")
    result = few_rows_are_left_out(store=store)
    assert "1 of 50 rows (2.0%)" in result.description
    assert "1 with a shortened input" in result.description


def test_without_adapters_nothing_is_judged(store, settings):
    store.replace({})
    for result in (
        few_rows_are_left_out(store=store),
        adapters_are_intact(store=store, settings=settings),
        adapters_are_of_the_present_data_set(store=store),
    ):
        assert not result.passed
        assert result.severity == dg.AssetCheckSeverity.WARN
        assert result.description.startswith("Not judged: The store holds no ")
        assert not result.metadata["judged"].value


def place(store, fingerprint):
    row = {"row_id": "1", "split": "train", "category": "other", "rehearsal": False}
    store.replace({"hf_dataset": [row | {"dataset_fingerprint": fingerprint}]})


def test_an_adapter_of_an_older_data_set_is_a_warning(store, write_row):
    write_row(dataset_fingerprint="a" * 64)
    write_row(recipe="other", dataset_fingerprint="b" * 64)
    place(store, "b" * 64)
    result = adapters_are_of_the_present_data_set(store=store)
    assert not result.passed
    assert result.severity == dg.AssetCheckSeverity.WARN
    assert "base|recipe: of an older data set (aaaaaaaaaaaa; the present one is" in (
        result.description
    )
    assert "base|other" not in result.description
    assert "Materialize key:lora_adapter" in result.description
    place(store, "a" * 64)
    assert "base|other" in adapters_are_of_the_present_data_set(store=store).description


def test_adapters_of_the_present_data_set_pass(store, write_row):
    write_row(dataset_fingerprint="a" * 64)
    place(store, "a" * 64)
    result = adapters_are_of_the_present_data_set(store=store)
    assert result.passed
    assert result.metadata["judged"].value


@pytest.mark.parametrize(("change", "passed"), [(0.5, True), (1e-6, False)])
def test_an_adapter_that_changes_no_more_than_rounding_fails(store, write_row, change, passed):
    write_row(proof=f'{{"change": {change}, "noise": 1e-5}}')
    result = adapters_act_on_their_base(store=store)
    assert result.passed is passed
    assert result.metadata["judged"].value
    assert ("retrain: true" in result.description) is not passed


def test_an_adapter_without_a_proof_is_not_judged(store, write_row):
    store.replace({})
    assert not adapters_act_on_their_base(store=store).metadata["judged"].value
    write_row(proof="{}")
    result = adapters_act_on_their_base(store=store)
    assert not result.metadata["judged"].value
    assert EXPERIMENT in result.description
