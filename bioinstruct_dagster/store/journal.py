"""The completion journal: replies become durable here before anything else happens to them.

A writer appends one JSON line per completion to a file of its own and fsyncs in groups; `fold`
moves the lines into the `completions` table. A line is the completion or nothing: a torn last line,
left by a kill, is a reply that was still in flight. Belongs here: bytes to disk and from there to
the table. Does not: how a completion is asked for or read.
"""

import asyncio
import fcntl
import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from bioinstruct_dagster.store.database import Store, insert

GROUP_SECONDS = 0.02  # how long a commit waits for company; a reply is durable well within 50 ms

KNOWN_COMPLETIONS = """
    select completion_id
    from completions
    where completion_id in (select unnest($candidates::varchar[]))
"""


class CompletionJournal:
    """An append-only file of completions, locked by its one owner for as long as it lives."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: asyncio.Queue[tuple[bytes, asyncio.Future[None]] | None] = asyncio.Queue()
        self._file: BinaryIO
        self._flusher: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self._store.journal_dir.mkdir(parents=True, exist_ok=True)
        path = self._store.journal_dir / f"{uuid.uuid4().hex}.jsonl"
        # Locked before it has its name: a fold would clear away a journal that nobody holds.
        unnamed = path.with_suffix(".opening")
        self._file = unnamed.open("ab")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        unnamed.rename(path)
        _fsync_directory(self._store.journal_dir)
        self._flusher = asyncio.create_task(self._flush())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._queue.put(None)
        try:
            await self._flusher
        finally:
            self._file.close()  # releases the lock: the next fold may clear the file away

    async def append(self, completion: Mapping[str, Any]) -> None:
        """Return once the completion is on disk."""
        # ASCII escapes carry even lone surrogates, which UTF-8 can't.
        line = json.dumps(completion, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        done = asyncio.get_running_loop().create_future()
        await self._queue.put((line, done))
        await done

    async def _flush(self) -> None:
        closing = False
        while not closing:
            first = await self._queue.get()
            if first is None:
                return
            await asyncio.sleep(GROUP_SECONDS)
            group = [first]
            while not self._queue.empty():
                entry = self._queue.get_nowait()
                if entry is None:
                    closing = True
                    break
                group.append(entry)
            try:
                await asyncio.to_thread(self._commit, b"".join(line for line, _ in group))
            except OSError as error:
                for _, done in group:
                    done.set_exception(error)
                raise
            for _, done in group:
                if not done.cancelled():
                    done.set_result(None)

    def _commit(self, lines: bytes) -> None:
        self._file.write(lines)
        self._file.flush()
        os.fsync(self._file.fileno())


def fold(store: Store) -> int:
    """Move journalled completions into the table; return how many were new.

    Files whose writer still lives are read but left in place; the others are removed once their
    lines are committed. Running it twice, or in two processes at once, changes nothing.
    """
    if not store.journal_dir.is_dir():
        return 0
    journals = sorted(store.journal_dir.glob("*.jsonl"))
    if not journals:
        return 0
    with store.write() as connection:
        pending: dict[str, dict[str, Any]] = {}
        orphans: list[Path] = []
        for path in journals:
            try:
                with path.open("rb") as file:
                    if _unowned(file):
                        orphans.append(path)
                    for row in _complete_lines(file.read()):
                        pending.setdefault(row["completion_id"], row)
            except FileNotFoundError:
                continue  # another process folded it between the listing and the lock
        known = connection.execute(KNOWN_COMPLETIONS, {"candidates": list(pending)}).fetchall()
        for (completion_id,) in known:
            del pending[completion_id]
        insert(connection, "completions", [_as_row(row) for row in pending.values()])
    for path in orphans:
        path.unlink(missing_ok=True)
    return len(pending)


def _complete_lines(data: bytes) -> list[dict[str, Any]]:
    rows = []
    for line in data.split(b"\n")[:-1]:  # what follows the last newline is torn, or empty
        try:
            rows.append(json.loads(line))
        except ValueError:
            continue  # a block that the disk lost on a power cut: its reply was never acknowledged
    return rows


def _as_row(journalled: dict[str, Any]) -> dict[str, Any]:
    from datetime import datetime

    row = dict(journalled)
    for column in ("requested_at", "completed_at"):
        row[column] = datetime.fromisoformat(row[column])
    for column in ("parameters", "messages"):
        row[column] = json.dumps(row[column], ensure_ascii=True)
    # DuckDB text is UTF-8: a lone surrogate is stored as its escape, not lost with its reply.
    return {
        name: value.encode("utf-8", "backslashreplace").decode()
        if isinstance(value, str)
        else value
        for name, value in row.items()
    }


def _unowned(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _fsync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
