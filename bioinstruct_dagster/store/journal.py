"""The completion journal: it writes each reply to disk before the reply is parsed.

Each writer appends one JSON line per completion to its own file, and one fsync covers a group of
lines. `fold` moves the lines into the table `completions`. A kill can leave an incomplete last
line; its reply was still in flight.

Beside this file, the writer has a second file with one line for each request that it is about to
send. It shows which requests were sent but never answered, and the table `presumed_spend` counts
them as possibly billed. These lines are not fsynced: they survive a kill, but a power cut may lose
the last ones. They need their own file, because a write waits for the fsync of its file.

The journal is written by hand, because a database commits one transaction of one process at a time.
Here several processes append at once, many replies share one fsync, and a process may be killed at
any byte. Belongs here: completions to disk, and from disk to the tables. Does not: sending requests
(teacher.flow), or parsing replies (generation.replies).
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

GROUP_SECONDS = 0.02  # how long a commit waits for more lines; a reply is on disk within 50 ms

_PORTION_LINES = 2_000  # completions in memory at once while folding, some 20 MB

KNOWN_RESERVATIONS = """
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
    """An append-only file of completions. Its writer holds a lock on it until it is closed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._queue: asyncio.Queue[tuple[bytes, asyncio.Future[None]] | None] = asyncio.Queue()
        self._file: BinaryIO
        self._sent_file: BinaryIO
        self._flusher: asyncio.Task[None]
        self._failure: OSError | None = None

    async def __aenter__(self) -> Self:
        self._store.make_folder()
        self._store.journal_dir.mkdir(exist_ok=True)
        path = self._store.journal_dir / f"{uuid.uuid4().hex}.jsonl"
        # The file is locked before it has its final name, because a fold removes a journal that no
        # writer has locked.
        unnamed = path.with_suffix(".opening")
        # Unbuffered: written bytes survive a kill at once, and a power cut after the fsync.
        self._sent_file = path.with_suffix(".sent").open("ab", buffering=0)
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
            self._sent_file.close()
            self._file.close()  # releases the lock, so the next fold may remove the file

    def reserve(self, reservation: Mapping[str, Any]) -> None:
        """Write down a request that is about to be sent, with the columns of `presumed_spend`."""
        _write(self._sent_file, json_bytes(reservation) + b"\n")

    def release(self, reservation_id: str) -> None:
        """Write down that a request was not billed: the server refused it or did not receive it."""
        _write(self._sent_file, json_bytes({"released": reservation_id}) + b"\n")

    async def append(self, completion: Mapping[str, Any]) -> None:
        """Append a completion, and return when it is on disk.

        If the completion has the key `reservation_id`, it settles that reservation.

        Raises:
            OSError: the disk accepts no more data. All later appends raise it too.
        """
        if self._failure:
            raise _copy_of(self._failure)
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
            # After a failed write the file may end in half a line, so nothing more is written. But
            # every waiting append gets the error, because it would wait forever without it.
            if not self._failure:
                try:
                    await asyncio.to_thread(self._commit, b"".join(line for line, _ in group))
                except OSError as error:
                    self._failure = error
            for _, done in group:
                if done.done():
                    continue  # cancelled
                if self._failure:
                    done.set_exception(_copy_of(self._failure))
                else:
                    done.set_result(None)

    def _commit(self, lines: bytes) -> None:
        _write(self._file, lines)
        os.fsync(self._file.fileno())


def _copy_of(error: OSError) -> OSError:
    """A copy of an error. Each caller raises its own copy, which gets its own traceback."""
    return OSError(*error.args)


def _write(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def fold(
    store: Store,
    rounds: Sequence[Mapping[str, Any]] = (),
    refusals: Sequence[Mapping[str, Any]] = (),
) -> int:
    """Move journalled completions into the table `completions`, and return how many were new.

    `fold` reads all journals. It removes a journal after the commit, unless a live writer still
    holds its lock. Folding twice, or in two processes at once, has no further effect.

    Args:
        store: the store with its journals.
        rounds: rows for the table `teacher_rounds`, written in the same transaction.
        refusals: rows for the table `teacher_refusals`, written in the same transaction.
    """
    journals = sorted(store.journal_dir.glob("*.jsonl")) if store.journal_dir.is_dir() else []
    if not journals and not rounds and not refusals:
        return 0
    new = 0
    closed_journals: list[Path] = []
    with store.write() as connection:
        for path in journals:
            try:
                with path.open("rb") as file:
                    is_closed = _is_unlocked(file)
                    added, settled = _fold_replies(connection, file)
            except FileNotFoundError:
                continue  # another process folded it after the files were listed
            new += added
            if is_closed:
                closed_journals.append(path)
                unsettled = _unsettled(path.with_suffix(".sent"), settled)
                _insert_new(connection, "presumed_spend", KNOWN_RESERVATIONS, unsettled)
        insert(connection, "teacher_rounds", rounds)
        insert(connection, "teacher_refusals", refusals)
    for path in closed_journals:
        # The file of sent requests is removed last, because it is read only beside its journal.
        path.unlink(missing_ok=True)
        path.with_suffix(".sent").unlink(missing_ok=True)
    return new


def _fold_replies(
    connection: "duckdb.DuckDBPyConnection", file: BinaryIO
) -> tuple[int, set[str | None]]:
    """Insert a journal's completions. Returns how many were new, and which reservations settle."""
    new = 0
    settled: set[str | None] = set()
    for lines in _portions(_complete_lines(file)):
        portion = {row["completion_id"]: row for row in lines}
        settled.update(row.pop("reservation_id", None) for row in lines)
        new += _insert_new(connection, "completions", KNOWN_COMPLETIONS, portion)
    return new, settled


def _portions(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while portion := list(islice(rows, _PORTION_LINES)):
        yield portion


def _unsettled(sent: Path, settled: set[str | None]) -> dict[str, dict[str, Any]]:
    """Requests that were sent and have neither a reply nor a refusal, by reservation id."""
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
    """Insert the rows whose key the table lacks. Returns how many."""
    held = {key for (key,) in connection.execute(known, {"candidates": list(rows)}).fetchall()}
    new = [as_row(row) for key, row in rows.items() if key not in held]
    insert(connection, table, new)
    return len(new)


def _complete_lines(file: BinaryIO) -> Iterator[dict[str, Any]]:
    for line in file:
        if not line.endswith(b"\n"):
            return  # cut off by a kill; its reply was still in flight
        try:
            entry = json_value(line)
        except (ValueError, RecursionError):
            continue  # lost in a power cut; its reply was never reported as stored
        if isinstance(entry, dict):
            yield entry


def as_row(journalled: Mapping[str, Any]) -> dict[str, Any]:
    """The table row of a journal line: times as datetimes, nested values as JSON text."""
    from datetime import datetime

    row = dict(journalled)
    for column in ("requested_at", "completed_at", "reserved_at"):
        if column in row:
            row[column] = datetime.fromisoformat(row[column])
    for column in ("parameters", "messages", "controls"):
        if row.get(column) is not None:
            row[column] = json_bytes(row[column]).decode()
    # DuckDB stores UTF-8, which has no lone surrogates. They are stored as escapes, so that the
    # reply is not lost.
    return {
        name: value.encode("utf-8", "backslashreplace").decode()
        if isinstance(value, str)
        else value
        for name, value in row.items()
    }


def _is_unlocked(file: BinaryIO) -> bool:
    """Whether no live writer holds the journal's lock. Takes the lock if so."""
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
