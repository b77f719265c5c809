"""The completion journal: replies become durable here before anything else happens to them.

A writer appends one JSON line per completion to a file of its own and fsyncs in groups; `fold`
moves the lines into the `completions` table. A line is the completion or nothing: a torn last line,
left by a kill, is a reply that was still in flight. Beside it lies a file of what was sent, a line
before each request, so that one whose reply never came is known, and counted as possibly billed
(`presumed_spend`). Those lines are written and not fsynced: they survive a kill, and of a power cut
they may lose the last. They have a file of their own, since a write waits for a file's fsync.

Written by hand: a database's log commits a transaction at a time by one process, while here several
processes append at once, share one fsync among many replies, and may be killed at any byte. Belongs
here: bytes to disk and from there to the tables. Does not: how a completion is asked for or read.
"""

import asyncio
import fcntl
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from bioinstruct_dagster.store.database import Store, insert
from bioinstruct_dagster.store.fingerprints import json_bytes, json_value

if TYPE_CHECKING:
    import duckdb

GROUP_SECONDS = 0.02  # how long a commit waits for company; a reply is durable well within 50 ms

_PORTION = 2_000  # completions in memory at once while folding, some 20 MB

KNOWN_PRESUMED = """
    select reservation_id
    from presumed_spend
    where reservation_id in (select unnest($candidates::varchar[]))
"""

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
        self._sent: BinaryIO
        self._flusher: asyncio.Task[None]
        self._failure: OSError | None = None

    async def __aenter__(self) -> Self:
        self._store.journal_dir.mkdir(parents=True, exist_ok=True)
        path = self._store.journal_dir / f"{uuid.uuid4().hex}.jsonl"
        # Locked before it has its name: a fold would clear away a journal that nobody holds.
        unnamed = path.with_suffix(".opening")
        # Unbuffered: what is written survives a kill at once, and a power cut after the fsync.
        self._sent = path.with_suffix(".sent").open("ab", buffering=0)
        self._file = unnamed.open("ab", buffering=0)
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
            self._sent.close()
            self._file.close()  # releases the lock: the next fold may clear the file away

    def reserve(self, reservation: Mapping[str, Any]) -> None:
        """Note a request that is about to be sent: the columns of `presumed_spend`."""
        _write(self._sent, json_bytes(reservation) + b"\n")

    def release(self, reservation_id: str) -> None:
        """Note that a request was certainly not billed: it was refused, or never got through."""
        _write(self._sent, json_bytes({"released": reservation_id}) + b"\n")

    async def append(self, completion: Mapping[str, Any]) -> None:
        """Return once the completion is on disk.

        Its key `reservation_id`, where it has one, settles that reservation.

        Raises:
            OSError: the disk takes no more; from then on every append raises it.
        """
        if self._failure:
            raise _another(self._failure)
        line = json_bytes(completion) + b"\n"
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
            # After a failed write the file may end in half a line, so nothing is written behind it;
            # but each appender is told, or those with a reply in flight would wait for ever.
            if not self._failure:
                try:
                    await asyncio.to_thread(self._commit, b"".join(line for line, _ in group))
                except OSError as error:
                    self._failure = error
            for _, done in group:
                if done.done():
                    continue  # cancelled
                if self._failure:
                    done.set_exception(_another(self._failure))
                else:
                    done.set_result(None)

    def _commit(self, lines: bytes) -> None:
        _write(self._file, lines)
        os.fsync(self._file.fileno())


def _another(error: OSError) -> OSError:
    """The same error for another to raise, who adds a traceback of their own."""
    return OSError(*error.args)


def _write(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def fold(store: Store, rounds: Sequence[Mapping[str, Any]] = ()) -> int:
    """Move journalled completions into the table; return how many were new.

    Files whose writer still lives are read but left in place; the others are removed once their
    lines are committed. Running it twice, or in two processes at once, changes nothing.

    Args:
        store: whose journals.
        rounds: rows of `teacher_rounds` to be written in the same transaction.
    """
    journals = sorted(store.journal_dir.glob("*.jsonl")) if store.journal_dir.is_dir() else []
    if not journals and not rounds:
        return 0
    new = 0
    orphans: list[Path] = []
    with store.write() as connection:
        for path in journals:
            try:
                with path.open("rb") as file:
                    unowned = _unowned(file)
                    added, settled = _fold_replies(connection, file)
            except FileNotFoundError:
                continue  # another process folded it between the listing and the lock
            new += added
            if unowned:
                orphans.append(path)
                unsettled = _unsettled(path.with_suffix(".sent"), settled)
                _insert_new(connection, "presumed_spend", KNOWN_PRESUMED, unsettled)
        insert(connection, "teacher_rounds", rounds)
    for path in orphans:
        # The list of what was sent goes last: without its journal it would be read by nobody.
        path.unlink(missing_ok=True)
        path.with_suffix(".sent").unlink(missing_ok=True)
    return new


def _fold_replies(
    connection: "duckdb.DuckDBPyConnection", file: BinaryIO
) -> tuple[int, set[str | None]]:
    """Insert a journal's completions; how many were new, and the reservations that they settle."""
    new = 0
    settled: set[str | None] = set()
    for lines in _portions(_complete_lines(file)):
        portion = {row["completion_id"]: row for row in lines}
        settled.update(row.pop("reservation_id", None) for row in lines)
        new += _insert_new(connection, "completions", KNOWN_COMPLETIONS, portion)
    return new, settled


def _portions(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while portion := list(islice(rows, _PORTION)):
        yield portion


def _unsettled(sent: Path, settled: set[str | None]) -> dict[str, dict[str, Any]]:
    """Requests that were sent and have neither a reply nor a refusal, by reservation."""
    pending: dict[str, dict[str, Any]] = {}
    if sent.exists():
        with sent.open("rb") as file:
            for entry in _complete_lines(file):
                if "reservation_id" in entry:
                    pending[entry["reservation_id"]] = entry
                else:
                    pending.pop(entry.get("released", ""), None)
    return {key: entry for key, entry in pending.items() if key not in settled}


def _insert_new(
    connection: "duckdb.DuckDBPyConnection",
    table: str,
    known: str,
    rows: Mapping[str, Mapping[str, Any]],
) -> int:
    """Insert the rows that the table lacks, by key; how many."""
    held = {key for (key,) in connection.execute(known, {"candidates": list(rows)}).fetchall()}
    new = [as_row(row) for key, row in rows.items() if key not in held]
    insert(connection, table, new)
    return len(new)


def _complete_lines(file: BinaryIO) -> Iterator[dict[str, Any]]:
    for line in file:
        if not line.endswith(b"\n"):
            return  # torn by a kill: its reply was still in flight
        try:
            entry = json_value(line)
        except (ValueError, RecursionError):
            continue  # a block that the disk lost on a power cut: its reply was never acknowledged
        if isinstance(entry, dict):
            yield entry


def as_row(journalled: Mapping[str, Any]) -> dict[str, Any]:
    """A journalled line as a row of its table: times as times, JSON as text."""
    from datetime import datetime

    row = dict(journalled)
    for column in ("requested_at", "completed_at", "reserved_at"):
        if column in row:
            row[column] = datetime.fromisoformat(row[column])
    for column in ("parameters", "messages", "controls"):
        if row.get(column) is not None:
            row[column] = json_bytes(row[column]).decode()
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
