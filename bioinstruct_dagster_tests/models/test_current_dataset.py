"""The data set that the store knows now."""

import pytest

from bioinstruct_dagster.dataset.version import DatasetVersion
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.current_dataset import current_dataset
from bioinstruct_dagster_tests.dataset.placing import place


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


def test_the_version_says_where_its_rows_come_from(store, settings, hugging_face, dataset_rows):
    hashed = "import:set.csv@0123456789ab"
    rows = [row | {"rehearsal": False, "source": hashed} for row in dataset_rows[:20]]
    place(store, settings, [*rows, *dataset_rows[20:]])
    found = current_dataset(store, settings)
    assert found.imported
    assert found.rehearsal
    words = (
        "60 rows (mixed, 40 replayed by the rehearsal teacher, 20 imported from {} (sha256 begins "
        "with 0123456789ab)); the categories of 60 are recorded labels"
    )
    assert found.origin == words.format("the file `set.csv`")
    store.replace({"raw_instructions": []})  # its name is nowhere in the files
    assert current_dataset(store, settings).origin == words.format("a file")


def test_without_a_data_set_the_command_that_makes_one_is_named(store, settings):
    store.replace({})
    with pytest.raises(StatedError, match="Materialize key:hf_dataset first"):
        current_dataset(store, settings)
