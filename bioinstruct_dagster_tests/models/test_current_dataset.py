"""The data set that the store knows now."""

import pytest

from bioinstruct_dagster.dataset.version import DatasetVersion
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.current_dataset import current_dataset


def row(row_id, *, rehearsal):
    return {
        "row_id": row_id,
        "split": "train",
        "category": "other",
        "rehearsal": rehearsal,
        "dataset_fingerprint": "c" * 64,
    }


def test_one_rehearsal_row_makes_the_version_a_rehearsal(store, settings):
    store.replace({"hf_dataset": [row("1", rehearsal=False), row("2", rehearsal=True)]})
    expected = DatasetVersion(settings.store.data_dir / "hf_dataset", "c" * 64, rehearsal=True)
    assert current_dataset(store, settings) == expected


def test_without_a_data_set_the_command_that_makes_one_is_named(store, settings):
    store.replace({})
    with pytest.raises(StatedError, match="Materialize key:hf_dataset first"):
        current_dataset(store, settings)
