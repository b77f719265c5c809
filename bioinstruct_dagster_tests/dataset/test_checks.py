"""Folder and table hold the same rows, no task is in two splits, and the card is complete."""

import shutil

import pytest

from bioinstruct_dagster.dataset.checks import (
    card_is_complete,
    folder_holds_the_table,
    splits_are_disjoint_and_stable,
)


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


@pytest.fixture
def labelled(written, store):
    """The rows' texts in the store, beside their splits."""

    def write(*rows):
        names = ("instruction", "input", "output", "category", "labelled_by", "rehearsal", "row_id")
        texts = [
            {name: row[name] for name in names} | {"ordinal": i, "needs_review": False}
            for i, row in enumerate(rows)
        ]
        store.replace({"categorized_instructions": texts})
        write_table(store, written, rows)

    return write


def test_disjoint_splits_pass_in_words(written, store, labelled):
    labelled(*written.rows)
    result = splits_are_disjoint_and_stable(store=store)
    assert result.passed
    assert "no task is in two splits" in result.description


def test_a_task_in_two_splits_fails(written, store, labelled):
    first = written.rows[0]
    other = "test" if first["split"] == "train" else "train"
    twin = first | {"row_id": "twin", "split": other, "instruction": first["instruction"].upper()}
    labelled(*written.rows, twin)
    result = splits_are_disjoint_and_stable(store=store)
    assert not result.passed
    assert result.metadata["tasks in two splits"].value == 1
    assert result.metadata["moved rows"].value == 1
    assert "twin" in result.description
    assert "Materialize key:hf_dataset again." in result.description


def test_without_rows_the_splits_are_not_judged(store):
    store.replace({})
    assert not splits_are_disjoint_and_stable(store=store).metadata["judged"].value


def test_the_card_that_is_built_is_complete(written, settings):
    result = card_is_complete(settings=settings)
    assert result.passed, result.description


def test_a_card_that_is_no_text_is_a_warning(written, settings):
    (settings.store.data_dir / "hf_dataset" / "README.md").write_bytes(b"\xff")
    result = card_is_complete(settings=settings)
    assert not result.passed
    assert "no UTF-8 text" in result.description


def test_a_card_that_lacks_something_is_a_warning(written, settings):
    path = settings.store.data_dir / "hf_dataset" / "README.md"
    text = path.read_text("utf-8")
    path.write_text(text.replace("## Limits", "## Bias\n\n## Limits"), "utf-8")
    result = card_is_complete(settings=settings)
    assert not result.passed
    assert "The section Bias is empty." in result.description
    path.unlink()
    assert not card_is_complete(settings=settings).metadata["judged"].value
