"""The DuckDB file: one process writes at a time, in short transactions, and readers wait.

DuckDB allows either one process that writes or several that read. A writer first takes a file lock
beside the database. The kernel releases this lock even if the writer is killed. Then writers and
readers try to open the database until a deadline. Belongs here: connections, locks, replacing
tables. Does not: the meaning of a stage's rows, or the statements that select them.
"""

import os
import random
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.input_files import fault_of, fault_of_file, fault_of_folder, shown
from bioinstruct_dagster.store.gate_order import lists_gates, write_gates
from bioinstruct_dagster.store.migrations import MIGRATIONS
from bioinstruct_dagster.store.schema import schema_sql

if TYPE_CHECKING:
    import duckdb

SCHEMA_VERSION = 9
# The start of DuckDB's message if another process has the file open. Other IO errors are raised.
_LOCK_MESSAGE = "Could not set lock on file"
# The pause between two attempts to open is random, so that waiting processes do not collide again.
_RETRY_SECONDS = (0.02, 0.25)


class StoreError(StatedError):
    """The store can't be opened, or a statement names a table or column that it does not have."""


class StoreBusyError(StoreError):
    """Another process used the store for longer than the deadline."""


class Store:
    """The project's DuckDB file.

    Args:
        path: the database file; its folder is created on the first write.
        timeout: seconds to wait for other processes before `StoreBusyError`.
    """

    def __init__(self, path: Path, timeout: float = 120.0) -> None:
        self.path = path
        self.timeout = timeout
        # In one process, DuckDB refuses a read-only and a writing connection to the same file.
        self._thread_lock = threading.RLock()

    @property
    def journal_dir(self) -> Path:
        """The folder of the completion journal (store.journal)."""
        return self.path.parent / "journal"

    def make_folder(self) -> None:
        """Make the folder of the store and of all other outputs, if it does not exist.

        Raises:
            StoreError: the folder can't be made or written, or DuckDB can't open its name.
        """
        folder = self.path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            fault = "" if os.access(folder, os.W_OK) else "can't be written: no permission"
        except FileExistsError:
            fault = fault_of_folder(folder)
        except (OSError, ValueError) as error:
            fault = fault_of(error)
        if "?" in str(self.path):
            # DuckDB puts the name of its log file before the question mark.
            fault = "can't be used: DuckDB opens no path with a question mark"
        if fault:
            raise _unusable_folder(folder, fault)

    @contextmanager
    def write(self) -> Iterator["duckdb.DuckDBPyConnection"]:
        """A connection in one transaction: committed at the end, rolled back on an exception.

        Keep the transaction short, because no other process can read or write meanwhile.
        """
        self.make_folder()
        lock = FileLock(f"{self.path}.lock")
        deadline = time.monotonic() + self.timeout
        with self._thread_lock:
            try:
                lock.acquire(timeout=self.timeout)
            except Timeout as error:
                raise StoreBusyError(
                    f"Another process has been writing to {self.path} for {self.timeout:.0f} s. "
                    "Wait for it to finish, or raise BIOINSTRUCT_LOCK_TIMEOUT."
                ) from error
            except OSError as error:
                fault = f"can't be written ({error.strerror or error})"
                raise _unusable_folder(self.path.parent, fault) from error
            try:
                if os.path.lexists(self.path):
                    self._check_file()
                if not self.path.exists() or not self.path.stat().st_size:
                    self._create()
                connection = self._open(deadline, read_only=False)
                try:
                    # Before the transaction: a query of a missing table would abort it.
                    version = _version(connection)
                    behind = _is_behind(connection, version) or not _has_schema(version, self.path)
                    connection.begin()
                    if behind:
                        _declare(connection, version)
                    yield connection
                    connection.commit()
                finally:
                    # Closing an uncommitted connection rolls back.
                    connection.close()
            finally:
                lock.release()

    @contextmanager
    def read(self) -> Iterator["duckdb.DuckDBPyConnection"]:
        """A read-only connection. It waits while another process writes."""
        if not os.path.lexists(self.path):
            raise _no_store(self.path)
        self._check_file()
        if not self.path.stat().st_size:
            raise _no_store(self.path)
        with self._thread_lock:
            connection = self._open(time.monotonic() + self.timeout, read_only=True)
            try:
                version = _version(connection)
                if _is_behind(connection, version):
                    connection.close()
                    with self.write():
                        pass  # opening it for writing brings the tables up to date
                    connection = self._open(time.monotonic() + self.timeout, read_only=True)
                    version = _version(connection)
                if not _has_schema(version, self.path):
                    raise _no_store(self.path)
                yield connection
            finally:
                connection.close()

    def rows(
        self, statement: str, parameters: Sequence[Any] | Mapping[str, Any] = ()
    ) -> list[dict[str, Any]]:
        """The result of one read-only statement, as one dict per row."""
        with self.read() as connection:
            result = connection.execute(statement, parameters)
            names = [column[0] for column in result.description or ()]
            return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def replace(
        self,
        contents: Mapping[str, Sequence[Mapping[str, Any]]],
        part: Mapping[str, Any] | None = None,
    ) -> None:
        """Replace tables in one transaction: a reader sees either the old rows or the new rows.

        Args:
            contents: the new rows, by table.
            part: replace only the rows with these column values, such as those of one partition.
                Without it, whole tables are replaced.
        """
        condition = condition_of(part)
        with self.write() as connection:
            for table, rows in contents.items():
                connection.execute(f"delete from {_identifier(table)} {condition}", part or {})
                insert(connection, table, rows)

    def _check_file(self) -> None:
        # A file is not opened here: closing it would release DuckDB's lock on it in this process.
        if not self.path.is_file():
            raise StoreError(
                f"{shown(self.path)} {fault_of_file(self.path)}. Move it away, or set "
                "BIOINSTRUCT_DATA_DIR to another folder."
            )

    def _create(self) -> None:
        # The file has another name until it is complete. DuckDB creates the file before it writes
        # the header, so a process killed in between would leave a store that can't be opened.
        fresh = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex}")
        import duckdb

        try:
            with duckdb.connect(fresh) as connection:
                _declare(connection, None)
            fresh.replace(self.path)
        except (OSError, duckdb.IOException) as error:
            fault = f"can't be written ({getattr(error, 'strerror', None) or error})"
            raise _unusable_folder(self.path.parent, fault) from error
        finally:
            fresh.unlink(missing_ok=True)

    def _open(self, deadline: float, *, read_only: bool) -> "duckdb.DuckDBPyConnection":
        import duckdb

        while True:
            try:
                return duckdb.connect(self.path, read_only=read_only)
            except duckdb.IOException as error:
                if _LOCK_MESSAGE not in str(error):
                    raise StoreError(f"Can't open {self.path}: {error}") from error
                if time.monotonic() > deadline:
                    raise StoreBusyError(
                        f"{self.path} is in use by another process "
                        f"(waited {self.timeout:.0f} s). Close other connections to it, "
                        "such as a DuckDB shell, or wait for the run to finish."
                    ) from error
                time.sleep(random.uniform(*_RETRY_SECONDS))  # noqa: S311


