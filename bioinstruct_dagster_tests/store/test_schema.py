"""The comments of `schema.sql`, which the UI shows beside the columns of a table."""

import pytest

from bioinstruct_dagster.store.materialization import COLUMNS, column_schema
from bioinstruct_dagster.store.schema import column_notes

TABLES = """
    select table_name
    from information_schema.tables
    where table_type = 'BASE TABLE'
    order by table_name
"""


@pytest.fixture
def declared(store):
    """A store with all tables of the declaration, and no rows."""
    store.replace({})
    return store


def test_the_ui_shows_a_description_of_each_column_of_each_table(declared):
    tables = [row["table_name"] for row in declared.rows(TABLES)]
    assert len(tables) > 30
    for table in tables:
        found = declared.rows(COLUMNS, {"table": table})
        columns = {column["column_name"] for column in found}
        shown = {column.name: column.description for column in column_schema(found, table)}
        assert shown.keys() == columns
        assert not [name for name, text in shown.items() if not text], table
        assert column_notes(table).keys() == columns, table  # and none of another table


def test_a_note_is_the_comment_behind_its_column():
    assert column_notes("seed_tasks")["ordinal"] == "position in the file, from 0"
    assert column_notes("eval_items")["order"] == "number of the order of options, from 0"


def test_an_unknown_table_has_no_notes():
    assert column_notes("no_table") == {}
