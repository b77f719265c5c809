"""The rows of a file in its format: JSON Lines, JSON, CSV and Parquet.

A name that is given twice is refused: only its last value would be read. Belongs here: one reader
for each format. Does not: what a row means (item_files).
"""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bioinstruct_dagster.eval_sets.field_paths import PathError, values_at
from bioinstruct_dagster.json_objects import RepeatedKeyError, object_of_distinct_keys

_LONGEST_FIELD = 1 << 27  # characters of a CSV field; Python's own limit is 131,072


def _read_jsonl(path: Path, _rows: str | None) -> Iterator[tuple[str, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield f"line {number}", _json(line, f"line {number}")


def _read_json(path: Path, rows: str | None) -> Iterator[tuple[str, Any]]:
    found = _json(path.read_bytes(), "the file")
    if rows:
        if not isinstance(found, Mapping):
            raise PathError(f"the file: is no object, so has no {rows}")
        try:
            found = values_at(found, rows)
        except PathError as error:
            raise PathError(f"field {rows}: {error}") from None
        found = found[0] if len(found) == 1 else found
    if isinstance(found, Mapping):  # items by their identifiers
        for key, item in found.items():
            yield f"item {key}", {"id": key, **item} if isinstance(item, Mapping) else item
    elif isinstance(found, list):
        for number, item in enumerate(found, start=1):
            yield f"item {number}", item
    else:
        raise PathError("the file: is neither a list of items nor an object of them")


def _json(data: bytes, place: str) -> Any:
    try:
        return json.loads(data, object_pairs_hook=object_of_distinct_keys)
    except RepeatedKeyError as error:
        raise PathError(f"{place}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise PathError(f"{place}: is no JSON ({error})") from None


def _read_csv(path: Path, _rows: str | None) -> Iterator[tuple[str, Any]]:
    before = csv.field_size_limit(_LONGEST_FIELD)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _refuse_repeated(reader.fieldnames or (), f"line {max(reader.line_num, 1)}: ")
            for row in reader:
                place = f"line {reader.line_num}"
                if None in row or None in row.values():
                    raise PathError(f"{place}: has not as many fields as the header")
                yield place, row
    except (csv.Error, UnicodeDecodeError) as error:
        raise PathError(f"is no CSV in UTF-8 ({error})") from None
    finally:
        csv.field_size_limit(before)


def _refuse_repeated(columns: Iterable[str], place: str = "") -> None:
    """Refuse columns of one name: only the last would be read. No path leads to a nameless one."""
    twice = [name for name, count in Counter(columns).items() if name.strip() and count > 1]
    if twice:
        raise PathError(f"{place}the column {twice[0]!r} is given twice; keep one")


def _read_parquet(path: Path, _rows: str | None) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            _refuse_repeated(file.schema_arrow.names)
        rows = parquet.read_table(path).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise PathError(f"is no Parquet ({error})") from None
    except ValueError as error:  # of to_pylist: an object has a field twice
        raise PathError(f"its rows can't be read ({error})") from None
    for number, row in enumerate(rows, start=1):
        yield f"row {number}", row


ROWS_BY_FORMAT: Mapping[str, Callable[[Path, str | None], Iterator[tuple[str, Any]]]] = {
    "jsonl": _read_jsonl,
    "json": _read_json,
    "csv": _read_csv,
    "parquet": _read_parquet,
}
"""By format, the reader of a file and the path to its rows. Yields each row with its place.

A reader raises PathError if the file is not of its format; the message names the place.
"""
