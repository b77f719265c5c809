"""The completion journal: an acknowledged completion is on disk and stays there."""

import asyncio
import errno
import json
import os
import threading

import pytest

from bioinstruct_dagster.store.journal import CompletionJournal, fold

FULL_DISK = """
import asyncio, resource, sys
from pathlib import Path
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.journal import CompletionJournal

async def main():
    async with CompletionJournal(Store(Path(sys.argv[1]))) as journal:
        await journal.append({"completion_id": "first"})
        print("first", flush=True)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        async with asyncio.TaskGroup() as group:
            for number in range(10):
                group.create_task(journal.append({"completion_id": str(number) * 500}))
        print("all", flush=True)

asyncio.run(main())
"""


def journalled(store) -> list[str]:
    """The ids in the journal's files, as another process would read them now."""
    text = "".join(path.read_text("utf-8") for path in sorted(store.journal_dir.glob("*.jsonl")))
    return [json.loads(line)["completion_id"] for line in text.splitlines()]


def test_a_completion_is_in_the_file_once_append_returns(store, completion):
    async def main():
        async with CompletionJournal(store) as journal:
            for number in range(3):
                await journal.append(completion(number))
                assert journalled(store) == [f"{n:064x}" for n in range(number + 1)]

    asyncio.run(main())


def test_append_returns_only_after_the_sync_to_disk(store, completion, monkeypatch):
    # The real fsync, held back until the test lets it go: until then nothing is acknowledged.
    reached, released = threading.Event(), threading.Event()
    fsync = os.fsync

    async def main():
        async with CompletionJournal(store) as journal:

            def held_back(descriptor):
                reached.set()
                released.wait()
                fsync(descriptor)

            monkeypatch.setattr(os, "fsync", held_back)
            task = asyncio.create_task(journal.append(completion(1)))
            assert await asyncio.to_thread(reached.wait, 60)
            assert not task.done()
            released.set()
            await task

    asyncio.run(main())


def test_completions_that_come_together_share_a_sync(store, completion, monkeypatch):
    syncs = []
    fsync = os.fsync

    async def main():
        async with CompletionJournal(store) as journal:
            monkeypatch.setattr(os, "fsync", lambda descriptor: syncs.append(fsync(descriptor)))
            await asyncio.gather(*(journal.append(completion(number)) for number in range(200)))

    asyncio.run(main())
    assert 1 <= len(syncs) < 20
    assert sorted(journalled(store)) == [f"{n:064x}" for n in range(200)]


def test_leaving_the_journal_writes_the_queue(store, completion):
    async def main():
        async with CompletionJournal(store) as journal:
            tasks = [asyncio.create_task(journal.append(completion(n))) for n in range(5)]
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert len(journalled(store)) == 5


def test_an_appender_that_is_cancelled_harms_no_other(store, completion):
    async def main():
        async with CompletionJournal(store) as journal:
            tasks = [asyncio.create_task(journal.append(completion(n))) for n in range(4)]
            await asyncio.sleep(0)
            tasks[1].cancel()
            await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 60)
            await asyncio.wait_for(journal.append(completion(9)), 60)

    asyncio.run(main())
    assert {f"{n:064x}" for n in (0, 2, 3, 9)} <= set(journalled(store))


def test_an_error_in_the_block_keeps_acknowledged_lines(store, completion):
    async def main():
        async with CompletionJournal(store) as journal:
            await journal.append(completion(1))
            raise RuntimeError("a worker failed")

    with pytest.raises(RuntimeError, match="a worker failed"):
        asyncio.run(main())
    assert fold(store) == 1


def test_a_full_disk_fails_the_append_and_keeps_stored_lines(store, start_python):
    process = start_python(FULL_DISK, store.path)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output.split() == ["first"]
    assert "OSError" in errors
    (path,) = store.journal_dir.glob("*.jsonl")
    assert path.read_text("utf-8").startswith('{"completion_id":"first"}\n')


def test_each_writer_has_a_file_of_its_own(store, completion):
    async def main():
        async with CompletionJournal(store) as one, CompletionJournal(store) as other:
            await one.append(completion(1))
            await other.append(completion(2))
            assert len(list(store.journal_dir.glob("*.jsonl"))) == 2

    asyncio.run(main())
    assert fold(store) == 2


def test_after_a_failed_write_every_append_raises(store, completion, monkeypatch):
    # The real fsync, but for one that the disk refuses. Replies in flight come in after it.
    fsync = os.fsync
    failures = iter([OSError(errno.ENOSPC, "No space left on device")])

    def failing_once(descriptor):
        for error in failures:
            raise error
        fsync(descriptor)

    async def main():
        async with CompletionJournal(store) as journal:
            await journal.append(completion(0))
            monkeypatch.setattr(os, "fsync", failing_once)
            together = [asyncio.create_task(journal.append(completion(n))) for n in (1, 2, 3)]
            await asyncio.sleep(0)
            together[1].cancel()
            first = await asyncio.gather(*together, return_exceptions=True)
            with pytest.raises(OSError, match="No space left"):
                await journal.append(completion(4))
            return first

    one, cancelled, three = asyncio.run(asyncio.wait_for(main(), 60))
    assert isinstance(cancelled, asyncio.CancelledError)
    assert {one.errno, three.errno} == {errno.ENOSPC}
    # Nothing is written behind a line that may be torn.
    assert f"{4:064x}" not in journalled(store)
    assert fold(store) >= 1


def test_an_append_that_comes_while_a_write_fails_is_told_too(store, completion, monkeypatch):
    reached, released = threading.Event(), threading.Event()

    def held_back(_):
        reached.set()
        released.wait()
        raise OSError(errno.EIO, "Input/output error")

    async def main():
        async with CompletionJournal(store) as journal:
            monkeypatch.setattr(os, "fsync", held_back)
            early = asyncio.create_task(journal.append(completion(1)))
            await asyncio.to_thread(reached.wait, 60)
            late = asyncio.create_task(journal.append(completion(2)))
            await asyncio.sleep(0)
            released.set()
            return await asyncio.gather(early, late, return_exceptions=True)

    errors = asyncio.run(asyncio.wait_for(main(), 60))
    assert [error.errno for error in errors] == [errno.EIO, errno.EIO]


def test_reserve_returns_after_the_line_is_in_its_file(store):
    async def main():
        async with CompletionJournal(store) as journal:
            journal.reserve({"reservation_id": "r1", "completion_id": "c"})
            journal.release("r1")
            (path,) = store.journal_dir.glob("*.sent")
            return [json.loads(line) for line in path.read_bytes().splitlines()]

    sent, released = asyncio.run(main())
    assert sent["reservation_id"] == released["released"] == "r1"


def test_sent_lines_do_not_wait_for_the_sync_of_replies(store, completion, monkeypatch):
    reached, released = threading.Event(), threading.Event()
    fsync = os.fsync

    def held_back(descriptor):
        reached.set()
        released.wait()
        fsync(descriptor)

    async def main():
        async with CompletionJournal(store) as journal:
            monkeypatch.setattr(os, "fsync", held_back)
            task = asyncio.create_task(journal.append(completion(1)))
            await asyncio.to_thread(reached.wait, 60)
            journal.reserve({"reservation_id": "r1", "completion_id": "c"})  # returns
            assert not task.done()
            released.set()
            await task

    asyncio.run(asyncio.wait_for(main(), 60))
