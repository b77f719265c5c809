"""Several processes use one store: writers queue, readers wait, a killed writer does no harm."""

import threading

import pytest

from bioinstruct_dagster.store.database import Store, StoreBusyError

WRITER = """
import sys
from pathlib import Path
from bioinstruct_dagster.store.database import Store

path, name, times = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
for number in range(times):
    with Store(path, timeout=60).write() as connection:
        connection.execute(
            "insert into seed_tasks values (?, ?, 'other', 'f', 'i', '', 'o')",
            [f"{name}-{number}", number],
        )
    print(number, flush=True)
"""

HOLDER = """
import sys
from pathlib import Path
from bioinstruct_dagster.store.database import Store

with Store(Path(sys.argv[1]), timeout=60).write() as connection:
    connection.execute("update seed_tasks set output = 'changed'")
    print("holding", flush=True)
    sys.stdin.readline()
"""

SHELL = """
import sys, duckdb
with duckdb.connect(sys.argv[1]) as connection:
    print("holding", flush=True)
    sys.stdin.readline()
"""

OUTPUTS = "select output from seed_tasks"


def said(process) -> str:
    return process.stdout.readline().strip()


def go_on(process) -> None:
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.fixture
def written(store, seed_row):
    store.replace({"seed_tasks": [seed_row(1)]})
    return store


@pytest.mark.parametrize("first_exists", [True, False])
def test_processes_that_write_at_once_all_succeed(store, start_python, seed_ids, first_exists):
    if first_exists:
        store.replace({})
    writers = [start_python(WRITER, store.path, name, 8) for name in "abc"]
    for writer in writers:
        assert said(writer) == "ready"
    for writer in writers:
        go_on(writer)
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors
    assert sorted(seed_ids(store)) == sorted(f"{w}-{n}" for w in "abc" for n in range(8))


def test_threads_that_write_and_read_at_once_all_succeed(written, seed_row):
    failures = []

    def use(number):
        try:
            written.replace({"seed_tasks": [seed_row(number)]})
            assert len(written.rows(OUTPUTS)) == 1
        except Exception as error:  # noqa: BLE001 - whatever a thread meets, the test reports
            failures.append(error)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_a_reader_waits_for_a_writer_and_sees_its_rows(written, start_python):
    holder = start_python(HOLDER, written.path)
    assert said(holder) == "holding"
    found = []
    reader = threading.Thread(target=lambda: found.extend(written.rows(OUTPUTS)))
    reader.start()
    reader.join(0.6)
    assert reader.is_alive()
    assert found == []
    go_on(holder)
    reader.join(60)
    assert found == [{"output": "changed"}]


@pytest.mark.parametrize(
    ("occupant", "use"), [(HOLDER, "read"), (HOLDER, "write"), (SHELL, "read"), (SHELL, "write")]
)
def test_after_the_deadline_the_user_is_told_who_is_in_the_way(
    written, start_python, seed_row, occupant, use
):
    holder = start_python(occupant, written.path)
    assert said(holder) == "holding"
    impatient = Store(written.path, timeout=0.3)
    with pytest.raises(StoreBusyError) as caught:
        impatient.replace({"seed_tasks": []}) if use == "write" else impatient.rows(OUTPUTS)
    message = str(caught.value)
    assert str(written.path) in message
    assert "another process" in message.lower()
    assert "Traceback" not in message
    assert "\n" not in message
    go_on(holder)
    holder.communicate(timeout=60)
    written.replace({"seed_tasks": [seed_row(5)]})  # the refusal left no lock behind
    assert len(written.rows(OUTPUTS)) == 1


def test_a_killed_writer_leaves_a_usable_store_with_its_rows(written, start_python, seed_row):
    holder = start_python(HOLDER, written.path)
    assert said(holder) == "holding"
    holder.kill()
    holder.wait()
    assert written.rows(OUTPUTS) == [{"output": "output 1"}]
    written.replace({"seed_tasks": [seed_row(2)]})
    assert written.rows(OUTPUTS) == [{"output": "output 2"}]


@pytest.mark.parametrize("acknowledged_before_kill", [0, 1, 5, 9])
def test_what_a_killed_writer_had_committed_is_kept(
    written, start_python, seed_ids, acknowledged_before_kill
):
    writer = start_python(WRITER, written.path, "w", 1_000)
    assert said(writer) == "ready"
    go_on(writer)
    for number in range(acknowledged_before_kill):
        assert said(writer) == str(number)
    writer.kill()
    writer.wait()
    kept = {name for name in seed_ids(written) if name.startswith("w-")}
    assert kept >= {f"w-{number}" for number in range(acknowledged_before_kill)}
    assert kept == {f"w-{number}" for number in range(len(kept))}


@pytest.mark.parametrize("left_behind", [b"", None])
def test_a_store_whose_creation_was_killed_can_be_used(store, seed_row, left_behind):
    # DuckDB creates the file before it writes its header, and the tables come later still.
    import duckdb

    store.path.parent.mkdir(parents=True)
    if left_behind is None:
        duckdb.connect(store.path).close()
    else:
        store.path.write_bytes(left_behind)
    store.replace({"seed_tasks": [seed_row(1)]})
    assert store.rows(OUTPUTS) == [{"output": "output 1"}]
