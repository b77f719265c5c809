"""The marks of gates on rows of the set are counted for the card as for the report."""

import pytest

from bioinstruct_dagster.curation.privacy.gate import DOUBTFUL_RULES
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


@pytest.mark.parametrize("rule", DOUBTFUL_RULES)
def test_a_doubtful_detail_alone_is_no_identifier_that_was_let_stay(
    store, settings, dataset_rows, rule
):
    place(store, settings, dataset_rows)
    store.replace({"verdicts": [finding(dataset_rows[0], "privacy", rule, "flag")]})
    (said,) = marked_rows(store, "hf_dataset")
    assert said.startswith("privacy: 1 of the rows hold")
    assert "let stay" not in said
    assert (rule in said) == (rule != "placeholder_person")


def test_an_identifier_that_was_let_stay_is_told_apart_from_a_doubtful_detail(
    store, settings, dataset_rows
):
    place(store, settings, dataset_rows)
    found = [
        finding(dataset_rows[0], "privacy", "mrn", "flag"),
        finding(dataset_rows[1], "privacy", "possible_date", "flag"),
    ]
    store.replace({"verdicts": found})
    said = " ".join(marked_rows(store, "hf_dataset"))
    assert "let stay (BIOINSTRUCT_PRIVACY=flag): mrn." in said
    assert "identifies nobody by itself: possible_date." in said
