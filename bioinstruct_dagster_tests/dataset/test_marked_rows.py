"""The marks of gates on rows of the set are counted for the card as for the report."""

from bioinstruct_dagster.dataset.marked_rows import marked_rows
from bioinstruct_dagster_tests.dataset.placing import place
from bioinstruct_dagster_tests.test_report import finding


def test_each_kind_of_mark_is_counted_over_the_rows_of_the_table(store, settings, dataset_rows):
    place(store, settings, dataset_rows)
    gone = {"row_id": "gone"}
    found = [finding(row, "quality", "odd", "flag") for row in (*dataset_rows[:2], gone)]
    store.replace({"verdicts": [*found, finding(dataset_rows[3], "quality", "sound", "keep")]})
    said = ["quality: 2 of the rows are marked for a person to read: odd."]
    assert marked_rows(store, "categorized_instructions") == said
    assert marked_rows(store, "hf_dataset") == said
