"""The comments of `schema.sql`, which the UI shows beside the columns of a table."""

import pytest

from bioinstruct_dagster.store.schema import column_notes
from bioinstruct_dagster_tests.conftest import CHAIN


@pytest.mark.parametrize("table", CHAIN)
def test_each_column_of_an_asset_has_a_note_or_a_plain_name(store, seed_row, table):
    store.replace({"seed_tasks": [seed_row(1)]})
    columns = {column["column_name"] for column in store.rows(f"describe {table}")}
    plain = {"category", "device", "rehearsal", "trained_at", "scored_at"}
    assert set(column_notes(table)) <= columns
    assert columns - set(column_notes(table)) <= plain


def test_a_note_is_the_comment_behind_its_column():
    assert column_notes("seed_tasks")["ordinal"] == "position in the file, from 0"


def test_an_unknown_table_has_no_notes():
    assert column_notes("no_table") == {}
