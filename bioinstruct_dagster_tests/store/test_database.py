"""One process and its store: transactions, whole-table writes, and what is refused."""

import duckdb
import pytest

from bioinstruct_dagster.store.database import (
    SCHEMA_VERSION,
    Store,
    StoreBusyError,
    StoreError,
    insert,
)
from bioinstruct_dagster.teacher.asking_lock import asking_alone


def test_rows_written_are_read_back_as_they_were(store, seed_row):
    rows = [seed_row(i) for i in range(3)]
    rows[1]["output"] = "§ 3.5 µg\n| 'quoted' \"twice\"; -- \u2028 😀"
    store.replace({"seed_tasks": rows})
    assert store.rows("select * from seed_tasks order by ordinal") == rows


def test_replace_leaves_nothing_of_the_rows_before(store, seed_row, seed_ids):
    store.replace({"seed_tasks": [seed_row(i) for i in range(3)]})
    store.replace({"seed_tasks": [seed_row(7)]})
    assert seed_ids(store) == ["seed-0007"]
    store.replace({"seed_tasks": []})
    assert seed_ids(store) == []


def test_tables_are_replaced_together_or_not_at_all(store, seed_row, seed_ids):
    store.replace({"seed_tasks": [seed_row(1)]})
    with pytest.raises(StoreError, match="raw_instructions has no column nonsense"):
        store.replace({"seed_tasks": [seed_row(2)], "raw_instructions": [{"nonsense": 1}]})
    assert seed_ids(store) == ["seed-0001"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_exception_rolls_back(store, seed_row, seed_ids, error):
    store.replace({"seed_tasks": [seed_row(1)]})

    def write_and_fail():
        with store.write() as connection:
            connection.execute("delete from seed_tasks")
            insert(connection, "seed_tasks", [seed_row(2)])
            raise error

    with pytest.raises(error):
        write_and_fail()
    assert seed_ids(store) == ["seed-0001"]
    store.replace({"seed_tasks": [seed_row(3)]})
    assert seed_ids(store) == ["seed-0003"]


@pytest.mark.parametrize("earlier_writes", [0, 1, 2])
def test_rows_can_be_inserted_first_thing_in_a_transaction(
    store, seed_row, seed_ids, earlier_writes
):
    for _ in range(earlier_writes):
        store.replace({"seed_tasks": [seed_row(1)]})
    with store.write() as connection:
        insert(connection, "seed_tasks", [seed_row(2)])
    assert seed_ids(store)[-1] == "seed-0002"


def test_a_null_where_none_is_declared_is_refused(store, seed_row):
    row = seed_row(1)
    del row["output"]
    with pytest.raises(duckdb.ConstraintException, match="output"):
        store.replace({"seed_tasks": [row]})


def test_a_column_left_out_of_a_row_is_null(store, completion):
    from bioinstruct_dagster.store.journal import as_row

    row = as_row(completion(1))
    del row["usd"]
    with store.write() as connection:
        insert(connection, "completions", [row, as_row(completion(2))])
    found = store.rows("select usd from completions order by request_number")
    assert found == [{"usd": None}, {"usd": 0.5}]


def test_a_reader_cannot_write(store, seed_row, seed_ids):
    store.replace({"seed_tasks": [seed_row(1)]})
    with (
        store.read() as connection,
        pytest.raises(duckdb.InvalidInputException, match="read-only"),
    ):
        connection.execute("delete from seed_tasks")
    assert seed_ids(store) == ["seed-0001"]


def test_values_are_parameters_and_never_text_of_the_statement(store, seed_row):
    store.replace({"seed_tasks": [seed_row(1)]})
    hostile = "' or 1=1; drop table seed_tasks; --"
    statement = "select * from seed_tasks where seed_id = $id"
    assert store.rows(statement, {"id": hostile}) == []
    assert len(store.rows(statement, {"id": "seed-0001"})) == 1


@pytest.mark.parametrize("table", ["seed_tasks; drop table completions", "seed tasks", ""])
def test_what_is_no_table_name_is_refused(store, table):
    with pytest.raises(StoreError, match="not a table name"):
        store.replace({table: []})


def test_reading_before_anything_was_written_says_what_to_run(store):
    with pytest.raises(StoreError, match=r"no store at .*key:seed_tasks"):
        store.rows("select 1")
    assert not store.path.parent.exists()


@pytest.mark.parametrize("use", ["write", "read"])
def test_a_store_of_another_schema_is_refused_and_unchanged(store, seed_row, use):
    store.replace({"seed_tasks": [seed_row(1)]})
    with duckdb.connect(store.path) as connection:
        connection.execute("update store_version set version = version + 1")
    message = f"schema {SCHEMA_VERSION + 1}, .*schema {SCHEMA_VERSION}.*BIOINSTRUCT_DATA_DIR"
    with pytest.raises(StoreError, match=message):
        store.replace({"seed_tasks": []}) if use == "write" else store.rows("select 1")
    with duckdb.connect(store.path, read_only=True) as connection:
        assert connection.execute("select count(*) from seed_tasks").fetchone() == (1,)


@pytest.mark.parametrize("folder", ["data", "blocks", "clock"])
@pytest.mark.parametrize("use", ["write", "read"])
def test_a_file_that_is_no_database_is_called_that_and_not_busy(tmp_path, folder, use):
    path = tmp_path / folder / "bioinstruct.duckdb"
    path.parent.mkdir()
    path.write_text("This is no database.\n" * 100)
    store = Store(path, timeout=0.3)
    with pytest.raises(StoreError, match="not a valid DuckDB") as caught:
        store.replace({}) if use == "write" else store.rows("select 1")
    assert not isinstance(caught.value, StoreBusyError)
    assert path.read_text() == "This is no database.\n" * 100


def test_the_second_write_finds_the_schema_of_the_first(store, seed_row):
    store.replace({"seed_tasks": [seed_row(1)]})
    store.replace({"seed_tasks": [seed_row(2)]})
    assert store.rows("select version from store_version") == [{"version": SCHEMA_VERSION}]


def test_views_say_nothing_of_an_empty_store(store):
    store.replace({})
    assert [row["rows"] for row in store.rows("select rows from funnel")] == [0, 0, 0]
    assert store.rows("select * from lineage") == []


def test_replacing_a_part_leaves_the_other_rows(store, seed_row):
    first, second = seed_row(1) | {"category": "other"}, seed_row(2) | {"category": "generation"}
    store.replace({"seed_tasks": [first, second]})
    store.replace({"seed_tasks": [first | {"output": "new"}]}, part={"category": "other"})
    rows = store.rows("select seed_id, output from seed_tasks order by seed_id")
    assert [row["output"] for row in rows] == ["new", second["output"]]


def test_the_values_of_a_part_are_never_text_of_the_statement(store, seed_row):
    store.replace({"seed_tasks": [seed_row(1)]})
    store.replace({"seed_tasks": []}, part={"category": "' or 1=1; --"})
    assert len(store.rows("select * from seed_tasks")) == 1


@pytest.mark.parametrize(
    ("folder", "why"),
    [
        ("a file", "is a file, not a folder"),
        ("a file/below", "a part of the path is a file"),
        ("/proc/data", "does not exist"),
        ("x" * 300, "is longer than a path can be"),
        ("what?/data", "opens no path with a question mark"),
    ],
)
def test_a_data_folder_that_cannot_be_used_is_named_with_its_setting(tmp_path, folder, why):
    (tmp_path / "a file").write_text("text")
    store = Store(tmp_path / folder / "s.duckdb")

    def ask():
        with asking_alone(store):
            pass

    for use in (lambda: store.replace({}), ask):
        with pytest.raises(StoreError, match="BIOINSTRUCT_DATA_DIR") as caught:
            use()
        assert why in str(caught.value)
        assert str(tmp_path / folder) in str(caught.value)


def test_a_data_folder_without_write_permission_is_named(tmp_path):
    store = Store(tmp_path / "data" / "s.duckdb")
    store.path.parent.mkdir()
    # As root, no permission is missing, so a folder in the place of the lock stands for it.
    store.path.with_name("s.duckdb.lock").mkdir()
    with pytest.raises(StoreError, match=r"data can't be written .*BIOINSTRUCT_DATA_DIR"):
        store.replace({})


def test_reading_below_a_file_names_the_folder(tmp_path):
    (tmp_path / "a file").write_text("text")
    with pytest.raises(StoreError, match=r"is a file, not a folder.*BIOINSTRUCT_DATA_DIR"):
        Store(tmp_path / "a file" / "s.duckdb").rows("select 1")


@pytest.mark.parametrize("name", ["a b", "a#b", "a%20b", "a*b", "a'b", "a[b]", "ü", "a;b"])
def test_odd_names_of_the_data_folder_can_be_used(tmp_path, name):
    store = Store(tmp_path / name / "s.duckdb")
    store.replace({})
    assert store.rows("select 1 as one") == [{"one": 1}]


def test_a_column_may_have_one_value_for_all_rows(store, seed_row):
    rows = [seed_row(1), seed_row(2)]
    for row in rows:
        del row["output"]
    with store.write() as connection:
        insert(connection, "seed_tasks", rows, output="One.")
    assert store.rows("select output from seed_tasks") == [{"output": "One."}] * 2
