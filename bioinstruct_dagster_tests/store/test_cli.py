"""`python -m bioinstruct_dagster.store`: one read-only statement from a shell."""

import os
import subprocess
import sys

import pytest

HOLDER = """
import sys
from pathlib import Path
from bioinstruct_dagster.store.database import Store

with Store(Path(sys.argv[1])).write():
    print("holding", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def query(store):
    """Run the command on the test's store; the settings come by the environment, as in a shell."""

    def run(statement, **environment):
        return subprocess.run(
            [sys.executable, "-m", "bioinstruct_dagster.store", statement],
            capture_output=True,
            check=False,
            text=True,
            env={**os.environ, "BIOINSTRUCT_DATA_DIR": str(store.path.parent), **environment},
        )

    return run


def test_a_result_is_printed(store, seed_row, query):
    store.replace({"seed_tasks": [seed_row(1), seed_row(2)]})
    result = query("select seed_id from seed_tasks order by ordinal")
    assert result.returncode == 0, result.stderr
    assert result.stdout.index("seed-0001") < result.stdout.index("seed-0002")


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("select * from no_such_table", "no_such_table"),
        ("selekt 1", "selekt"),
        ("delete from seed_tasks", "read-only"),
        ("drop table seed_tasks", "read-only"),
    ],
)
def test_a_statement_that_cannot_be_run_fails_with_the_reason(
    store, seed_row, seed_ids, query, statement, complaint
):
    store.replace({"seed_tasks": [seed_row(1)]})
    result = query(statement)
    assert result.returncode == 1
    assert complaint in result.stderr
    assert "Traceback" not in result.stderr
    assert seed_ids(store) == ["seed-0001"]


def test_without_a_store_the_user_is_told_how_to_make_one(query):
    result = query("select 1")
    assert result.returncode == 1
    assert "key:seed_tasks" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_wrong_setting_is_named(query):
    result = query("select 1", BIOINSTRUCT_LOCK_TIMEOUT="soon")
    assert result.returncode == 1
    assert "BIOINSTRUCT_LOCK_TIMEOUT" in result.stderr
    assert "Traceback" not in result.stderr


def test_while_a_run_writes_the_user_is_told_to_wait(store, query, start_python):
    store.replace({})
    holder = start_python(HOLDER, store.path)
    assert holder.stdout.readline() == "holding\n"
    result = query("select 1", BIOINSTRUCT_LOCK_TIMEOUT="0.3")
    assert result.returncode == 1
    assert "in use by another process" in result.stderr
    assert "Traceback" not in result.stderr
    holder.communicate("\n")
    assert query("select 1").returncode == 0
