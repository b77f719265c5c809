"""The schema check passes on tables of the project and fails on any other table."""

import pytest

from bioinstruct_dagster.store.schema_checks import schema_check

check = schema_check("seed_tasks", ("seed_id",))


@pytest.fixture
def written(store, seed_row):
    store.replace({"seed_tasks": [seed_row(1), seed_row(2)]})
    return store


def test_a_table_as_declared_passes(written):
    result = check(store=written)
    assert result.passed
    assert len(result.metadata["columns"].value.split(", ")) == 7


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("alter table seed_tasks alter ordinal type varchar", "ordinal"),
        ("alter table seed_tasks drop column input", "input"),
        ("alter table seed_tasks add column surplus varchar", "surplus"),
        ("alter table seed_tasks alter output drop not null", "output"),
    ],
)
def test_a_table_of_another_shape_fails_and_the_column_is_named(written, change, named):
    with written.write() as connection:
        connection.execute(change)
    result = check(store=written)
    assert not result.passed
    rows = result.metadata["unexpected_columns"].value.splitlines()[2:]
    assert [row.split(" | ")[0].strip("| ") for row in rows] == [named]


def test_a_repeated_key_fails_and_is_shown(written, seed_row):
    written.replace({"seed_tasks": [seed_row(1), seed_row(2), seed_row(2)]})
    result = check(store=written)
    assert not result.passed
    assert "| seed-0002 | 2 |" in result.metadata["repeated_keys"].value
    assert "seed-0001" not in result.metadata["repeated_keys"].value


def test_a_failed_schema_check_stops_what_comes_after():
    (spec,) = check.check_specs
    assert spec.blocking
    assert (spec.name, spec.asset_key.path) == ("seed_tasks_schema", ["seed_tasks"])
