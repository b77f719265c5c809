"""A store of an earlier version: what was paid for is carried over, by whoever opens it first."""

from pathlib import Path

import duckdb
import pytest

from bioinstruct_dagster.store.database import SCHEMA_VERSION, Store
from bioinstruct_dagster.store.migrations import MIGRATIONS

VERSION_2 = Path(__file__).with_name("schema_2.sql")  # as that version declared its tables

COMPLETION = """
    insert into completions by name select
        'paid' as completion_id, 'generation' as purpose, 'openai' as teacher, false as rehearsal,
        'gpt-4.1' as model_asked, '{}' as parameters, '[]' as messages,
        'json_schema' as reply_format, 'biomedical-self-instruct/2' as template_id,
        'abc' as template_sha256, 0 as draw, ['seed-1'] as seed_ids, 'the reply' as content,
        'online' as service, 1.25 as usd, now() as requested_at, now() as completed_at
"""
LABEL = """
    insert into category_labels values
        ('key', 'Name the drug.', 'question_answering', 'openai', 'gpt-4.1', 'paid')
"""


@pytest.fixture
def earlier(tmp_path) -> Store:
    """A store of version 2 with a completion and a label that were paid for, and curated rows."""
    path = tmp_path / "data" / "bioinstruct.duckdb"
    path.parent.mkdir()
    with duckdb.connect(path) as connection:
        connection.execute(VERSION_2.read_text("utf-8"))
        connection.execute("insert into store_version values (2)")
        connection.execute(COMPLETION)
        connection.execute(LABEL)
        connection.execute(
            "insert into deduplicated_instructions values ('row', 0, 'i', '', 'o', null, 0, false)"
        )
    return Store(path, timeout=5.0)


def test_a_reader_finds_what_was_paid_for(earlier):
    assert earlier.rows("select completion_id, content, usd from completions") == [
        {"completion_id": "paid", "content": "the reply", "usd": 1.25}
    ]
    assert earlier.rows("select label_key, category, completion_id, pass from category_labels") == [
        {
            "label_key": "key",
            "category": "question_answering",
            "completion_id": "paid",
            "pass": 1,
        }
    ]


def test_a_writer_brings_the_tables_up_to_date(earlier):
    with earlier.write() as connection:
        [(version,)] = connection.execute("select version from store_version").fetchall()
    assert version == SCHEMA_VERSION
    assert earlier.rows("select * from verdicts") == []
    assert earlier.rows("select usd from spend") == [{"usd": 1.25}]


def test_the_tables_are_then_those_that_a_new_store_has(earlier, tmp_path):
    columns = """
        select table_name, column_name, data_type, is_nullable from information_schema.columns
        order by all
    """
    fresh = Store(tmp_path / "fresh" / "bioinstruct.duckdb")
    with fresh.write():
        pass
    assert earlier.rows(columns) == fresh.rows(columns)


def test_curated_rows_are_to_be_made_anew(earlier):
    assert earlier.rows("select * from deduplicated_instructions") == []


def test_a_migration_that_fails_leaves_the_store_as_it_was(earlier, monkeypatch):
    monkeypatch.setattr(
        "bioinstruct_dagster.store.database.MIGRATIONS", {2: (MIGRATIONS[2][0], "oops")}
    )
    with pytest.raises(duckdb.ParserException):
        earlier.rows("select 1")
    with duckdb.connect(earlier.path, read_only=True) as connection:
        assert connection.execute("select version from store_version").fetchall() == [(2,)]
        assert connection.execute("select count(*) from completions").fetchall() == [(1,)]
