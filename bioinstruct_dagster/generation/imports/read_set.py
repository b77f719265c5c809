"""Reading an instruction set from a file or the hub, into rows of instruction, input and output.

Belongs here: which reader a source needs, and the set as a whole. Does not: one format (csv_rows,
json_rows, parquet_rows), or giving rows their ids (raw_rows).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bioinstruct_dagster.generation.imports.cells import LONG_TEXT
from bioinstruct_dagster.generation.imports.chats import (
    ChatFaultError,
    Chats,
    chat_columns,
    is_chat,
)
from bioinstruct_dagster.generation.imports.columns import (
    SETTING,
    ColumnReader,
    ColumnTally,
    check_storable,
    mapping_text,
)
from bioinstruct_dagster.generation.imports.csv_rows import read_csv
from bioinstruct_dagster.generation.imports.faults import (
    ImportedSetError,
    RowFaults,
    shown_places,
)
from bioinstruct_dagster.generation.imports.identity import file_identity, hub_identity
from bioinstruct_dagster.generation.imports.json_rows import read_json
from bioinstruct_dagster.generation.imports.parquet_rows import read_hub, read_parquet
from bioinstruct_dagster.generation.imports.records import Record, SourceRecords
from bioinstruct_dagster.generation.imports.shapes import ROW_FORM
from bioinstruct_dagster.input_files import fault_of_file, shown
from bioinstruct_dagster.settings.fields import from_project_root
from bioinstruct_dagster.settings.generation import CHAT_COLUMN

_READERS = {
    ".json": read_json,
    ".jsonl": read_json,
    ".ndjson": read_json,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".parquet": read_parquet,
}
_URL = re.compile(r"[a-z][a-z0-9+.-]+:/+", re.IGNORECASE)
_MOST_UNDECIDED = 1_000  # rows
SUFFIXES = (*_READERS, ".gz")


@dataclass(frozen=True)
class ImportedSet:
    """The rows of a set, and what a user should know about how they were read.

    Attributes:
        rows: each with instruction, input and output, in the order of the source.
        identity: its name and the hash of its content (imports.identity).
        columns: the columns that were read, as a value of the setting.
        notes: what was left out, converted or read in an unusual way; a sentence each.
    """

    rows: list[dict[str, str]]
    identity: str
    columns: str
    notes: list[str] = field(default_factory=list)


def read_instruction_set(source: str, columns: Mapping[str, str], split: str) -> ImportedSet:
    """Read a set.

    Args:
        source: path of a file, or a hub id such as `owner/name`.
        columns: the set's column for each of instruction, input and output. A missing input column
            and a null input both mean an empty input. The key `messages` names a column of chats;
            without it, chats are found if the set has no column for the instruction.
        split: the split of a hub data set.

    Raises:
        ImportedSetError: names the file, and the line and column of the faults.
    """
    records, identity = _located(source.strip(), split)
    name = identity.rpartition("@")[0]
    heading = f"{shown(source)} can't be imported (columns are mapped by {SETTING}):"
    found = _Rows(columns, heading)
    for record in records.records:
        found.add(record)
    found.refuse()
    notes = [f"{name}: {note}." if note[-1] != "." else f"{name}: {note}" for note in records.notes]
    return ImportedSet(found.rows, identity, found.columns, [*notes, *found.notes])


def _located(source: str, split: str) -> tuple[SourceRecords, str]:
    """The records of the source and its identity."""
    if scheme := _URL.match(source):
        raise ImportedSetError(
            f"BIOINSTRUCT_IMPORT: URLs ({scheme.group().lower()}…) are not read. Download the file "
            "and give its path, or give the id of a data set on the hub (owner/name)."
        )
    try:
        path = from_project_root(Path(source))
    except ValueError as error:
        raise ImportedSetError(f"BIOINSTRUCT_IMPORT: {error}.") from None
    suffixes = [suffix.lower() for suffix in path.suffixes]
    suffix = next((one for one in reversed(suffixes) if one != ".gz"), "")
    fault = fault_of_file(path)
    if not fault:
        if suffix not in _READERS:
            raise ImportedSetError(
                f"{shown(path)}: can't read {shown(suffix) or 'a file without suffix'}; "
                f"use {', '.join(SUFFIXES)}."
            )
        return _READERS[suffix](path), file_identity(path)
    looks_like_path = source.startswith((".", "/", "~")) or source.count("/") > 1 or not source
    if fault != "does not exist" or suffix in _READERS or looks_like_path:
        raise ImportedSetError(
            f"BIOINSTRUCT_IMPORT: {shown(path)} {fault}. "
            f"Give a {', '.join(SUFFIXES)} file or the id of a data set on the hub."
        )
    return read_hub(source, split), hub_identity(source, split)


class _Rows:
    """The rows of a set as they are read, with their faults and notes."""

    def __init__(self, columns: Mapping[str, str], heading: str) -> None:
        self._heading = heading
        self.rows: list[dict[str, str]] = []
        self._mapped = {name: of for name, of in columns.items() if name != CHAT_COLUMN}
        self._chat_column = columns.get(CHAT_COLUMN, "")
        # A mapping of columns by the user is followed, also if the set holds chats.
        is_mapped = any(name != of for name, of in self._mapped.items())
        self._is_decided = bool(self._chat_column) or is_mapped
        self._waiting: list[tuple[str, Mapping[str, Any]]] = []
        self._faults = RowFaults()
        self._long: list[str] = []
        self._tally = ColumnTally()
        self._chats = Chats()
        self._reader = ColumnReader(self._mapped, self._faults)

    def add(self, record: Record) -> None:
        """Read one record."""
        fields = record.fields
        if is_chat(fields):
            fields = {CHAT_COLUMN: fields}  # a row that is a bare list of messages
        if not isinstance(fields, Mapping):
            found = type(fields).__name__
            self._faults.add(record.place, f"expected an object, found {found}")
            self._faults.advise(ROW_FORM)
            return
        self._tally.add(fields)
        self._waiting.append((record.place, fields))
        if not self._is_decided:
            self._decide(fields)
        if self._is_decided or len(self._waiting) > _MOST_UNDECIDED:
            self._take_waiting()

    def _take_waiting(self) -> None:
        self._is_decided = True
        for place, fields in self._waiting:
            if self._chat_column:
                self._add_chat(place, fields)
            elif row := self._reader.row(place, fields):
                self._keep(place, row)
        self._waiting.clear()

    def _decide(self, fields: Mapping[str, Any]) -> None:
        """Whether the set holds chats: a row has no mapped instruction, but messages.

        The chats of the first rows may be null, so these rows wait for one that decides.
        """
        if self._mapped["instruction"] in fields:
            self._is_decided = True
            return
        found = chat_columns(fields)
        if len(found) > 1:
            names = ", ".join(map(repr, found))
            form = mapping_text({CHAT_COLUMN: found[0]})
            raise ImportedSetError(
                f"{self._heading}\nThe columns {names} hold messages. Name one: {SETTING}={form}"
            )
        self._chat_column = found[0] if found else ""
        self._is_decided = bool(found)

    def _add_chat(self, place: str, fields: Mapping[str, Any]) -> None:
        if self._chat_column not in fields:
            self._faults.add(place, f"column {self._chat_column!r} (messages): no such column")
            return
        try:
            pair = self._chats.pair(place, fields[self._chat_column], fields.get("system"))
        except ChatFaultError as error:
            self._faults.add(place, f"column {self._chat_column!r} (messages): {error}")
            self._faults.advise(ROW_FORM)
            return
        if pair and check_storable(
            pair.instruction + pair.output, place, f"column {self._chat_column!r}", self._faults
        ):
            row = {"instruction": pair.instruction, "input": "", "output": pair.output}
            self._keep(place, row)

    def _keep(self, place: str, row: dict[str, str]) -> None:
        self.rows.append(row)
        if any(len(text) > LONG_TEXT for text in row.values()):
            self._long.append(place)

    def refuse(self) -> None:
        """Raise an error if the set can't be imported."""
        self._take_waiting()
        columns = self._used_columns
        if self._tally.rows and (missing := self._tally.missing(columns)):
            raise ImportedSetError("\n".join([self._heading, *missing]))
        self._reader.refuse_empty_columns()
        self._faults.refuse(self._heading)
        if not self._tally.rows:
            raise ImportedSetError(f"{self._heading}\nthe set holds no rows")
        if not self.rows:
            raise ImportedSetError("\n".join([self._heading, *self._chats.notes]))

    @property
    def _used_columns(self) -> Mapping[str, str]:
        return {CHAT_COLUMN: self._chat_column} if self._chat_column else self._mapped

    @property
    def columns(self) -> str:
        """The columns that were read."""
        return mapping_text(self._used_columns)

    @property
    def notes(self) -> list[str]:
        """What a user should know, a sentence each."""
        said = self._chats.notes if self._chat_column else self._reader.notes
        notes = [note[0].upper() + note[1:] + "." for note in said]
        if self._long:
            notes.append(
                f"{len(self._long)} rows hold a text of more than {LONG_TEXT:,} characters "
                f"({shown_places(self._long, len(self._long))}). Is this one row?"
            )
        return notes + self._tally.unused_texts(self._used_columns)
