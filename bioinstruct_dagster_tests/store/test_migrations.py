"""A store of an earlier version: the first process that opens it keeps all paid results."""

from pathlib import Path

import duckdb
import pytest

from bioinstruct_dagster.store.database import SCHEMA_VERSION, Store
from bioinstruct_dagster.store.migrations import MIGRATIONS

HERE = Path(__file__).parent  # schema_2.sql and schema_3.sql: as those versions declared the tables

COMPLETION = """
    insert into completions by name select
        'paid' as completion_id, 'generation' as purpose, 'openai' as teacher, false as rehearsal,
        'gpt-4.1' as model_asked, '{}' as parameters, '[]' as messages,
        'json_schema' as reply_format, 'biomedical-self-instruct/2' as template_id,
        'abc' as template_sha256, 0 as draw, ['seed-1'] as seed_ids, 'the reply' as content,
        'online' as service, 1.25 as usd, now() as requested_at, now() as completed_at
"""
LABEL = """
    insert into category_labels by name select
        'key' as label_key, 'Name the drug.' as instruction, 'question_answering' as category,
        'openai' as teacher, 'gpt-4.1' as model, 'paid' as completion_id
"""
ROW = """
    insert into deduplicated_instructions by name select
        'row' as row_id, 0 as ordinal, 'i' as instruction, '' as input, 'o' as output,
        false as rehearsal
"""
# Columns that only one of the versions has, of labels and of rows.
OWN = {
    2: {"pass": "", "row": ", 0 as nearest_score"},
    3: {"pass": ", 1 as pass", "row": ", [] as repaired, [] as flags"},
}


def made_by(version, folder) -> Store:
    """A store of a version with a completion and a label that were paid for, and a curated row."""
    path = folder / "data" / "bioinstruct.duckdb"
    path.parent.mkdir()
    with duckdb.connect(path) as connection:
        connection.execute((HERE / f"schema_{version}.sql").read_text("utf-8"))
        connection.execute(f"insert into store_version values ({version})")
        connection.execute(COMPLETION)
        connection.execute(LABEL + OWN[version]["pass"])
        connection.execute(ROW + OWN[version]["row"])
    return Store(path, timeout=5.0)


@pytest.fixture(params=OWN)
def earlier(request, tmp_path) -> Store:
    """A store of each earlier version."""
    return made_by(request.param, tmp_path)


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


@pytest.mark.parametrize(("version", "rows"), [(2, 0), (3, 1)])
def test_curated_rows_of_version_2_are_made_anew(tmp_path, version, rows):
    store = made_by(version, tmp_path)
    assert len(store.rows("select * from deduplicated_instructions")) == rows


def test_a_migration_that_fails_leaves_the_store_as_it_was(tmp_path, monkeypatch):
    earlier = made_by(2, tmp_path)
    monkeypatch.setattr(
        "bioinstruct_dagster.store.database.MIGRATIONS", {2: (MIGRATIONS[2][0], "oops")}
    )
    with pytest.raises(duckdb.ParserException):
        earlier.rows("select 1")
    with duckdb.connect(earlier.path, read_only=True) as connection:
        assert connection.execute("select version from store_version").fetchall() == [(2,)]
        assert connection.execute("select count(*) from completions").fetchall() == [(1,)]


def test_scores_of_version_6_are_made_anew_and_adapters_are_kept(tmp_path):
    store = Store(tmp_path / "data" / "bioinstruct.duckdb", timeout=5.0)
    with store.write() as connection:
        connection.execute("drop table eval_scores")
        connection.execute("drop table eval_predictions")
        connection.execute("create table eval_scores (metric varchar not null)")
        connection.execute("create table eval_predictions (row_id varchar not null)")
        connection.execute("insert into eval_scores values ('loss')")
        connection.execute(
            "insert into rows_left_out values ('base', 'recipe', 'row', 1, 1, 'left_out', true)"
        )
        connection.execute("update store_version set version = 6")
    assert store.rows("select task, items from eval_scores") == []
    assert store.rows("select item_id from eval_predictions") == []
    assert len(store.rows("select * from rows_left_out")) == 1


def test_the_table_of_version_8_is_added(tmp_path):
    store = Store(tmp_path / "data" / "bioinstruct.duckdb", timeout=5.0)
    with store.write() as connection:
        connection.execute("drop table eval_class_counts")
        connection.execute("update store_version set version = 7")
    assert store.rows("select class from eval_class_counts") == []
