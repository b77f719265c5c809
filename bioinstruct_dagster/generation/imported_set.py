"""An existing instruction set in place of generation: a local file, or a data set on the hub.

Belongs here: reading the rows and mapping their columns. Does not: checking rows (curation), or
giving them ids (raw_rows).
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.generation.imports.identity import file_identity, hub_identity
from bioinstruct_dagster.generation.replies.reading import TASK_FIELDS
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster.store.storable_text import is_storable

SUFFIXES = (".json", ".jsonl", ".csv", ".parquet")
_SHOWN_ERRORS = 20


class ImportedSetError(StatedError):
    """The instruction set can't be imported; the message names file, row and column."""


def read_instruction_set(
    source: str, columns: Mapping[str, str], split: str
) -> tuple[list[dict[str, str]], str]:
    """Rows with instruction, input and output, in the order of the source, and the set's identity.

    Args:
        source: path of a JSON, JSONL, CSV or Parquet file, or a hub id such as `owner/name`.
        columns: the source's column for each of instruction, input and output. A missing input
            column and a null input both mean an empty input.
        split: the split of a hub data set.

    Raises:
        ImportedSetError: names the file, and the row and column of the first 20 errors.
    """
    path = (PROJECT_ROOT / Path(source).expanduser()).resolve()
    if path.is_file():
        records, identity = _read_file(path), file_identity(path)
    elif path.exists() or path.suffix in SUFFIXES or source.startswith((".", "/", "~")):
        raise ImportedSetError(
            f"BIOINSTRUCT_IMPORT: {path} is not a file. "
            f"Give a {', '.join(SUFFIXES)} file or a hub id."
        )
    else:
        records, identity = _read_hub(source, split), hub_identity(source, split)
    return list(_mapped(records, columns, source)), identity


def _read_file(path: Path) -> Iterable[tuple[str, Any]]:
    """Each row as a pair: its place, for messages, and its record."""
    match path.suffix:
        case ".jsonl":
            return _read_lines(path)
        case ".json":
            return _read_document(path)
        case ".csv":
            return _read_csv(path)
        case ".parquet":
            return _read_parquet(path)
    raise ImportedSetError(
        f"{path}: can't read {path.suffix or 'a file without suffix'}; use {', '.join(SUFFIXES)}."
    )


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportedSetError(
            f"{path}: not UTF-8 text ({error.reason} at byte {error.start})."
        ) from None


def _read_lines(path: Path) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            try:
                yield f"line {number}", json.loads(line)
            except (ValueError, RecursionError) as error:
                raise ImportedSetError(f"{path}: line {number}: not JSON ({error}).") from None


def _read_document(path: Path) -> Iterator[tuple[str, Any]]:
    text = _text(path)
    try:
        records = json.loads(text)
    except (ValueError, RecursionError) as error:
        if text.lstrip().startswith("{"):
            yield from _read_lines(path)  # many hubs name a JSON Lines file .json
            return
        raise ImportedSetError(f"{path}: not JSON ({error}).") from None
    if isinstance(records, dict) and not any(isinstance(v, list | dict) for v in records.values()):
        records = [records]  # a JSON Lines file with one line
    if not isinstance(records, list):
        raise ImportedSetError(
            f"{path}: expected a JSON list of rows, found {type(records).__name__}."
        )
    for number, record in enumerate(records, start=1):
        yield f"row {number}", record


def _read_csv(path: Path) -> Iterator[tuple[str, Any]]:
    _text(path)  # reports a wrong encoding by its name; the parser's own message would not
    csv.field_size_limit(2**31 - 1)  # the default is 128 KiB; a long note may be larger
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        try:
            for record in reader:
                yield f"line {reader.line_num}", record
        except csv.Error as error:
            raise ImportedSetError(f"{path}: line {reader.line_num}: {error}.") from None


def _read_parquet(path: Path) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise ImportedSetError(f"{path}: not a Parquet file ({error}).") from None
    for number, record in enumerate(table.to_pylist(), start=1):
        yield f"row {number}", record


def _read_hub(source: str, split: str) -> Iterator[tuple[str, Any]]:
    import datasets

    try:
        rows = datasets.load_dataset(source, split=split)
    except Exception as error:
        raise ImportedSetError(
            f"BIOINSTRUCT_IMPORT: {source!r} is neither a file here nor a data set that can be "
            f"loaded from the hub (split {split!r}): {type(error).__name__}: {error}"
        ) from error
    for number, record in enumerate(rows, start=1):
        yield f"row {number}", record


def _mapped(
    records: Iterable[tuple[str, Any]], columns: Mapping[str, str], source: str
) -> Iterator[dict[str, str]]:
    errors: list[str] = []
    rows = 0
    for place, record in records:
        rows += 1
        if not isinstance(record, dict):
            errors.append(f"{place}: expected an object, found {type(record).__name__}")
            continue
        row = {}
        for name in TASK_FIELDS:
            value = record.get(columns[name])
            if value is None and name == "input":
                value = ""
            if not isinstance(value, str):
                found = "no such column" if columns[name] not in record else type(value).__name__
                errors.append(
                    f"{place}: column {columns[name]!r} ({name}): expected text, found {found}"
                )
            elif not is_storable(value):
                errors.append(
                    f"{place}: column {columns[name]!r} ({name}): holds a lone surrogate or NUL "
                    "character, which can't be stored as text"
                )
            else:
                row[name] = value.strip()
        if len(row) == len(TASK_FIELDS):
            yield row
    if not rows:
        errors.append("the set holds no rows")
    if errors:
        more = f"\n… and {len(errors) - _SHOWN_ERRORS} more" if len(errors) > _SHOWN_ERRORS else ""
        raise ImportedSetError(
            f"{len(errors)} error(s) in {source} "
            "(columns are mapped by BIOINSTRUCT_IMPORT_COLUMNS):\n"
            + "\n".join(errors[:_SHOWN_ERRORS])
            + more
        )
