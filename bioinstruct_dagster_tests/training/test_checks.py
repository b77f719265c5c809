"""The check `adapters_are_intact`: it names each adapter that is missing, changed or diverged."""

import math

import pytest

from bioinstruct_dagster.models.adapters import WEIGHTS_FILE
from bioinstruct_dagster.store.fingerprints import sha256_of_file
from bioinstruct_dagster.training.checks import adapters_are_intact

EXPERIMENT = "base|recipe"


@pytest.fixture
def folder(tmp_path):
    """An adapter's folder with a few bytes as weights."""
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / WEIGHTS_FILE).write_bytes(b"weights")
    return tmp_path / "adapter"


@pytest.fixture
def write_row(store, folder):
    """Write the adapter's row, with changed columns."""

    def write(**change):
        texts = ("base_fingerprint", "dataset_fingerprint", "recipe_sha256", "prompt_version")
        row = dict.fromkeys(texts, "x") | {
            "base_model": "base",
            "recipe": "recipe",
            "adapter_sha256": sha256_of_file(folder / WEIGHTS_FILE),
            "adapter_path": str(folder),
            "train_rows": 1,
            "train_tokens": 1,
            "steps": 1,
            "first_loss": 2.0,
            "last_loss": 1.0,
            "losses": [2.0, 1.0],
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


def faults(store):
    result = adapters_are_intact(store=store)
    found = result.metadata["faults"].value
    assert result.passed == (not found)
    return found


def test_an_intact_adapter_passes(store, write_row):
    write_row()
    assert faults(store) == {}


def test_missing_weights_are_named(store, write_row, folder):
    write_row()
    (folder / WEIGHTS_FILE).unlink()
    assert "is missing" in faults(store)[EXPERIMENT]


def test_changed_weights_are_named(store, write_row, folder):
    write_row()
    (folder / WEIGHTS_FILE).write_bytes(b"weightz")
    assert "has changed" in faults(store)[EXPERIMENT]


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_is_named(store, write_row, loss):
    write_row(last_loss=loss)
    assert f"the last loss is {loss}" in faults(store)[EXPERIMENT]
