"""Folding: only complete lines reach the table, each once, and live writers keep their files."""

import asyncio
import fcntl
import json
import shutil
import time
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bioinstruct_dagster.store import journal as journal_module
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.journal import CompletionJournal, fold

FOLDER = """
import sys
from pathlib import Path
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.journal import fold

print("ready", flush=True)
sys.stdin.readline()
print(fold(Store(Path(sys.argv[1]), timeout=60)))
"""

WRITER = """
import asyncio, json, sys
from pathlib import Path
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.journal import CompletionJournal

async def main():
    async with CompletionJournal(Store(Path(sys.argv[1]))) as journal:
        for line in sys.stdin:
            await journal.append(json.loads(line))
            print("on disk", flush=True)

asyncio.run(main())
"""

SERVER_TEXTS = ["content", "refusal", "model_answered", "request_id", "system_fingerprint"]


def put(store: Store, *completions) -> None:
    async def main():
        async with CompletionJournal(store) as journal:
            await asyncio.gather(*(journal.append(completion) for completion in completions))

    asyncio.run(main())


def stored(store: Store) -> list[str]:
    statement = "select completion_id from completions order by completion_id"
    return [row["completion_id"] for row in store.rows(statement)]


def ids(*numbers: int) -> list[str]:
    return [f"{number:064x}" for number in numbers]


def test_every_part_of_a_completion_reaches_the_table(store, completion):
    original = completion(1, refusal="no", system_fingerprint="fp")
    put(store, original)
    assert fold(store) == 1
    (row,) = store.rows("select * from completions")
    for column in ("parameters", "messages"):
        row[column] = json.loads(row[column])
    for column in ("requested_at", "completed_at"):
        original[column] = datetime.fromisoformat(original[column])
    assert {name: row[name] for name in original} == original
    assert all(value is None for name, value in row.items() if name not in original)


def test_folding_removes_the_files_and_can_be_repeated(store, completion):
    put(store, completion(1), completion(2))
    assert [fold(store), fold(store)] == [2, 0]
    assert list(store.journal_dir.iterdir()) == []
    assert stored(store) == ids(1, 2)


def test_a_fold_killed_before_removing_files_can_be_repeated(store, completion, tmp_path):
    put(store, completion(1), completion(2))
    shutil.copytree(store.journal_dir, tmp_path / "copy")
    fold(store)
    shutil.copytree(tmp_path / "copy", store.journal_dir, dirs_exist_ok=True)
    put(store, completion(2), completion(3))
    assert fold(store) == 1
    assert stored(store) == ids(1, 2, 3)
    assert list(store.journal_dir.iterdir()) == []


def test_with_nothing_journalled_no_store_is_made(store):
    assert fold(store) == 0
    store.journal_dir.mkdir(parents=True)
    assert fold(store) == 0
    assert not store.path.exists()


@examples(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 2_000))
def test_a_torn_last_line_is_survived(completion, tmp_path_factory, cut):
    store = Store(tmp_path_factory.mktemp("torn") / "s.duckdb")
    put(store, completion(1))
    put_last = json.dumps(completion(2, content="é" * 100)).encode()
    (path,) = store.journal_dir.glob("*.jsonl")
    with path.open("ab") as file:
        file.write(put_last[:cut])  # without its newline, even where the whole object is there
    assert fold(store) == 1
    assert stored(store) == ids(1)


@pytest.mark.parametrize(
    "damage",
    [
        b"\0" * 4096 + b"\n",
        b'{"completion_id": "x\n',
        b"\xff\xfe\n",
        b"\n",
        b"7\n",
        b'["completion_id"]\n',
        b"[" * 100_000 + b"\n",
    ],
    ids=["zeroed-block", "half-a-line", "no-utf8", "blank", "number", "list", "nested"],
)
def test_a_damaged_line_costs_no_other_completion(store, completion, damage):
    put(store, completion(1))
    (path,) = store.journal_dir.glob("*.jsonl")
    path.write_bytes(damage + path.read_bytes() + damage)
    assert fold(store) == 1
    assert stored(store) == ids(1)


@pytest.mark.parametrize("field", SERVER_TEXTS)
@pytest.mark.parametrize("text", ["half an emoji \ud83d", "\udcff", "a NUL \0 inside"])
def test_a_character_that_is_no_text_does_not_lose_the_reply(store, completion, field, text):
    put(store, completion(1, **{field: text}), completion(2))
    assert fold(store) == 2
    (row,) = store.rows(f"select {field} from completions where request_number = 1")
    assert row[field]


def test_a_lone_surrogate_is_stored_as_its_escape(store, completion):
    put(store, completion(1, content="ab\ud83d\n😀"))
    fold(store)
    assert store.rows("select content from completions") == [{"content": "ab\\ud83d\n😀"}]


def test_the_first_reply_to_a_request_is_the_one_that_stays(store, completion):
    put(store, completion(1, content="paid for"))
    fold(store)
    put(store, completion(1, content="another"))
    assert fold(store) == 0
    assert store.rows("select content from completions") == [{"content": "paid for"}]


def test_a_living_writers_file_is_read_but_not_removed(store, completion, start_python):
    writer = start_python(WRITER, store.path)
    for number in (1, 2):
        writer.stdin.write(json.dumps(completion(number)) + "\n")
        writer.stdin.flush()
        assert writer.stdout.readline() == "on disk\n"
        assert fold(store) == 1
        assert len(list(store.journal_dir.glob("*.jsonl"))) == 1
    writer.communicate(timeout=60)
    assert fold(store) == 0
    assert list(store.journal_dir.iterdir()) == []
    assert stored(store) == ids(1, 2)


def test_a_killed_writers_journal_is_folded_and_removed(store, completion, start_python):
    writer = start_python(WRITER, store.path)
    for number in range(3):
        writer.stdin.write(json.dumps(completion(number)) + "\n")
        writer.stdin.flush()
        assert writer.stdout.readline() == "on disk\n"
    writer.kill()
    writer.wait()
    assert fold(store) == 3
    assert list(store.journal_dir.iterdir()) == []
    assert stored(store) == ids(0, 1, 2)


def test_two_folds_at_once_store_each_completion_once(store, completion, start_python):
    for half in (range(300), range(150, 450)):  # two writers that were given the same replies
        put(store, *map(completion, half))
    folders = [start_python(FOLDER, store.path) for _ in range(2)]
    with store.write():  # both list the files and then wait here; one of them finds them gone
        for folder in folders:
            assert folder.stdout.readline() == "ready\n"
            folder.stdin.write("\n")
            folder.stdin.flush()
        time.sleep(0.5)
    results = [folder.communicate(timeout=120) for folder in folders]
    assert [folder.returncode for folder in folders] == [0, 0], results
    assert sum(int(output) for output, _ in results) == 450
    assert stored(store) == ids(*range(450))
    assert list(store.journal_dir.iterdir()) == []


def test_a_fold_before_the_writers_lock_loses_nothing(store, completion, monkeypatch):
    # The one instant in which a new file has no owner yet: what another process folds just then
    # must not take the file away from under its writer.
    store.replace({})
    lock = fcntl.flock
    calls = []

    def locking_late(file, operation):
        calls.append(operation)
        if len(calls) == 1:
            fold(store)
        lock(file, operation)

    monkeypatch.setattr(journal_module.fcntl, "flock", locking_late)
    put(store, completion(1))
    monkeypatch.undo()
    assert fold(store) == 1
    assert stored(store) == ids(1)
