"""The check `folder_holds_the_table`: it fails if folder and table differ."""

import shutil

import pytest

from bioinstruct_dagster.dataset.checks import folder_holds_the_table


@pytest.fixture
def written(store, settings, built_dataset):
    """The built data set in the settings' data folder, and its rows in the store."""
    shutil.copytree(built_dataset.path, settings.store.data_dir / "hf_dataset")
    write_table(store, built_dataset, built_dataset.rows)
    return built_dataset


def write_table(store, built, rows):
    names = ("row_id", "split", "category", "rehearsal")
    fingerprint = {"dataset_fingerprint": built.fingerprint}
    store.replace({"hf_dataset": [{n: row[n] for n in names} | fingerprint for row in rows]})


def test_a_folder_with_the_tables_rows_passes(written, store, settings):
    result = folder_holds_the_table(store=store, settings=settings)
    assert result.passed
    assert result.metadata["rows_in_folder"].value == len(written.rows)
    assert result.metadata["empty_splits"].value == "none"


def test_a_row_that_the_folder_lacks_fails(written, store, settings):
    write_table(store, written, [*written.rows, written.rows[0] | {"row_id": "row-x"}])
    assert not folder_holds_the_table(store=store, settings=settings).passed


def test_a_row_in_another_split_fails(written, store, settings):
    first = written.rows[0]
    other = "test" if first["split"] == "train" else "train"
    write_table(store, written, [first | {"split": other}, *written.rows[1:]])
    assert not folder_holds_the_table(store=store, settings=settings).passed


def test_files_under_another_splits_name_are_misplaced(written, store, settings):
    data = settings.store.data_dir / "hf_dataset" / "data"
    (shard,) = data.glob("test-*.parquet")
    shard.rename(shard.with_name(shard.name.replace("test-", "validation-0-")))
    result = folder_holds_the_table(store=store, settings=settings)
    assert not result.passed
    assert result.metadata["misplaced"].value == written.sizes["test"]