def insert(
    connection: "duckdb.DuckDBPyConnection",
    table: str,
    rows: Sequence[Mapping[str, Any]],
    **same: Any,
) -> None:
    """Insert rows by column name, through Arrow. A column that a row lacks becomes null.

    Args:
        connection: an open connection that may write.
        table: the table.
        rows: the values by column.
        same: columns that have the same value in all rows.
    """
    if not rows:
        return
    import pyarrow as pa

    schema = connection.sql(f"select * from {_identifier(table)} limit 0").to_arrow_table().schema
    given = set().union(*rows)
    if unknown := (given | same.keys()).difference(schema.names):
        raise StoreError(f"Table {table} has no column {', '.join(sorted(unknown))}.")
    columns = {
        field.name: pa.array(_column(rows, field.name), field.type)
        if field.name in given
        else pa.repeat(pa.scalar(same.get(field.name), field.type), len(rows))
        for field in schema
    }
    connection.register("batch", pa.table(columns))
    connection.execute(f"insert into {_identifier(table)} by name select * from batch")
    connection.unregister("batch")


def _column(rows: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    """A column of the rows; null where a row lacks it."""
    try:
        return list(map(itemgetter(name), rows))  # half the time of the line below
    except KeyError:
        return [row.get(name) for row in rows]


def condition_of(part: Mapping[str, Any] | None) -> str:
    """The `where` clause that selects the rows with these column values, as named parameters."""
    terms = " and ".join(f"{_identifier(column)} = ${column}" for column in part or {})
    return f"where {terms}" if terms else ""


def _identifier(table: str) -> str:
    # Table names come from the code, never from data. This check enforces that.
    if not table.isidentifier():
        raise StoreError(f"{table!r} is not a table name.")
    return table


def _declare(connection: "duckdb.DuckDBPyConnection", version: int | None) -> None:
    """Create the tables (version None), or migrate those of an earlier version."""
    before, after = MIGRATIONS.get(version or 0, ("", ""))
    connection.execute(before)
    connection.execute(schema_sql())
    connection.execute(after)
    write_gates(connection)
    connection.execute("delete from store_version")
    connection.execute("insert into store_version values (?)", [SCHEMA_VERSION])


def _is_behind(connection: "duckdb.DuckDBPyConnection", version: int | None) -> bool:
    """Whether the tables must be brought up to date.

    That is so if they have an earlier version that `MIGRATIONS` knows, or the current version with
    an earlier list of gates. Executing the declaration again adds new tables and redefines views.
    """
    return version in MIGRATIONS or (version == SCHEMA_VERSION and not lists_gates(connection))


def _version(connection: "duckdb.DuckDBPyConnection") -> int | None:
    """The version of the tables; None if there are no tables."""
    import duckdb

    # Listing the tables would take DuckDB as long as opening the file, so the query is just tried.
    # DuckDB 2 keeps the connection busy until a result is read to its end, hence fetchall.
    try:
        [(version,)] = connection.execute("select max(version) from store_version").fetchall()
    except duckdb.CatalogException:
        return None
    return int(version or 0)


def _has_schema(version: int | None, path: Path) -> bool:
    """Whether the tables exist. Raises StoreError if they have another version."""
    if version is None:
        return False
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"{path} was written by another version of this project: the store has schema "
            f"{version}, and this version needs schema {SCHEMA_VERSION}. Set BIOINSTRUCT_DATA_DIR "
            "to a new folder, or run the version that wrote the store."
        )
    return True


def _unusable_folder(folder: Path, fault: str) -> StoreError:
    return StoreError(
        f"{shown(folder)} {fault}. Set BIOINSTRUCT_DATA_DIR to a folder that can be written."
    )


def _no_store(path: Path) -> StoreError:
    if path.parent.exists() and not path.parent.is_dir():
        return _unusable_folder(path.parent, fault_of_folder(path.parent))
    return StoreError(
        f"There is no store at {path} yet. Materialize the first asset: "
        "dagster asset materialize -m bioinstruct_dagster --select 'key:seed_tasks'"
    )
