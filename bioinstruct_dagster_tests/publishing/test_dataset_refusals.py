"""A data set is refused for each reason, by a sentence that says what to do."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bioinstruct_dagster.dataset.build import shards_of
from bioinstruct_dagster.dataset.origins import REHEARSED_LABELLER
from bioinstruct_dagster.models.current_dataset import NO_DATA_SET
from bioinstruct_dagster.publishing.check_states import CheckState
from bioinstruct_dagster.publishing.dataset_refusals import (
    NO_LICENCE,
    dataset_refusals,
)
from bioinstruct_dagster_tests.publishing.made_dataset import (
    licensed,
    made_dataset,
    made_rows,
    rejected_by_review,
)


@pytest.fixture
def chosen(settings, hugging_face):
    """Settings with a licence."""
    return licensed(settings)


def rewritten(path, change):
    """Change the first row of a Parquet file."""
    rows = pq.read_table(path).to_pylist()
    rows[0] |= change
    pq.write_table(pa.Table.from_pylist(rows), path)


def test_a_sound_set_with_a_licence_may_be_published(store, chosen):
    made_dataset(store, chosen)
    passed = [CheckState("hf_dataset", "sound", passed=True)]
    assert dataset_refusals(store, chosen, passed) == []


def test_without_a_data_set_nothing_else_is_said(store, chosen):
    store.replace({})
    assert dataset_refusals(store, chosen) == [NO_DATA_SET]


def test_without_a_licence_it_is_refused(store, settings, hugging_face):
    made_dataset(store, settings, licence="")
    assert dataset_refusals(store, settings) == [NO_LICENCE]


def test_a_licence_that_the_card_does_not_name_is_refused(store, chosen):
    made_dataset(store, chosen, licence="mit")
    (refusal,) = dataset_refusals(store, chosen)
    assert "names the licence mit, and BIOINSTRUCT_DATASET_LICENCE is cc-by-4.0" in refusal


def test_one_row_of_a_rehearsal_is_enough(store, chosen):
    rows = made_rows()
    rows[7]["rehearsal"] = True
    made_dataset(store, chosen, rows)
    (refusal,) = dataset_refusals(store, chosen)
    assert refusal.startswith("1 of 30 rows are marked rehearsal")
    assert "BIOINSTRUCT_TEACHER" in refusal


def test_a_category_of_the_rehearsal_teacher_is_enough(store, chosen):
    rows = made_rows()
    rows[3]["labelled_by"] = REHEARSED_LABELLER
    made_dataset(store, chosen, rows)
    (refusal,) = dataset_refusals(store, chosen)
    assert "categories of 1 of 30 rows are recorded labels" in refusal


def test_a_changed_row_on_the_disk_is_noticed(store, chosen):
    built = made_dataset(store, chosen)
    rewritten(shards_of(built.path, built.fingerprint)[0], {"output": "Something else."})
    rows, hashes = dataset_refusals(store, chosen)
    assert "The rows on the disk have changed" in rows
    assert "have other hashes than" in hashes


def test_a_mark_that_somebody_removed_on_the_disk_is_noticed(store, chosen):
    rows = made_rows(rehearsal=True)
    built = made_dataset(store, chosen, rows)
    for path in shards_of(built.path, built.fingerprint):
        cleaned = [row | {"rehearsal": False} for row in pq.read_table(path).to_pylist()]
        pq.write_table(pa.Table.from_pylist(cleaned), path)
    assert any("rows on the disk have changed" in one for one in dataset_refusals(store, chosen))


def test_another_version_in_the_folder_is_noticed(store, chosen):
    made_dataset(store, chosen)
    store.replace(
        {
            "hf_dataset": [
                {"row_id": "1", "split": "test", "category": "other", "rehearsal": False}
                | {"dataset_fingerprint": "f" * 64}
            ]
        }
    )
    found = dataset_refusals(store, chosen)
    assert any("does not hold the version ffffffffffff" in one for one in found)
    assert any("card of another version" in one for one in found)


def test_labelled_rows_that_are_newer_than_the_set_are_noticed(store, chosen):
    made_dataset(store, chosen)
    built = store.rows("select * from categorized_instructions")
    store.replace({"categorized_instructions": built[1:]})
    (refusal,) = dataset_refusals(store, chosen)
    assert "older than its labelled rows" in refusal


def test_rows_that_reviewers_rejected_are_refused_until_the_set_is_built_anew(store, chosen):
    made_dataset(store, chosen)
    rejected_by_review(store, "row-00003")
    (refusal,) = dataset_refusals(store, chosen)
    assert "holds 1 rows that reviewers reject" in refusal
    assert "Materialize key:hf_dataset again" in refusal
    labelled = store.rows("select * from categorized_instructions")
    made_dataset(store, chosen, [row for row in made_rows() if row["row_id"] != "row-00003"])
    store.replace({"categorized_instructions": labelled})  # it still holds the rejected row
    assert dataset_refusals(store, chosen) == []


def test_a_review_that_was_handed_in_and_not_read_is_refused(store, chosen):
    made_dataset(store, chosen)
    filled = chosen.store.data_dir / "review" / "filled"
    filled.mkdir(parents=True)
    said = {"item_id": "row-00003-12345678", "reviewer": "AB", "decision": "reject"}
    path = filled / "AB.json"
    path.write_text(json.dumps([said | {"reason": "unsafe"}]), "utf-8")
    (refusal,) = dataset_refusals(store, chosen)
    assert "has not read 1 judgement, of which 1 rejection, in AB.json" in refusal
    assert "dagster asset materialize" in refusal
    path.write_text("[{", "utf-8")
    (refusal,) = dataset_refusals(store, chosen)
    assert "nobody knows which rows the reviewers reject" in refusal
    assert str(path) in refusal


def test_a_category_that_a_reviewer_gave_later_is_noticed(store, chosen):
    made_dataset(store, chosen)
    rejected_by_review(store, "row-00003")
    [said] = store.rows("from review_results")
    human = {"excluded": False, "category": "question_answering", "labelled_by": "human:AB"}
    store.replace({"review_results": [said | {"decision": "accept"} | human]})
    (refusal,) = dataset_refusals(store, chosen)
    assert "The categories of 1 rows, or who gave them, have changed" in refusal


def test_a_missing_document_is_named(store, chosen):
    built = made_dataset(store, chosen)
    (built.path / "croissant.json").unlink()
    (refusal,) = dataset_refusals(store, chosen)
    assert "croissant.json" in refusal
    assert refusal.endswith("materialize key:hf_dataset and key:dataset_figures again.")


@pytest.mark.parametrize("name", ["README.md", "croissant.json", "datasheet.md"])
def test_a_deleted_document_is_named(store, chosen, name):
    built = made_dataset(store, chosen)
    (built.path / name).unlink()
    (refusal,) = dataset_refusals(store, chosen)
    assert refusal.startswith(f"{built.path / name} is missing. The project wrote it.")
    assert "materialize key:hf_dataset" in refusal


def test_files_that_are_no_parquet_are_named(store, chosen):
    built = made_dataset(store, chosen)
    shards_of(built.path, built.fingerprint)[0].write_bytes(b"no parquet")
    assert any("can't be read" in one for one in dataset_refusals(store, chosen))


def test_a_failed_check_refuses(store, chosen):
    made_dataset(store, chosen)
    failed = CheckState("hf_dataset", "folder_holds_the_table", passed=False)
    (refusal,) = dataset_refusals(store, chosen, [failed])
    assert "folder_holds_the_table of hf_dataset failed" in refusal
